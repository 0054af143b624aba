// A gallery by keys: arrows move, Enter opens (it is a link), Space selects, 1 to 5 rate, a and r judge, c compares.
import { on } from "./keys.js";
import { say, wordsOf } from "./toasts.js";

const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last" };

function tiles(grid) {
  return [...grid.querySelectorAll(".tile")];
}

function across(all) {
  const top = all[0].offsetTop + all[0].offsetParent.offsetTop;
  const next = all.findIndex((one) => one.offsetTop + one.offsetParent.offsetTop !== top);
  return next < 1 ? all.length : next;
}

export function move(grid, from, key) {
  const all = tiles(grid);
  const step = ARROWS[key];
  const place = all.indexOf(from);
  const jump = { up: -across(all), down: across(all), first: -place, last: all.length - 1 - place }[step] ?? step;
  const to = all[place + jump];
  if (to) take(grid, to);
}

function take(grid, tile) {
  for (const one of tiles(grid)) one.tabIndex = one === tile ? 0 : -1;
  tile.focus();
  tile.scrollIntoView({ block: "nearest" });
}

function current() {
  const tile = document.activeElement?.closest?.(".tile");
  return tile?.closest("[data-gallery]") ? tile : null;
}

function box(tile) {
  return tile.closest(".gallery-box");
}

function pick(tile) {
  const mark = tile.closest("li").querySelector(".tile-pick input");
  if (!mark) return false;
  mark.checked = !mark.checked;
  mark.dispatchEvent(new Event("change", { bubbles: true }));
}

async function send(tile, form, values) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries({ picture: tile.dataset.id, ...values })) body.set(name, value);
  const headers = { Accept: "application/json" };
  try {
    const response = await fetch(form.action, { method: "POST", body, headers });
    const words = await wordsOf(response);
    say(words, response.ok ? "holds" : "fails");
    return response.ok;
  } catch {
    say("The studio did not answer. Nothing was changed. Try again when it is back.", "fails");
    return false;
  }
}

async function rate(tile, rating) {
  const form = box(tile)?.querySelector("[data-rate]");
  if (!form) return false;
  if (await send(tile, form, { rating })) mark(tile, ".tile-rating", `★ ${rating}`, `rated ${rating} of 5`);
}

async function judge(tile, verdict, reason = "") {
  const form = box(tile)?.querySelector("[data-judge-form]");
  if (!form) return false;
  const done = verdict === "approve" ? "approved" : "rejected";
  if (!(await send(tile, form, { verdict: done, reason }))) return;
  tile.dataset.state = done;
  mark(tile, ".tile-mark", done === "approved" ? "✓" : "×", done);
}

function mark(tile, kind, sign, words) {
  const name = kind.slice(1);
  const shown = tile.querySelector(kind) ?? tile.appendChild(document.createElement("span"));
  shown.className = `${name} ${{ approved: "holds", rejected: "fails" }[words] ?? "figures"}`;
  const seen = Object.assign(document.createElement("span"), { textContent: sign, ariaHidden: "true" });
  const heard = Object.assign(document.createElement("span"), { textContent: words, className: "only-heard" });
  shown.replaceChildren(seen, heard);
}

// A rejection says why: the page's own dialog asks, where it has one.
function reject(tile) {
  const dialog = document.getElementById("reject");
  if (!dialog) return judge(tile, "reject");
  dialog.showModal();
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    judge(tile, "reject", new FormData(event.target).get("reason") ?? "");
    dialog.close();
    tile.focus();
  };
}

function chosen(within) {
  return [...within.querySelectorAll(".tile-pick input:checked")].map((one) => one.value);
}

function compare(within) {
  const ids = chosen(within);
  if (!within.dataset.compare) return false;
  if (ids.length < 2) return say("Select two or more pictures with Space, then compare them.");
  const address = new URL(within.dataset.compare, location.href);
  for (const id of ids) address.searchParams.append("picture", id);
  location.assign(address);
}

function count(within) {
  const bar = within.querySelector(".chosen");
  if (!bar) return;
  const n = chosen(within).length;
  bar.hidden = n === 0;
  bar.querySelector("[data-chosen-count]").textContent = `${n} selected`;
}

function prepare(root) {
  for (const grid of root.querySelectorAll("[data-gallery]"))
    tiles(grid).forEach((tile, place) => {
      tile.tabIndex = place === 0 ? 0 : -1;
      furnish(tile);
    });
}

// What is the same on every tile is in the page once.
function furnish(tile) {
  const item = tile.closest("li");
  for (const kind of ["pick", "acts"]) {
    const pattern = box(tile)?.querySelector(`template[data-tile-${kind}]`);
    if (pattern && !item.querySelector(`.tile-${kind}`)) item.append(pattern.content.cloneNode(true));
  }
  const choice = item.querySelector(".tile-pick input");
  if (choice) {
    choice.value = tile.dataset.id;
    choice.setAttribute("aria-label", `Select ${tile.querySelector("img")?.alt ?? "this picture"}`);
  }
  const link = item.querySelector(".tile-acts a");
  if (link) link.href = `${tile.href}#trace`;
}

for (const key of Object.keys(ARROWS))
  on(key, () => {
    const tile = current();
    return tile ? move(tile.closest("[data-gallery]"), tile, key) : false;
  });
on(" ", () => (current() ? pick(current()) : false));
for (const rating of [1, 2, 3, 4, 5]) on(String(rating), () => (current() ? void rate(current(), rating) : false));
on("a", () => (current() ? void judge(current(), "approve") : false));
on("r", () => (current() ? void reject(current()) : false));
on("c", () => {
  const within = current() ? box(current()) : document.querySelector(".gallery-box[data-compare]");
  return within ? compare(within) : false;
});

document.addEventListener("change", (event) => {
  const within = event.target.closest(".tile-pick") && event.target.closest(".gallery-box");
  if (within) count(within);
});
document.addEventListener("focusin", (event) => {
  const grid = event.target.closest(".tile")?.closest("[data-gallery]");
  if (grid) for (const one of tiles(grid)) one.tabIndex = one === event.target ? 0 : -1;
});
document.addEventListener("click", (event) => {
  const within = event.target.closest(".gallery-box");
  const tile = event.target.closest("li")?.querySelector(".tile");
  const act = event.target.closest("[data-judge]")?.dataset.judge;
  if (act && tile) act === "approve" ? judge(tile, act) : reject(tile);
  if (event.target.closest("[data-chosen-compare]")) compare(within);
  if (event.target.closest("[data-chosen-none]")) {
    for (const one of within.querySelectorAll(".tile-pick input:checked")) one.checked = false;
    count(within);
  }
});
document.addEventListener("studio:drawn", (event) => prepare(event.target.parentElement ?? document));
prepare(document);
for (const within of document.querySelectorAll(".gallery-box[data-choose]")) count(within);
