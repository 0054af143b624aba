// A grid of any length: only what is in view is in the page, and parts around it are fetched ahead.
// Arrows move, Space selects, Shift selects a row of them, a all, x leaves out, k keeps, u takes the last decision back.
import { on } from "./keys.js";
import { say, wordsOf } from "./toasts.js";

const PART = 120;
const HELD = 200; // parts
const GAP = 8;
const LEAST = 88; // pixels of a tile
const box = document.querySelector("[data-grid]");
const chosen = new Set();
let all = false;
let grid = null;
let focus = 0;
let anchor = 0;
const undoes = []; // addresses that take decisions back, the last one last
const offers = new Map(); // the toasts that offer them
let spread = []; // what Shift selected since it was held

class Grid {
  constructor(element) {
    this.element = element;
    this.list = element.querySelector("ul.gallery");
    this.n = Number(element.dataset.n);
    this.parts = new Map();
    this.asked = new Map();
    this.shown = new Map();
    if (!this.list) return;
    element.classList.add("virtual");
    const first = [...this.list.children].map((item) => read(item));
    this.list.replaceChildren();
    if (Number(element.dataset.start) === 0) this.first = first;
    this.measure();
  }

  measure() {
    if (!this.list) return;
    const width = this.list.clientWidth;
    this.across = Math.max(3, Math.floor((width + GAP) / (LEAST + GAP)));
    this.side = (width - GAP * (this.across - 1)) / this.across;
    this.step = this.side + GAP;
    this.list.style.height = `${Math.ceil(this.n / this.across) * this.step}px`;
    for (const item of this.shown.values()) item.remove();
    this.shown.clear();
    this.draw();
  }

  draw() {
    if (!this.list) return;
    const top = -this.list.getBoundingClientRect().top;
    const high = innerHeight;
    const from = Math.max(0, Math.floor((top - high) / this.step) * this.across);
    const to = Math.min(this.n, Math.ceil((top + 2 * high) / this.step) * this.across);
    for (const [place, item] of this.shown)
      if ((place < from || place >= to) && !item.contains(document.activeElement)) {
        item.remove();
        this.shown.delete(place);
      }
    const fresh = [];
    for (let place = from; place < to; place++) if (!this.shown.has(place)) fresh.push(this.make(place));
    this.list.append(...fresh);
    for (let part = Math.floor(from / PART); part * PART < to; part++) this.fetch(part);
  }

  tile(place) {
    if (this.first && place < this.first.length) return this.first[place];
    return this.parts.get(Math.floor(place / PART))?.[place % PART];
  }

  make(place) {
    const item = document.createElement("li");
    item.dataset.place = place;
    item.style.width = item.style.height = `${this.side}px`;
    item.style.transform = `translate(${(place % this.across) * this.step}px, ${Math.floor(place / this.across) * this.step}px)`;
    this.fill(item, this.tile(place), place);
    this.shown.set(place, item);
    return item;
  }

  fill(item, one, place) {
    item.className = one ? "" : "waits";
    if (!one) return;
    const link = document.createElement("a");
    link.className = "tile";
    link.href = this.element.dataset.item + one.id;
    link.dataset.id = one.id;
    link.tabIndex = place === focus ? 0 : -1;
    if (one.state !== "kept") link.dataset.state = "rejected";
    const image = document.createElement("img");
    image.alt = one.name || "no caption";
    image.decoding = "async";
    image.src = `/api/v1/items/${one.id}/thumb`;
    link.append(image);
    const sign = one.state !== "kept" ? ["fails", "×", "left out"] : one.found ? ["held", "!", "has a finding"] : null;
    if (sign) {
      const mark = document.createElement("span");
      mark.className = `tile-mark ${sign[0]}`;
      const seen = Object.assign(document.createElement("span"), { textContent: sign[1], ariaHidden: "true" });
      const heard = Object.assign(document.createElement("span"), { textContent: sign[2], className: "only-heard" });
      mark.append(seen, heard);
      link.append(mark);
    }
    const pick = document.createElement("label");
    pick.className = "tile-pick";
    const choice = document.createElement("input");
    choice.type = "checkbox";
    choice.tabIndex = -1;
    choice.checked = all || chosen.has(one.id);
    choice.setAttribute("aria-label", `Select ${image.alt}`);
    pick.append(choice);
    item.replaceChildren(link, pick);
  }

