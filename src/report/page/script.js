"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const tip = document.getElementById("tip");
  const rows = {};
  for (const row of all("tbody tr")) rows[row.id.slice(1)] = row;
  let active = null;

  const commandOf = (row) => {
    const button = row.querySelector("button");
    return `${document.body.dataset.replay} --point ${button.dataset.w || button.textContent} --replication 0`;
  };

  // What is drawn beside the pointer, and read to those who listen: cells of the table.
  const linesOf = (row, columns) => {
    const names = all("thead tr:last-child th", row.closest("table"));
    const cells = [...row.children];
    const lines = [];
    for (let at = columns[0]; at < columns[1]; at++) {
      if (cells[at].textContent) lines.push(`${names[at].textContent}: ${cells[at].textContent}`);
    }
    return lines;
  };

  const piece = (kind, text) => {
    const element = document.createElement(kind);
    element.textContent = text;
    return element;
  };

  const hide = () => {
    tip.hidden = true;
    if (active) active.classList.remove("on");
    active = null;
  };

  const show = (mark) => {
    if (active === mark && !tip.hidden) return;
    hide();
    active = mark;
    mark.classList.add("on");
    const row = rows[mark.dataset.r];
    const columns = mark.closest("figure").dataset.m.split(" ").map(Number);
    const lines = linesOf(row, columns);
    const command = commandOf(row);
    const name = row.querySelector("button").textContent;
    tip.replaceChildren(piece("b", name), ...lines.map((line) => piece("span", line)), piece("code", command));
    tip.hidden = false;
    const box = mark.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - size.width / 2), innerWidth - size.width - 8);
    const above = box.top - size.height - 10;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above > 8 ? above : box.bottom + 10}px`;
  };

  const copy = async (row) => {
    const command = commandOf(row);
    let copied = true;
    try {
      await navigator.clipboard.writeText(command);
    } catch {
      const area = piece("textarea", command);
      document.body.append(area);
      area.select();
      copied = document.execCommand("copy");
      area.remove();
    }
    return copied ? "copied: " + command : "select it to copy: " + command;
  };

  const copyMark = async (mark) => {
    show(mark);
    const said = await copy(rows[mark.dataset.r]);
    tip.lastChild.textContent = said;
  };

  const marksOf = (svg) => all("use[data-r]", svg).filter((mark) => !mark.closest("[hidden]"));

  // The mark that is nearest to a place of the window, if it is near.
  const nearest = (svg, event) => {
    let found = null, least = 28;
    for (const mark of marksOf(svg)) {
      const box = mark.getBoundingClientRect();
      const far = Math.hypot(box.left + box.width / 2 - event.clientX, box.top + box.height / 2 - event.clientY);
      if (far < least) [found, least] = [mark, far];
    }
    return found;
  };

  const reach = (svg, mark) => {
    for (const other of all("use[tabindex]", svg)) other.removeAttribute("tabindex");
    mark.setAttribute("tabindex", "0");
    mark.setAttribute("role", "button");
    const row = rows[mark.dataset.r];
    const columns = mark.closest("figure").dataset.m.split(" ").map(Number);
    const name = row.querySelector("button").textContent;
    mark.setAttribute("aria-label", [name, ...linesOf(row, columns), "Enter copies the command"].join(", "));
  };

  // Left and right along a line, up and down among those of the same value.
  const neighbour = (svg, mark, key) => {
    const marks = marksOf(svg);
    const at = marks.indexOf(mark);
    if (key === "ArrowRight" || key === "ArrowLeft") return marks[at + (key === "ArrowRight" ? 1 : -1)];
    const x = mark.getAttribute("x");
    const column = marks.filter((other) => other.getAttribute("x") === x);
    column.sort((one, other) => one.getAttribute("y") - other.getAttribute("y"));
    return column[column.indexOf(mark) + (key === "ArrowDown" ? 1 : -1)];
  };

  for (const svg of all("figure > svg")) {
    svg.addEventListener("pointermove", (event) => {
      const mark = nearest(svg, event);
      if (mark) show(mark); else hide();
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("click", (event) => {
      const mark = nearest(svg, event);
      if (mark) copyMark(mark);
    });
    // Not on the picture itself: a browser would let Tab stop at it.
    svg.parentElement.addEventListener("focusin", (event) => { if (event.target.dataset.r) show(event.target); });
    svg.parentElement.addEventListener("focusout", hide);
    svg.addEventListener("keydown", (event) => {
      const mark = event.target;
      if (!mark.dataset.r) return;
      if (event.key.startsWith("Arrow")) {
        const next = neighbour(svg, mark, event.key);
        event.preventDefault();
        if (next) { reach(svg, next); next.focus(); }
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        copyMark(mark);
      } else if (event.key === "Escape") hide();
    });
  }
  for (const button of all("tbody button")) {
    button.title = "copy the command that shows a run of this point";
    button.addEventListener("click", async () => {
      const said = await copy(button.closest("tr"));
      const box = button.getBoundingClientRect();
      tip.replaceChildren(piece("code", said));
      tip.hidden = false;
      tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
      tip.style.top = `${box.bottom + 6}px`;
    });
    button.addEventListener("blur", hide);
  }
  addEventListener("scroll", hide, { passive: true });

  // Filters: what has places is shown where each agrees with what is chosen; "" agrees with everything.
  const selects = all("select[data-axis]");
  const apply = () => {
    const chosen = selects.map((select) => [Number(select.dataset.axis), select.value]);
    const agrees = (places) => chosen.every(([axis, value]) => value === "" || !places[axis] || places[axis] === value);
    for (const section of all("section[data-v]")) section.hidden = !agrees([section.dataset.v]);
    for (const line of all("g[data-v]")) line.toggleAttribute("hidden", !agrees(["", ...line.dataset.v.split(",")]));
    for (const row of all("tr[data-v]")) row.hidden = !agrees(row.dataset.v.split(","));
    for (const other of all("g[data-r], div[data-r]")) other.toggleAttribute("hidden", rows[other.dataset.r].hidden);
    for (const svg of all("figure > svg")) {
      const marks = marksOf(svg);
      if (marks.length) reach(svg, marks[0]);
    }
    hide();
  };
  for (const select of selects) select.addEventListener("change", apply);
  apply();
})();
