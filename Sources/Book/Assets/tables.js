// Tables of four rows and more are sorted by a click on a column's head: numbers by their values,
// words by their letters, and by a third click as they were.
"use strict";
(() => {
  // Seconds and minutes may stand in one column.
  const seconds = { ms: 0.001, s: 1, min: 60, h: 3600 };

  // The first number of a cell; what stands in brackets behind it is its spread.
  function value(cell) {
    const text = (cell?.textContent ?? "").trim();
    const unit = seconds[text.match(/\s(ms|s|min|h)$/)?.[1]] ?? 1;
    const data = cell?.querySelector("data");
    if (data) return Number(data.value) * unit;
    const found = text.replaceAll("−", "-").replaceAll(",", "")
      .match(/^[^\d+-]{0,2}([+-]?\d*\.?\d+(e[+-]?\d+)?)/i);
    return found ? Number(found[1]) * unit : NaN;
  }

  for (const table of document.querySelectorAll("article table")) {
    const body = table.tBodies[0];
    const head = table.tHead?.rows[0];
    if (!body || !head || body.rows.length < 4) continue;
    const original = [...body.rows];
    if (original.some((row) => row.cells.length !== head.cells.length)) continue;
    [...head.cells].forEach((cell, column) => {
      if (!cell.textContent.trim() || cell.querySelector(".unseen")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", "Sort by " + cell.textContent.trim());
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => sort(cell, column));
    });

    function sort(cell, column) {
      const before = cell.getAttribute("aria-sort");
      const order = before === "descending" ? null : before ? "descending" : "ascending";
      for (const other of head.cells) other.removeAttribute("aria-sort");
      let rows = [...original];
      if (order) {
        cell.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const keyed = rows.map((row) => ({
          row, number: value(row.cells[column]), words: row.cells[column].textContent.trim(),
        }));
        const isNumeric = keyed.filter((key) => !Number.isNaN(key.number)).length * 2 > keyed.length;
        keyed.sort((a, b) => {
          if (!isNumeric) return sign * a.words.localeCompare(b.words, "en", { numeric: true });
          // What has no number stands last, whichever way.
          if (Number.isNaN(a.number) || Number.isNaN(b.number)) {
            return Number.isNaN(a.number) - Number.isNaN(b.number);
          }
          return sign * (a.number - b.number);
        });
        rows = keyed.map((key) => key.row);
      }
      body.append(...rows);
    }
  }
})();
