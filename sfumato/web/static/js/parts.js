// Drawing a part of a page anew from an address, keeping focus where it was and open what was open.

export function swap(old, fresh) {
  const held = old.contains(document.activeElement) ? keyOf(document.activeElement) : "";
  const folds = [...old.querySelectorAll("details")];
  const anew = [...fresh.querySelectorAll("details")];
  if (folds.length === anew.length) folds.forEach((fold, place) => (anew[place].open = fold.open));
  old.replaceWith(fresh);
  if (held) fresh.querySelector(held)?.focus({ preventScroll: true });
  fresh.dispatchEvent(new CustomEvent("studio:drawn", { bubbles: true }));
}

function keyOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.name) return `${element.localName}[name="${CSS.escape(element.name)}"]`;
  return "";
}

// The element with this id in a text of HTML, or the first one where no id is asked for.
export function partOf(text, id = "") {
  const page = new DOMParser().parseFromString(text, "text/html");
  return id ? page.getElementById(id) : page.body.firstElementChild;
}

// Ask for a part again; several asks while one is under way become one more.
const asked = new WeakMap();
export async function refresh(element) {
  if (asked.has(element)) {
    asked.set(element, true);
    return;
  }
  asked.set(element, false);
  try {
    const response = await fetch(element.dataset.part, { headers: { "X-Part": "1" } });
    if (!response.ok || response.redirected) return;
    const fresh = partOf(await response.text(), element.id);
    if (fresh && element.isConnected && !element.contains(typingIn())) {
      const again = asked.get(element);
      swap(element, fresh);
      if (again) refresh(fresh);
    }
  } catch {
    // The next event asks again; the stream itself says when the studio is gone.
  } finally {
    asked.delete(element);
  }
}

function typingIn() {
  const element = document.activeElement;
  return element?.matches("input, textarea, select") ? element : null;
}
