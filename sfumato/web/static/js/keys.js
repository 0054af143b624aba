// Keys that work on every page: / searches, ? shows the keys, g and a letter goes to a desk.
import { open, openMenu } from "./dialogs.js";

const OFF = "sfumato-keys-off";
const WAIT = 1200;
const own = new Map();
let going = 0;

// Bind a key of this page; the function gets the event and may answer false when it has nothing to do.
export function on(key, run) {
  own.set(key, [...(own.get(key) ?? []), run]);
}

export function typing(target) {
  return Boolean(target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));
}

function enabled() {
  return localStorage.getItem(OFF) === null;
}

on("/", () => open("search"));
on("?", () => open("keys"));
on("g", () => {
  going = Date.now();
});

function goes(key) {
  const link = Date.now() - going < WAIT ? document.querySelector(`.rail [data-go="${CSS.escape(key)}"]`) : null;
  going = 0;
  if (link) location.assign(link.href);
  return Boolean(link);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key.length === 1 && (!enabled() || openMenu())) return;
  if (going && event.key !== "g" && goes(event.key)) return event.preventDefault();
  const act = event.key.length === 1 ? document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`) : null;
  if (act) return act.click();
  for (const run of own.get(event.key) ?? [])
    if (run(event) !== false) {
      event.preventDefault();
      return;
    }
});

const choice = document.getElementById("keys-on");
if (choice) {
  choice.checked = enabled();
  choice.addEventListener("change", () => {
    if (choice.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
}
