// The desk of creating: what the model knows while one types, keys, copying a picture, dragging one out as a file.
import { on } from "./keys.js";
import { partOf } from "./parts.js";

const form = document.getElementById("create");
const box = document.getElementById("prompt");
const WAIT = 220;
let timer = 0;
let asked = null;

async function look() {
  asked?.abort();
  asked = new AbortController();
  const values = new FormData(form);
  const query = new URLSearchParams();
  for (const name of ["prompt", "style", "model"]) query.set(name, values.get(name) ?? "");
  try {
    const response = await fetch(`/create/knows?${query}`, { headers: { "X-Part": "1" }, signal: asked.signal });
    const fresh = response.ok && partOf(await response.text(), "knows");
    if (fresh) document.getElementById("knows").replaceChildren(...fresh.childNodes);
  } catch {
    // A newer look has taken its place, or the studio is gone, which the stream of events tells.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, WAIT);
}

form?.addEventListener("input", (event) => {
  if (["prompt", "style", "model"].includes(event.target.name)) soon();
});

// Settings are taken from the history only over what was not typed, or when one says so.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-reuse]");
  if (!link || !form || event.ctrlKey || event.metaKey) return;
  if (box.value.trim() === "" || box.value === form.dataset.typed) return;
  event.preventDefault();
  const dialog = document.getElementById("replace");
  dialog.returnValue = "keep";
  dialog.addEventListener("close", () => (dialog.returnValue === "replace" ? location.assign(link.href) : box.focus()), {
    once: true,
  });
  dialog.showModal();
});

on("n", () => {
  if (!box || box.disabled) return false;
  box.focus();
  box.select();
});
on("o", () => {
  const options = document.querySelector("#options details");
  if (!options) return false;
  options.open = !options.open;
  options.querySelector("summary").focus();
});
on("s", () => {
  const stop = document.getElementById("stop");
  if (!stop) return false;
  stop.click();
});
