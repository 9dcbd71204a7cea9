  const rows = {};
  for (const row of all("tbody tr")) rows[row.id.slice(1)] = row;

  const commandOf = (row) => {
    const button = row.querySelector("button");
    return `${document.body.dataset.replay} --point ${button.dataset.w || button.textContent} --replication 0`;
  };

  // What is drawn beside the pointer, and read to those who listen: cells of the table.
  const cellsOf = (row, columns) => {
    const names = all("thead tr:last-child th", row.closest("table"));
    const cells = [...row.children];
    const lines = [];
    for (let at = columns[0]; at < columns[1]; at++) {
      if (cells[at].textContent) lines.push(`${names[at].textContent}: ${cells[at].textContent}`);
    }
    return lines;
  };

  const marksOf = (svg) => all("use[data-r]", svg).filter((mark) => !mark.closest("[hidden]"));
  const rowOf = (mark) => rows[mark.dataset.r];
  const marks = {
    lines: (mark) => {
      const columns = mark.closest("figure").dataset.m.split(" ").map(Number);
      return [rowOf(mark).querySelector("button").textContent, ...cellsOf(rowOf(mark), columns)];
    },
    command: (mark) => commandOf(rowOf(mark)),
    at: (event) => nearest(marksOf(event.currentTarget), event),
    // Left and right along a line, up and down among those of the same value.
    next: (mark, key) => {
      const all = marksOf(mark.ownerSVGElement);
      const at = all.indexOf(mark);
      if (key === "ArrowRight" || key === "ArrowLeft") return all[at + (key === "ArrowRight" ? 1 : -1)];
      const column = all.filter((other) => other.getAttribute("x") === mark.getAttribute("x"));
      column.sort((one, other) => one.getAttribute("y") - other.getAttribute("y"));
      return column[column.indexOf(mark) + (key === "ArrowDown" ? 1 : -1)];
    },
  };
  for (const svg of all("figure > svg")) attach(svg, marks);

  for (const button of all("tbody button")) {
    button.title = "copy the command that shows a run of this point";
    button.addEventListener("click", async () => {
      const said = await copy(commandOf(button.closest("tr")));
      put(button.getBoundingClientRect(), [piece("code", said)]);
    });
    button.addEventListener("blur", hide);
  }

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
      const first = marksOf(svg)[0];
      if (first) reach(svg, first, marks);
    }
    hide();
  };
  for (const select of selects) select.addEventListener("change", apply);
  apply();