  async fetch(part) {
    if (part < 0 || this.parts.has(part) || this.asked.has(part)) return this.asked.get(part);
    if (this.first && (part + 1) * PART <= this.first.length) return;
    const { window: address, where, order } = this.element.dataset;
    const asked = new URL(address, location.href);
    for (const [name, value] of Object.entries({ where, order, start: part * PART, count: PART }))
      asked.searchParams.set(name, value);
    const load = this.load(part, asked);
    this.asked.set(part, load);
    await load;
    this.asked.delete(part);
  }

  async load(part, asked) {
    try {
      const response = await fetch(asked);
      if (!response.ok) return say(await wordsOf(response), "fails");
      const found = await response.json();
      this.parts.set(part, found.items);
      if (this.parts.size > HELD) this.parts.delete(this.parts.keys().next().value);
      for (const [place, item] of this.shown)
        if (Math.floor(place / PART) === part && item.className === "waits") this.fill(item, this.tile(place), place);
    } catch {
      say("The studio did not answer. Scroll again when it is back.", "fails");
    }
  }

  async go(place) {
    focus = Math.max(0, Math.min(this.n - 1, place));
    const bounds = this.list.getBoundingClientRect();
    const top = bounds.top + Math.floor(focus / this.across) * this.step;
    const head = 110;
    if (top < head) scrollBy(0, top - head);
    else if (top + this.side > innerHeight - 80) scrollBy(0, top + this.side - innerHeight + 80);
    this.draw();
    if (!this.tile(focus)) await this.fetch(Math.floor(focus / PART));
    for (const [at, item] of this.shown) {
      const link = item.querySelector(".tile");
      if (link) link.tabIndex = at === focus ? 0 : -1;
      if (at === focus) link?.focus({ preventScroll: true });
    }
    this.draw(); // what held the focus before may go
  }
}

function read(item) {
  const link = item.querySelector(".tile");
  return {
    id: link.dataset.id,
    name: link.querySelector("img").alt,
    state: link.dataset.state ? "left out" : "kept",
    found: Boolean(link.querySelector(".tile-mark.held")),
  };
}

function placeOf(target) {
  const item = target.closest?.(".virtual li[data-place]");
  return item ? Number(item.dataset.place) : -1;
}

function current() {
  return grid?.list ? placeOf(document.activeElement) : -1;
}

function mark() {
  for (const item of grid.shown.values()) {
    const choice = item.querySelector(".tile-pick input");
    if (choice) choice.checked = all || chosen.has(item.querySelector(".tile").dataset.id);
  }
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  const n = all ? grid.n : chosen.size;
  bar.hidden = n === 0;
  bar.querySelector("[data-chosen-count]").textContent = `${n.toLocaleString("en")} selected`;
}

function toggle(place) {
  const one = grid.tile(place);
  if (!one) return;
  if (all) none();
  else if (chosen.has(one.id)) chosen.delete(one.id);
  else chosen.add(one.id);
  anchor = place;
  spread = [];
  mark();
}

// From where Shift was first held to here; what went farther before is let go again.
async function stretch(place) {
  const [from, to] = [Math.min(anchor, place), Math.max(anchor, place)];
  for (let part = Math.floor(from / PART); part * PART <= to; part++) await grid.fetch(part);
  for (const id of spread) chosen.delete(id);
  spread = [];
  for (let at = from; at <= to; at++) {
    const id = grid.tile(at)?.id;
    if (!id || chosen.has(id)) continue;
    chosen.add(id);
    spread.push(id);
  }
  mark();
}

function none() {
  all = false;
  chosen.clear();
  spread = [];
  mark();
}

