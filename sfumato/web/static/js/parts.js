// Drawing a part of a page anew from an address, keeping focus where it was, sliders where they stood and open what was open.

export function swap(old, fresh) {
  const active = document.activeElement;
  const holds = old.contains(active);
  const held = holds && active !== old ? sameIn(old, fresh, active) : null;
  const folds = [...old.querySelectorAll("details")];
  const anew = [...fresh.querySelectorAll("details")];
  if (folds.length === anew.length) folds.forEach((fold, place) => (anew[place].open = fold.open));
  else for (const fold of folds.filter((one) => one.open)) sameIn(old, fresh, fold)?.setAttribute("open", "");
  const sliders = [...old.querySelectorAll("[data-sheets]")].filter((one) => one.value !== one.max);
  old.replaceWith(fresh);
  for (const slider of sliders) {
    const same = fresh.querySelector("[data-sheets]");
    if (!same) continue;
    same.value = slider.value;
    same.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (held) held.focus({ preventScroll: true });
  else if (holds) rest(fresh);
  fresh.dispatchEvent(new CustomEvent("studio:drawn", { bubbles: true }));
}

// The element of the fresh part that stands for one of the old: by its id, its name, or what it says and where it leads.
function sameIn(old, fresh, element) {
  if (element.id) return fresh.querySelector(`#${CSS.escape(element.id)}`);
  if (element.name) return fresh.querySelector(`${element.localName}[name="${CSS.escape(element.name)}"]`);
  const alike = [...old.querySelectorAll(element.localName)].filter((one) => marks(one) === marks(element));
  const anew = [...fresh.querySelectorAll(element.localName)].filter((one) => marks(one) === marks(element));
  return anew[alike.indexOf(element)] ?? null;
}

function marks(element) {
  const says = element.localName === "details" ? element.querySelector("summary")?.textContent : element.textContent;
  return `${element.getAttribute("href")} ${says} ${element.querySelector("[aria-label]")?.getAttribute("aria-label")}`;
}

// What had the focus is gone: its part has it, so that the next key goes on from there and not from the top of the page.
function rest(part) {
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
}

// The element with this id in a text of HTML, or the first one where no id is asked for.
export function partOf(text, id = "") {
  const page = new DOMParser().parseFromString(text, "text/html");
  return id ? page.getElementById(id) : page.body.firstElementChild;
}

export const SOON_AGAIN = 2000; // milliseconds after which a studio that was too busy, or still counts, is asked again

// Ask for a part again; several asks while one is under way become one more, and all of them wait for that.
const asked = new WeakMap();
export function refresh(element) {
  const under = asked.get(element);
  if (under) {
    under.more = true;
    return under.done;
  }
  const way = { more: false };
  asked.set(element, way);
  way.done = draw(element, way).finally(() => asked.delete(element));
  return way.done;
}

async function draw(element, way) {
  try {
    const response = await fetch(element.dataset.part, { headers: { "X-Part": "1" } });
    if (response.status === 503) again(element);
    if (!response.ok || response.redirected) return;
    const fresh = partOf(await response.text(), element.id);
    if (!fresh || !element.isConnected || element.contains(typingIn())) return;
    swap(element, fresh);
    if (way.more) await refresh(fresh);
    else if (response.headers.has("X-Late")) again(fresh);
  } catch {
    // The next event asks again; the stream itself says when the studio is gone.
  }
}

function again(element) {
  setTimeout(() => element.isConnected && refresh(element), SOON_AGAIN);
}

function typingIn() {
  const element = document.activeElement;
  return element?.matches("input:not([data-sheets]), textarea, select") ? element : null;
}
