// One picture by keys: arrows go to its neighbours in the list, a, r, 1 to 5 and u press the page's own buttons.
import { write } from "./dialogs.js";
import { on } from "./keys.js";

function follow(id) {
  const link = document.getElementById(id);
  if (!link || document.activeElement?.closest?.("[data-trace], .menu[open], .trace-graph, .table-box")) return false;
  link.click();
}

function press(key) {
  const found = document.querySelector(`#judgement [data-key="${key}"]`);
  if (!found) return false;
  (found.localName === "form" ? found.querySelector("button") : found).click();
}

on("ArrowLeft", () => follow("newer"));
on("ArrowRight", () => follow("older"));
on("c", () => follow("compare"));
on("Escape", () => {
  const back = document.querySelector(".crumb-path li:nth-last-child(2) a");
  if (!back) return false;
  location.assign(back.href);
});
for (const key of ["a", "u", "1", "2", "3", "4", "5"]) on(key, () => press(key));
// Both ask why: what is typed next belongs to the answer already.
for (const key of ["w", "r"]) on(key, () => press(key) === false ? false : write());

// Going on to a neighbour happens at once: its picture is fetched while this one is looked at.
for (const id of ["newer", "older"]) {
  const link = document.getElementById(id);
  const key = link && new URL(link.href).pathname.split("/").pop();
  if (key) new Image().src = `/api/v1/images/${key}/file`;
}

// A small picture is shown in whole pixels, a large one smoothly.
const picture = document.getElementById("picture");
function settle() {
  if (picture.naturalWidth && picture.naturalWidth < 512) picture.classList.add("pixels");
}
if (picture?.complete) settle();
picture?.addEventListener("load", settle);