// What a bulk form is about: the pictures that are selected, or all that the page is narrowed to.
export function fill(body) {
  const ids = all ? [] : chosen.size ? [...chosen] : [grid.tile(current())?.id].filter(Boolean);
  body.set("ids", ids.join(","));
  body.set("where", all ? grid.element.dataset.where : "");
  return all || ids.length > 0;
}

async function decide(form, submitter) {
  const body = new FormData(form, submitter);
  if (!fill(body)) return say("Select pictures with Space first, or all of them with a.");
  await send(form.action, body);
}

async function send(address, body, back = false) {
  try {
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!response.ok) return say(await wordsOf(response), "fails");
    const done = await response.json();
    const token = body.get("csrf");
    offers.get(address)?.remove();
    if (back && undoes.includes(address)) undoes.splice(undoes.indexOf(address), 1);
    if (!back) undoes.push(done.undo);
    const toast = say(done.say, "holds", back ? null : { text: "Undo", run: () => takeBack(done.undo, token) });
    if (!back) offers.set(done.undo, toast);
    none();
    document.dispatchEvent(new CustomEvent("studio:decided"));
  } catch {
    say("The studio did not answer. Nothing was changed. Try again when it is back.", "fails");
  }
}

function takeBack(address, token) {
  const body = new FormData();
  body.set("csrf", token);
  return send(address, body, true);
}

function press(verb) {
  const form = document.querySelector("[data-bulk]");
  const button = form?.querySelector(`button[value="${verb}"]`);
  if (!button || (!all && !chosen.size && current() < 0)) return false;
  decide(form, button);
}

const STEPS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -grid.across, ArrowDown: () => grid.across };
for (const [key, step] of Object.entries(STEPS))
  on(key, (event) => {
    const place = current();
    if (place < 0) return false;
    if (event.shiftKey && !chosen.size) anchor = place;
    grid.go(place + step());
    if (event.shiftKey) stretch(focus);
  });
on("Home", () => (current() < 0 ? false : void grid.go(0)));
on("End", () => (current() < 0 ? false : void grid.go(grid.n - 1)));
on(" ", () => (current() < 0 ? false : toggle(current())));
on("a", () => (grid?.list ? everything() : false));
on("Escape", () => (grid?.list && (all || chosen.size) ? none() : false));
on("x", () => press("leave_out"));
on("k", () => press("keep"));
on("u", () => {
  const token = document.querySelector("[data-bulk] [name=csrf]")?.value;
  if (!undoes.length || !token) return false;
  takeBack(undoes.at(-1), token);
});

function everything() {
  all = true;
  mark();
}

document.addEventListener("click", (event) => {
  if (!grid) return;
  const place = placeOf(event.target);
  const link = event.target.closest(".tile");
  if (place >= 0 && link && (event.shiftKey || event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    focus = place;
    if (event.shiftKey) stretch(place);
    else toggle(place);
  }
  if (event.target.closest("[data-grid-all]")) everything();
  if (event.target.closest("[data-grid-none]")) none();
});
document.addEventListener("change", (event) => {
  const place = event.target.closest(".virtual .tile-pick") ? placeOf(event.target) : -1;
  if (place >= 0) toggle(place);
});
document.addEventListener("focusin", (event) => {
  const place = grid ? placeOf(event.target) : -1;
  if (place >= 0) focus = place;
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-bulk], [data-bulk-dialog]");
  if (!form || !grid) return;
  event.preventDefault();
  form.closest("dialog")?.close();
  decide(form, event.submitter);
});

// Take over a grid that was drawn anew; `stay` keeps the keys where they were.
export function begin(element, stay = false) {
  all = false;
  chosen.clear();
  if (!stay) focus = anchor = 0;
  grid = new Grid(element);
  mark();
  if (stay && grid.list && grid.n) grid.go(focus);
}

export function held() {
  return current() >= 0;
}

let due = 0;
function soon() {
  cancelAnimationFrame(due);
  due = requestAnimationFrame(() => grid?.draw());
}
addEventListener("scroll", soon, { passive: true });
addEventListener("resize", () => grid?.measure());
new ResizeObserver(soon).observe(document.body); // what lies above may fold
if (box) begin(box);
