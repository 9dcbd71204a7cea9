  // A map: the cell under the pointer, or the one that arrow keys went to, is framed. Its fate is decoded from its row.
  const fates = { a: "delivered", b: "unread", c: "in_flight", d: "unreachable", e: "lost_in_partition", f: "lost_on_link",
    g: "lost_in_queue", h: "lost_fragment", i: "corrupted", j: "host_down", k: "no_such_mailslot", l: "too_large_for_slot",
    m: "slot_full", n: "closed_unread" };
  const replay = document.body.dataset.replay;
  const shellWord = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'";
  const explain = (question) => `${replay} --explain ${shellWord(question)}`;

  for (const map of all("svg g.map[data-w]")) {
    const svg = map.ownerSVGElement;
    const columns = Number(map.dataset.w), height = Number(map.dataset.h);
    const rows = all("g[data-k]", map).map((row) => ({
      question: row.dataset.q,
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
    const question = () => rows[at[1]].question.replace("#", at[0]);
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
    const factsOf = (arrow) => {
      const [message, from, to, start, end, read, kind] = arrow.dataset.i.split("\t");
      return { flow: arrow.dataset.f, message, from, to, start, end, read, kind, fate: arrow.dataset.k, link: arrow.dataset.l };
    };
    const visible = () => arrows.filter((arrow) => !arrow.hasAttribute("hidden"));
    const what = ["", "answer or reply to ", "name service for "];
    const marks = {
      lines: (arrow) => {
        const { flow, message, from, to, start, end, read, kind, fate, link } = factsOf(arrow);
        const course = to === from ? "its own copy" : `${from} to ${to || "all"}`;
        const lines = [`${what[kind]}${flow}:${message}, ${course}`, `left ${from} at ${start}`];
        if (link) lines.push(`lost at ${end} on ${link}`);
        else if (to && to !== from) lines.push(`there at ${end}`);
        if (read) lines.push(`read at ${read}`);
        lines.push(fate || "means nothing there");
        return lines;
      },
      command: (arrow) => {
        const { flow, message, from, to, kind, fate } = factsOf(arrow);
        const sender = svg.querySelectorAll(`g[data-f="${CSS.escape(flow)}"]:not([data-r="${arrow.dataset.r}"])`).length ? `/${from}` : "";
        return kind === "0" && fate && to ? explain(`${flow}${sender}:${message}@${to}`) : "";
      },
      at: (event) => {
        let found = null, least = 10;
        for (const arrow of visible()) {
          const line = arrow.querySelector("line") || arrow.querySelector("use");
          const box = arrow.getBoundingClientRect();
          if (event.clientX < box.left - 10 || event.clientX > box.right + 10 || event.clientY < box.top - 10 || event.clientY > box.bottom + 10) continue;
          const far = distance(line, event);
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

    const selects = ["by-flow", "by-fate"].map((id) => document.getElementById(id));
    const apply = () => {
      const [flow, fate] = selects.map((select) => select.value);
      for (const arrow of arrows) {
        const agrees = (!flow || arrow.dataset.f === flow) && (!fate || arrow.dataset.k === fate);
        arrow.toggleAttribute("hidden", !agrees);
      }
      const first = visible()[0];
      if (first) reach(svg, first, marks);
      hide();
    };
    for (const select of selects) select.addEventListener("change", apply);
    apply();

    // Zoom: all that is not a gap becomes as many times as tall.
    const gaps = svg.dataset.gaps ? svg.dataset.gaps.split(" ").map(Number) : [];
    const gapsBefore = (y) => {
      let sum = 0;
      for (let at = 0; at < gaps.length; at += 2) sum += Math.max(0, Math.min(y, gaps[at + 1]) - gaps[at]);
      return sum;
    };
    const tall = svg.height.baseVal.value;
    const heights = all("[y], [y1]", svg).map((element) => {
      const names = element.hasAttribute("y1") ? ["y1", "y2"] : ["y"];
      return { element, names, from: names.map((name) => Number(element.getAttribute(name))), height: Number(element.getAttribute("height")) };
    });
    let zoom = 1;
    const at = (y) => { const gap = gapsBefore(y); return (y - gap) * zoom + gap; };
    const back = (y) => {
      let [low, high] = [0, tall];
      for (let step = 0; step < 40; step++) {
        const middle = (low + high) / 2;
        if (at(middle) < y) low = middle; else high = middle;
      }
      return low;
    };
    const setZoom = (next, offset) => {
      const base = back(space.scrollTop + offset);
      zoom = Math.min(64, Math.max(1 / 8, next));
      for (const { element, names, from, height } of heights) {
        names.forEach((name, index) => element.setAttribute(name, at(from[index]).toFixed(2)));
        if (height) element.setAttribute("height", Math.max(0, at(from[0] + height) - at(from[0])).toFixed(2));
      }
      svg.setAttribute("height", at(tall).toFixed(1));
      space.scrollTop = at(base) - offset;
      space.dataset.zoom = zoom;
      hide();
    };
    const by = (factor) => () => setZoom(zoom * factor, space.clientHeight / 2);
    document.getElementById("closer").addEventListener("click", by(2));
    document.getElementById("farther").addEventListener("click", by(1 / 2));
    document.getElementById("whole").addEventListener("click", () => setZoom(1, space.clientHeight / 2));
    space.addEventListener("keydown", (event) => {
      if (event.key === "+" || event.key === "=") by(2)();
      else if (event.key === "-") by(1 / 2)();
      else if (event.key === "0") setZoom(1, space.clientHeight / 2);
    });
    space.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      setZoom(zoom * 2 ** (-event.deltaY / 240), event.clientY - space.getBoundingClientRect().top);
    }, { passive: false });
    space.addEventListener("scroll", hide, { passive: true });

    // Dragging moves what is seen. A click is a drag that went nowhere.
    let grip = null;
    space.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) grip = [event.clientX + space.scrollLeft, event.clientY + space.scrollTop];
    });
    addEventListener("pointermove", (event) => {
      if (!grip) return;
      if (!event.buttons) { grip = null; return; }
      space.scrollLeft = grip[0] - event.clientX;
      space.scrollTop = grip[1] - event.clientY;
    });
    addEventListener("pointerup", () => { grip = null; });
  }
