// Results of a search, walked by arrow keys from the field on.
const hits = [...document.querySelectorAll("[data-found] [data-hit]")];
const field = document.getElementById("q");

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const here = hits.indexOf(document.activeElement);
  if (here < 0 && document.activeElement !== field && document.activeElement !== document.body) return;
  const next = here + step;
  if (next < 0) field?.focus();
  else hits[Math.min(next, hits.length - 1)]?.focus();
  if (hits.length) event.preventDefault();
});
if (field && !hits.length) field.focus();
