// Buttons that copy what they carry, and say so.
import { say } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say("Copied.", "holds");
  } catch {
    say("The browser did not allow copying. Select the text and copy it by hand.", "fails");
  }
});
