  for (const controls of document.querySelectorAll(".controls")) controls.hidden = false;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const tip = document.getElementById("tip");
  let active = null;

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

  // Pieces beside a place of the window, which may be larger than that: above it where there is room.
  const place = (box) => {
    const size = tip.getBoundingClientRect();
    const within = (wanted, room) => Math.max(8, Math.min(wanted, room - 8));
    const above = box.top - size.height - 10;
    tip.style.left = `${within(box.left + box.width / 2 - size.width / 2, innerWidth - size.width)}px`;
    tip.style.top = `${within(above > 8 ? above : box.bottom + 10, innerHeight - size.height)}px`;
  };
  const put = (box, pieces) => {
    tip.replaceChildren(...pieces);
    tip.hidden = false;
    place(box);
  };

  // What is shown goes with what it is about where that has the focus, and away where it was under the pointer.
  const moved = () => {
    if (active && active === document.activeElement) place(active.getBoundingClientRect()); else hide();
  };
  addEventListener("scroll", moved, { passive: true });

  const copy = async (command) => {
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
    return (copied ? "copied: " : "select it to copy: ") + command;
  };

  // Pointer and keyboard for the marks of a picture. `of` knows them: at(event) is the one at a place of the window, if any;
  // lines(mark) what there is to say of it, its name first; command(mark) what a click copies, if anything; next(mark, key)
  // the one in the direction of an arrow key.
  const attach = (svg, of) => {
    const show = (mark, last, pointer) => {
      if (active === mark && !tip.hidden && !last && !of.moves) return;
      hide();
      active = mark;
      mark.classList.add("on");
      if (of.moves) reach(svg, mark, of);
      const [name, ...lines] = of.lines(mark);
      const command = of.command(mark);
      const pieces = [piece("b", name), ...lines.map((line) => piece("span", line))];
      if (command) pieces.push(piece("code", last || command));
      put(pointer && of.large ? new DOMRect(pointer.clientX - 4, pointer.clientY - 4, 8, 8) : mark.getBoundingClientRect(), pieces);
    };
    const copyMark = async (mark, pointer) => {
      const command = of.command(mark);
      if (command) show(mark, await copy(command), pointer);
    };
    svg.addEventListener("pointermove", (event) => {
      const mark = event.buttons ? null : of.at(event);
      if (mark) show(mark, "", event); else hide();
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("click", (event) => {
      const mark = of.at(event);
      if (mark) copyMark(mark, event);
    });
    // Not on the picture itself: a browser would let Tab stop at it.
    svg.parentElement.addEventListener("focusin", (event) => { if (event.target.hasAttribute("data-r")) show(event.target); });
    svg.parentElement.addEventListener("focusout", hide);
    svg.addEventListener("keydown", (event) => {
      const mark = event.target;
      if (!mark.hasAttribute("data-r")) return;
      if (event.key.startsWith("Arrow")) {
        const next = of.next(mark, event.key);
        event.preventDefault();
        if (next) { reach(svg, next, of); next.focus(); show(next); }
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        copyMark(mark);
      } else if (event.key === "Escape") hide();
    });
  };

  // Makes a mark the one of its picture that Tab comes to.
  const reach = (svg, mark, of) => {
    for (const other of all("[data-r][tabindex]", svg)) if (other !== mark) other.removeAttribute("tabindex");
    mark.setAttribute("tabindex", "0");
    mark.setAttribute("role", "button");
    const copies = of.command(mark) ? ["Enter copies the command"] : [];
    mark.setAttribute("aria-label", [...of.lines(mark), ...copies].join(", "));
  };

  // The mark whose middle is nearest to a place of the window, if it is near.
  const nearest = (marks, event) => {
    let found = null, least = 28;
    for (const mark of marks) {
      const box = mark.getBoundingClientRect();
      const far = Math.hypot(box.left + box.width / 2 - event.clientX, box.top + box.height / 2 - event.clientY);
      if (far < least) [found, least] = [mark, far];
    }
    return found;
  };

