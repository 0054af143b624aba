// The record of the selected thing beside the page: [data-inspect] is an address that draws it, i opens and closes.
import { on } from "./keys.js";
import { say, wordsOf } from "./toasts.js";

const aside = document.getElementById("inspector");
const body = document.getElementById("inspector-body");
let back = null;

async function show(address, from) {
  try {
    const response = await fetch(address, { headers: { "X-Part": "1" } });
    if (!response.ok) return say(await wordsOf(response), "fails");
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    body.replaceChildren(...page.body.childNodes);
    aside.hidden = false;
    back = from;
  } catch {
    say("The studio did not answer. Try again when it is back.", "fails");
  }
}

function close() {
  aside.hidden = true;
  back?.focus();
}

on("i", () => {
  if (!aside) return false;
  const wanted = document.activeElement?.closest?.("[data-inspect]");
  if (wanted) return void show(wanted.dataset.inspect, wanted);
  if (!aside.hidden) return close();
  if (!body.textContent.trim()) return false;
  aside.hidden = false;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-closes-inspector]")) return close();
  const wanted = event.target.closest("button[data-inspect]");
  if (wanted) return show(wanted.dataset.inspect, wanted);
  const link = event.target.closest("a[data-inspects]"); // a link that goes there without script
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !aside) return;
  event.preventDefault();
  show(link.dataset.inspects, link);
});
