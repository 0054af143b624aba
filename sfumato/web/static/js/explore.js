// Narrowing a dataset: a brush over a histogram by pointer or arrow keys, values and chips, without a new page.
import { begin, held } from "./grid.js";
import { partOf, swap } from "./parts.js";
import { say, wordsOf } from "./toasts.js";

const page = document.querySelector("[data-explore]");
const REST = 220;
let turn = 0;
let due = 0;

// Draw what an address says: distributions, chips and pictures; the place in the list of distributions stays.
async function show(address, { push = true } = {}) {
  const mine = ++turn;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (mine !== turn) return;
    if (!response.ok) return say(await wordsOf(response), "fails");
    const text = await response.text();
    if (mine !== turn) return;
    const opened = new Set([...page.querySelectorAll("details[data-facet][open]")].map((one) => one.dataset.facet));
    const shut = new Set([...page.querySelectorAll("details[data-facet]:not([open])")].map((one) => one.dataset.facet));
    const folded = page.querySelector("[data-fold]")?.open;
    const scrolled = document.getElementById("facets").scrollTop;
    const stay = !push && held();
    for (const id of ["facets", "narrowed", "grid"]) {
      const fresh = partOf(text, id);
      if (id === "facets") {
        for (const one of fresh.querySelectorAll("details[data-facet]"))
          one.open = opened.has(one.dataset.facet) || (one.open && !shut.has(one.dataset.facet));
        fresh.querySelector("[data-fold]").open = folded;
      }
      swap(document.getElementById(id), fresh);
    }
    document.getElementById("facets").scrollTop = scrolled;
    const grid = document.getElementById("grid");
    for (const one of document.querySelectorAll("[data-holds-where]")) one.value = grid.dataset.where;
    if (push) history.pushState(null, "", address);
    begin(grid, stay);
    const top = page.getBoundingClientRect().top + scrollY - 72;
    if (scrollY > top && push) scrollTo(0, Math.max(0, top));
  } catch {
    say("The studio did not answer. Try again when it is back.", "fails");
  }
}

function narrowedBy(column, low, high) {
  const asked = new URL(location.href);
  const kept = asked.searchParams.getAll("range").filter((one) => !one.startsWith(`${column}:`));
  asked.searchParams.delete("range");
  asked.searchParams.delete("start");
  for (const one of kept) asked.searchParams.append("range", one);
  if (low || high) asked.searchParams.append("range", `${column}:${low}:${high}`);
  return asked.pathname + asked.search;
}

function ends(facet) {
  const [low, high] = ["low", "high"].map((end) => facet.querySelector(`[data-end="${end}"]`));
  return { low, high, from: Number(low.value), to: Number(high.value), last: Number(low.max) };
}

function number(value, whole) {
  return whole ? String(value) : String(Number(value.toPrecision(6)));
}

// Veil what is outside, say both ends, and ask for what is inside.
function settle(facet, rest = REST) {
  const { low, high, from, to, last } = ends(facet);
  const edges = JSON.parse(facet.dataset.edges);
  const whole = "whole" in facet.dataset;
  const least = number(whole ? Math.ceil(edges[from]) : edges[from], whole);
  const most = number(whole ? Math.floor(edges[to]) : edges[to], whole);
  const veils = Object.fromEntries([...facet.querySelectorAll("[data-veil]")].map((one) => [one.dataset.veil, one]));
  veils.low.setAttribute("width", from);
  veils.high.setAttribute("x", to);
  veils.high.setAttribute("width", last - to);
  facet.querySelector("[data-says]").textContent = `${shown(least)} – ${shown(most)}`;
  low.setAttribute("aria-valuetext", shown(least));
  high.setAttribute("aria-valuetext", shown(most));
  const address = narrowedBy(facet.dataset.brush, from === 0 ? "" : least, to === last ? "" : most);
  clearTimeout(due);
  if (address === location.pathname + location.search) return;
  due = setTimeout(() => show(address), rest);
}

function shown(text) {
  const value = Number(text);
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(3)));
}

function place(facet, event) {
  const bounds = facet.querySelector(".facet-plot").getBoundingClientRect();
  const { last } = ends(facet);
  return Math.max(0, Math.min(last, ((event.clientX - bounds.left) / bounds.width) * last));
}

function brush(event) {
  const facet = event.target.closest(".facet-plot")?.closest("[data-brush]");
  if (!facet || event.button) return;
  event.preventDefault();
  const start = place(facet, event);
  const { low, high, last } = ends(facet);
  const drag = (move) => {
    const now = place(facet, move);
    low.value = Math.min(Math.floor(Math.min(start, now)), last - 1);
    high.value = Math.max(Math.ceil(Math.max(start, now)), Number(low.value) + 1);
    settle(facet, 10_000);
  };
  const stop = (end) => {
    removeEventListener("pointermove", drag);
    removeEventListener("pointerup", stop);
    removeEventListener("pointercancel", stop);
    drag(end);
    settle(facet, 0);
  };
  addEventListener("pointermove", drag);
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);
}

if (page) {
  page.addEventListener("pointerdown", brush);
  page.addEventListener("dblclick", (event) => {
    const facet = event.target.closest(".facet-plot")?.closest("[data-brush]");
    if (!facet) return;
    const { low, high, last } = ends(facet);
    [low.value, high.value] = [0, last];
    settle(facet, 0);
  });
  page.addEventListener("input", (event) => {
    const facet = event.target.closest("[data-end]")?.closest("[data-brush]");
    if (!facet) return;
    const { low, high, from, to } = ends(facet);
    if (event.target === low && from >= to) low.value = to - 1;
    if (event.target === high && to <= from) high.value = from + 1;
    settle(facet);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-narrows]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest("details.menu")?.removeAttribute("open");
    show(link.getAttribute("href"));
  });
  page.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-narrow-form]");
    if (!form) return;
    event.preventDefault();
    const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    show(`${page.dataset.path}${asked.size ? `?${asked}` : ""}`);
  });
  page.addEventListener("change", (event) => {
    if (event.target.id !== "order") return;
    const asked = new URL(location.href);
    asked.searchParams.delete("start");
    if (event.target.value) asked.searchParams.set("order", event.target.value);
    else asked.searchParams.delete("order");
    show(asked.pathname + asked.search);
  });
  addEventListener("popstate", () => show(location.pathname + location.search, { push: false }));
  document.addEventListener("studio:decided", () => show(location.pathname + location.search, { push: false }));
  const fold = page.querySelector("[data-fold]");
  if (fold) fold.open = matchMedia("(min-width: 60.01rem)").matches;
}
