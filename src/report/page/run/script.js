  // A map: the cell under the pointer, or the one that arrow keys went to, is framed. Its fate is decoded from its row.
  const fates = { a: "delivered", b: "unread", c: "in_flight", d: "unreachable", e: "lost_in_partition", f: "lost_on_link",
    g: "lost_in_queue", h: "lost_fragment", i: "corrupted", j: "host_down", k: "no_such_mailslot", l: "too_large_for_slot",
    m: "slot_full", n: "closed_unread", x: "the write failed" };
  const shellWord = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'";
  const explain = (question) => `${document.body.dataset.replay} --explain ${shellWord(question)}`;

  // A question around the number of the message.
  const parted = (text) => {
    const at = text.lastIndexOf(":#@") + 1;
    return [text.slice(0, at), text.slice(at + 1)];
  };

  for (const map of all("svg g.map[data-w]")) {
    const svg = map.ownerSVGElement;
    const columns = Number(map.dataset.w), height = Number(map.dataset.h);
    const rows = all("g[data-k]", map).map((row) => ({
      question: parted(map.dataset.f + row.dataset.q),
      cells: row.dataset.k.replace(/(\d+)(.)/g, (_, count, letter) => letter.repeat(Number(count))),
    }));
    const cursor = document.createElementNS(svg.namespaceURI, "rect");
    cursor.classList.add("cursor");
    cursor.setAttribute("width", 1);
    cursor.setAttribute("height", height - 2);
    cursor.setAttribute("data-r", "");
    map.append(cursor);
    let at = [0, 0];
    const go = (column, row) => {
      if (column < 0 || row < 0 || column >= columns || row >= rows.length) return null;
      at = [column, row];
      cursor.setAttribute("x", column);
      cursor.setAttribute("y", row * height);
      return cursor;
    };
    const question = () => rows[at[1]].question.join(at[0]);
    const fate = () => fates[rows[at[1]].cells[at[0]]];
    const cells = {
      moves: true,
      lines: () => [question(), fate() || "not addressed"],
      command: () => fate() && explain(question()),
      at: (event) => {
        const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
        return go(Math.floor(place.x), Math.floor(place.y / height));
      },
      next: (_, key) => {
        const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
        return go(at[0] + x, at[1] + y);
      },
    };
    go(0, 0);
    reach(svg, cursor, cells);
    attach(svg, cells);
  }

  // The space-time diagram.
  const space = document.getElementById("space");
  if (space) {
    const svg = space.querySelector("svg.spacetime");
    const arrows = all("g[data-i]", svg);
    const visible = () => arrows.filter((arrow) => !arrow.hasAttribute("hidden"));
    const prefix = ["", "", "answer or reply to ", "", "name service, for "];
    const hosts = all("svg.header text.host", space).map((host) => host.textContent);
    const links = svg.dataset.links.split("\t");
    const sourceOf = (arrow) => document.querySelector(`#by-flow option[value="${arrow.dataset.f}"]`);
    const factsOf = (arrow) => {
      const [message, from, to, start, end, waited, flags, copy] = arrow.dataset.i.split("\t");
      const [kind, isRead, isPart, isForAll] = flags;
      const flow = arrow.dataset.f && sourceOf(arrow).textContent;
      return { message, flow, from: hosts[from], to: to && hosts[to], start, end, waited, kind, copy: Number(copy), isRead: isRead === "1", isPart: isPart === "1", isForAll: isForAll === "1" };
    };
    const marks = {
      large: true,
      lines: (arrow) => {
        const { message, flow, from, to, start, end, waited, kind, copy, isRead, isPart, isForAll } = factsOf(arrow);
        const { k: fate, l: lost, m: other } = arrow.dataset;
        if (kind === "5") return [`${flow}:${message}`, `${from} at ${start}: the write failed`];
        const course = to === from ? "its own copy" : `${from} to ${to || (isForAll ? "all" : "all of a segment")}`;
        const lines = [`${prefix[kind]}${flow}:${message}, ${course}`, `left ${from} at ${start}${copy ? `, write ${copy + 1} of the message` : ""}`];
        if (lost) {
          const [how, link] = lost.split(" ");
          lines.push(`lost at ${end}: ${how} on ${links[link]}`);
        } else if (fate === "in_flight") lines.push(`on its way at ${end}`);
        else if (fate === "unreachable") lines.push("nothing leads there");
        else if (to && to !== from) lines.push(`there at ${end}`);
        if (waited) lines.push(`${isRead ? "read at" : "unread until"} ${waited}`);
        if (isPart) lines.push("a fragment: its message's fate is told elsewhere");
        else if (kind === "1") lines.push("not addressed there");
        else if (kind === "0" && other) lines.push(`this datagram: ${fate || "no fate of its own"}`, `the message there: ${other}`);
        else if (kind === "0" && fate) lines.push(fate);
        return lines;
      },
      command: (arrow) => {
        if (!("q" in arrow.dataset)) return null;
        const { message, flow, from, to } = factsOf(arrow);
        const sender = "several" in sourceOf(arrow).dataset ? `/${from}` : "";
        return explain(`${flow}${sender}:${message}@${to}`);
      },
      at: (event) => {
        let found = null, least = 10;
        for (const arrow of visible()) {
          const box = arrow.getBoundingClientRect();
          if (event.clientX < box.left - 10 || event.clientX > box.right + 10 || event.clientY < box.top - 10 || event.clientY > box.bottom + 10) continue;
          const far = distance(arrow.querySelector("line") || arrow.querySelector("use"), event);
          if (far < least) [found, least] = [arrow, far];
        }
        return found;
      },
      next: (arrow, key) => {
        const all = visible();
        return all[all.indexOf(arrow) + (key === "ArrowDown" || key === "ArrowRight" ? 1 : -1)];
      },
    };
    // From a place of the window to a line, or to the middle of what is none.
    const distance = (mark, event) => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const of = (name) => Number(mark.getAttribute(name));
      if (mark.tagName !== "line") return Math.hypot(place.x - of("x"), place.y - of("y"));
      const [x, y] = [of("x2") - of("x1"), of("y2") - of("y1")];
      const along = ((place.x - of("x1")) * x + (place.y - of("y1")) * y) / (x * x + y * y || 1);
      const nearest = Math.min(1, Math.max(0, along));
      return Math.hypot(place.x - of("x1") - nearest * x, place.y - of("y1") - nearest * y);
    };
    attach(svg, marks);

    // Zoom: all that is not a gap becomes as many times as tall. Of each gap there are its ends, as places and as nanoseconds.
    const numbers = svg.dataset.gaps.split(" ").map(Number);
    const gaps = [];
    for (let at = 0; at < numbers.length; at += 4) gaps.push(numbers.slice(at, at + 4));
    const tall = svg.height.baseVal.value;
    const header = () => svg.getBoundingClientRect().top - space.getBoundingClientRect().top + space.scrollTop;
    const heights = all("[y], [y1]", svg).map((element) => {
      const names = element.hasAttribute("y1") ? ["y1", "y2"] : ["y"];
      return { element, names, from: names.map((name) => Number(element.getAttribute(name))), height: Number(element.getAttribute("height")) };
    });
    let zoom = 1;
    const at = (y) => {
      const gap = gaps.reduce((sum, [top, bottom]) => sum + Math.max(0, Math.min(y, bottom) - top), 0);
      return (y - gap) * zoom + gap;
    };
    const back = (y) => {
      let [low, high] = [0, tall];
      for (let step = 0; step < 40; step++) {
        const middle = (low + high) / 2;
        if (at(middle) < y) low = middle; else high = middle;
      }
      return low;
    };
    // The moment at a place of the picture as it was at first.
    const momentAt = (y) => {
      for (let number = 0; number < gaps.length; number++) {
        const [top, bottom, from, to] = gaps[number];
        if (y <= bottom) {
          if (y >= top || number === 0) return bottom > top ? from + (y - top) / (bottom - top) * (to - from) : from;
          const [, start, , since] = gaps[number - 1];
          return since + (y - start) / (top - start) * (from - since);
        }
      }
      return gaps[gaps.length - 1][3];
    };
    const now = space.querySelector("text.now");
    const tellNow = () => { now.textContent = `↓ ${(momentAt(back(space.scrollTop)) / 1e9).toFixed(6)} s`; };
    const setZoom = (next, offset) => {
      const top = header();
      const base = back(space.scrollTop + offset - top);
      zoom = Math.min(64, Math.max(1 / 8, next));
      for (const { element, names, from, height } of heights) {
        names.forEach((name, index) => element.setAttribute(name, at(from[index]).toFixed(2)));
        if (height) element.setAttribute("height", Math.max(0, at(from[0] + height) - at(from[0])).toFixed(2));
      }
      svg.setAttribute("height", at(tall).toFixed(1));
      svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${at(tall).toFixed(1)}`);
      space.scrollTop = at(base) + top - offset;
      space.dataset.zoom = zoom;
      hide();
      tellNow();
    };
    const middle = () => space.clientHeight / 2;
    const by = (factor) => () => setZoom(zoom * factor, middle());
    document.getElementById("closer").addEventListener("click", by(2));
    document.getElementById("farther").addEventListener("click", by(1 / 2));
    document.getElementById("whole").addEventListener("click", () => setZoom(1, middle()));
    space.addEventListener("keydown", (event) => {
      // The browser's own zoom.
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+" || event.key === "=") by(2)();
      else if (event.key === "-") by(1 / 2)();
      else if (event.key === "0") setZoom(1, middle());
    });
    space.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      setZoom(zoom * 2 ** (-event.deltaY / 240), event.clientY - space.getBoundingClientRect().top);
    }, { passive: false });
    space.addEventListener("scroll", () => { moved(); tellNow(); }, { passive: true });
    tellNow();

    // Dragging moves what is seen. A click is a drag that went nowhere.
    let grip = null, wasDragged = false;
    space.addEventListener("pointerdown", (event) => {
      wasDragged = false;
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      grip = { x: event.clientX + space.scrollLeft, y: event.clientY + space.scrollTop, left: event.clientX, top: event.clientY };
    });
    addEventListener("pointermove", (event) => {
      if (!grip) return;
      if (!event.buttons) { grip = null; return; }
      wasDragged ||= Math.hypot(event.clientX - grip.left, event.clientY - grip.top) > 4;
      space.scrollLeft = grip.x - event.clientX;
      space.scrollTop = grip.y - event.clientY;
    });
    addEventListener("pointerup", () => { grip = null; });
    space.addEventListener("click", (event) => { if (wasDragged) event.stopPropagation(); }, { capture: true });

    // Filters; what is left comes into view if none of it is there.
    const selects = ["by-flow", "by-fate"].map((id) => document.getElementById(id));
    const topOf = (arrow) => Number((arrow.querySelector("line") || arrow.querySelector("use")).getAttribute(arrow.querySelector("line") ? "y1" : "y"));
    const apply = () => {
      const [flow, fate] = selects.map((select) => select.value);
      for (const arrow of arrows) {
        const agrees = (!flow || arrow.dataset.f === flow) && (!fate || arrow.dataset.k === fate);
        arrow.toggleAttribute("hidden", !agrees);
      }
      const left = visible();
      const isSeen = (arrow) => topOf(arrow) >= space.scrollTop && topOf(arrow) <= space.scrollTop + space.clientHeight;
      if (left.length) {
        reach(svg, left[0], marks);
        if (!left.some(isSeen)) space.scrollTop = topOf(left[0]) - 60;
      }
      hide();
    };
    for (const select of selects) select.addEventListener("change", apply);
    apply();
  }
