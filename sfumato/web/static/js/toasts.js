// What just happened, in a corner and for screen readers. What went wrong, or is waited for, stays until it is dismissed.

const LASTS = 6000;
const MOST = 3; // that are shown at once, beside what went wrong
const region = document.getElementById("toasts");

export function say(text, kind = "info", act = null) {
  if (!region || !text) return null;
  const same = [...region.children].find((one) => one.matches(`.${kind}`) && one.querySelector("p")?.textContent === text);
  if (!act) same?.remove();
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  if (act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.textContent = act.text;
    button.addEventListener("click", () => {
      toast.remove();
      act.run();
    });
    toast.append(button);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button quiet square small";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  close.dataset.dismiss = "";
  toast.append(close);
  region.append(toast);
  for (const old of [...region.querySelectorAll(".toast:not(.fails, .held)")].slice(0, -MOST)) old.remove();
  watch(toast, kind);
  return toast;
}

function watch(toast, kind) {
  if (kind === "fails" || kind === "held") return;
  const lasts = toast.querySelector("button:not([data-dismiss])") ? 3 * LASTS : LASTS; // what can be taken back
  let timer = setTimeout(() => toast.remove(), lasts);
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"])
    toast.addEventListener(name, () => {
      clearTimeout(timer);
      timer = setTimeout(() => toast.remove(), lasts);
    });
}

region?.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
});
for (const toast of region?.children ?? []) watch(toast, toast.classList.contains("fails") ? "fails" : "info");

// What an answer says in words: a problem's detail and hint, or what a page or an action said.
export async function wordsOf(response) {
  const kind = response.headers.get("content-type") ?? "";
  if (!kind.includes("json")) return response.ok ? "" : problemOf(await response.text(), response.status);
  const said = await response.json().catch(() => ({}));
  return [said.say ?? said.detail ?? said.title ?? "", said.hint ?? ""].filter(Boolean).join(" ");
}

// What a page says is wrong, in its own words.
export function problemOf(text, status) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const words = [...page.querySelectorAll(".problem > p, .notice.fails p, .notice.fails strong")].slice(0, 2).map((one) => one.textContent.trim());
  return words.filter(Boolean).join(" ") || `The studio answered ${status}. Try again.`;
}
