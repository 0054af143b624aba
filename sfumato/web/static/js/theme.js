// Light, dark or as the system has it, and the width of the rail: shown at once, and kept by the server in a cookie,
// so that the next page is drawn so from its first moment.
import { say } from "./toasts.js";

const root = document.documentElement;
const SHOW = {
  theme(value, button) {
    if (value === "system") delete root.dataset.theme;
    else root.dataset.theme = value;
    for (const one of button.parentElement.children) one.setAttribute("aria-pressed", String(one === button));
  },
  rail(value, button) {
    if (value === "narrow") root.dataset.rail = value;
    else delete root.dataset.rail;
    button.value = value === "narrow" ? "wide" : "narrow";
    button.querySelector(".word").textContent = value === "narrow" ? "Widen" : "Narrow";
  },
};

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!event.target.matches("[data-look]") || !button || !(button.name in SHOW)) return;
  event.preventDefault();
  const body = new FormData(event.target, button);
  SHOW[button.name](button.value, button);
  try {
    const response = await fetch(event.target.action, { method: "POST", body, redirect: "manual" });
    if (response.status >= 400) throw new Error(String(response.status));
  } catch {
    say("The studio did not answer, so this choice lasts only until the next page.", "fails");
  }
});
