// What every page needs; each module looks for its own marks in the page and does nothing where there are none.
import "./toasts.js";
import "./dialogs.js";
import "./keys.js";
import "./theme.js";
import "./copy.js";
import "./forms.js";
import "./gallery.js";
import "./trace.js";
import "./sheets.js";
import "./inspector.js";
import "./take.js";
import "./live.js";

// This event comes after all modules of the page have run: from here on it answers to keys, clicks and choices.
document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.dataset.ready = "";
});
