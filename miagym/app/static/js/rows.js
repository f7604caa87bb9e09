() => {
  // Sorts the rows of a table by a column, within their groups, and hides those that do not hold
  // what is searched for. One listener for all: tables come and go.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    return value === undefined ? cell.textContent.trim() : Number(value);
  };
  const isNumber = (value) => typeof value === "number";
  const compared = (a, b) => {
    if (isNumber(a) && isNumber(b)) return a - b;
    if (isNumber(a) !== isNumber(b)) return isNumber(a) ? 1 : -1;
    return a.localeCompare(b);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-sorts]");
    if (!button) return;
    const heading = button.closest("th"), table = button.closest("table");
    const falls = heading.getAttribute("aria-sort") !== "descending";
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
    const column = Number(button.dataset.sorts), sign = falls ? -1 : 1;
    for (const body of table.tBodies) {
      const rows = [...body.querySelectorAll("tr.row")];
      rows.sort((a, b) => sign * compared(valueOf(a, column), valueOf(b, column)));
      body.append(...rows);
    }
  });

  document.addEventListener("input", (event) => {
    const id = event.target.dataset && event.target.dataset.filters;
    if (!id) return;
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    document.querySelectorAll(`#${id} tr.row`).forEach((row) => {
      const text = `${row.textContent} ${row.parentElement.textContent.slice(0, 80)}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
  });
}
