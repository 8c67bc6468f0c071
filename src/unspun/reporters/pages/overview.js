"use strict";
// The table is whole without this script; it sorts and filters what is there.
(() => {
  const $ = (id) => document.getElementById(id);
  const body = $("rows"), heads = [...document.querySelectorAll("th[data-sort]")];
  const rows = [...body.rows].map((row) => ({ row, cells: [...row.cells].map((cell) => cell.textContent) }));
  for (const item of rows) item.all = item.cells.join(" ").toLowerCase();
  const labels = [...document.querySelectorAll("button.label")];
  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
  const bar = document.querySelector(".bar");
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", bar.offsetHeight + "px")).observe(bar);

  function sort(head, column) {
    const up = head.getAttribute("aria-sort") === "descending" || (head.dataset.sort === "text" && !head.hasAttribute("aria-sort"));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const sign = up ? 1 : -1, number = head.dataset.sort === "number";
    const collator = new Intl.Collator("en", { numeric: true });
    const key = (item) => number ? Number.parseFloat(item.cells[column].replace("–", "")) : item.cells[column];
    const keyed = rows.map((item) => [key(item), item]);
    // What has no number, or no text, comes last either way.
    const empty = (value) => number ? Number.isNaN(value) : value === "";
    keyed.sort(([a], [b]) => empty(a) - empty(b) || (empty(a) ? 0 : sign * (number ? a - b : collator.compare(a, b))));
    body.replaceChildren(...keyed.map(([, item]) => item.row));
  }

  function filter() {
    const on = new Set(labels.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.label));
    const reason = $("reason")?.value ?? "", words = $("find").value.toLowerCase();
    let count = 0;
    for (const { row, cells, all } of rows) {
      const shown = on.has(cells[1]) && (!reason || cells[3] === reason) && all.includes(words);
      row.hidden = !shown;
      count += shown;
    }
    $("shown").textContent = count === rows.length ? `${count.toLocaleString("en")} shown` : `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head, column));
  });
  for (const button of labels) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  $("reason")?.addEventListener("change", filter);
  $("find").addEventListener("input", filter);
  filter();
})();
