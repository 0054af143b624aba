// Labelling by keys: each choice has one; the answer draws the next picture without a new page.
import { on } from "./keys.js";

for (const key of "123456789abcdefghijklmnopqrstuvwxyz")
  on(key, () => {
    const button = document.querySelector(`[data-label] [data-label-key="${key}"]`);
    if (!button) return false;
    button.click();
  });
