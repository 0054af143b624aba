// Deciding on findings without a new page: what was decided stays in its place and says so, and the keys go on.
// Arrows move, x leaves out, k keeps, u takes the last decision back.
import { on } from "./keys.js";
import { refresh } from "./parts.js";
import { say, wordsOf } from "./toasts.js";

const list = document.querySelector("[data-findings]");
const undone = [];
const receipt = document.querySelector("[data-receipt]");
const KEPT = "sfumato-receipt";

function cards() {
  return [...(list?.querySelectorAll("[data-finding], [data-group]") ?? [])];
}

function here() {
  return document.activeElement?.closest?.("[data-finding], [data-group]") ?? null;
}

function go(step) {
  const all = cards();
  const from = all.indexOf(here());
  const to = all[from < 0 ? 0 : from + step];
  if (!to) return false;
  const link = to.querySelector(".tile");
  link.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!response.ok) return void say(await wordsOf(response), "fails");
    return await response.json();
  } catch {
    say("The studio did not answer. Nothing was changed. Try again when it is back.", "fails");
  }
}

async function decide(form, submitter) {
  const card = form.closest("[data-finding], [data-group]");
  const one = form.closest("td"); // of a group, which is drawn anew with what is left of it
  const body = new FormData(form, submitter);
  const done = await post(form.action, body);
  if (!done) {
    if (card?.dataset.part) refresh(card); // it may have been decided elsewhere
    return recount();
  }
  if (!card) return anew({ say: done.say, undo: done.undo });
  const act = { address: done.undo, token: body.get("csrf"), card };
  undone.push(act);
  say(done.say, "holds", { text: "Undo", run: () => takeBack(act) });
  recount();
  if (!one) return settle(card, done.say);
  await refresh(card);
  if (!card.isConnected) return;
  if (submitter?.value === "leave_out") {
    submitter.textContent = "Left out";
    card.querySelector(`.tile[data-id="${CSS.escape(body.get("ids"))}"]`)?.closest("td").classList.add("is-out");
  }
  settle(card, `${done.say} Nothing else is to be decided here.`);
}

// The buttons above that decide many at once say how many are left for them.
function recount() {
  const acts = document.getElementById("acts");
  if (acts) refresh(acts);
}

function settle(card, words) {
  card.classList.toggle("is-decided", Boolean(words));
  const said = card.querySelector(".decided");
  if (said) Object.assign(said, { hidden: !words, textContent: words });
  const why = card.querySelector("[data-why]"); // holds no longer
  if (why) why.hidden = Boolean(words);
  for (const button of card.querySelectorAll("form button")) button.disabled = Boolean(words);
  if (words) for (const fold of card.querySelectorAll("details")) fold.open = false;
}

async function takeBack(act) {
  const body = new FormData();
  body.set("csrf", act.token);
  const done = await post(act.address, body);
  if (!done) return;
  undone.splice(undone.indexOf(act), 1);
  if (!act.card) return anew({ say: done.say });
  say(done.say, "holds");
  recount();
  const card = (act.card.id && document.getElementById(act.card.id)) || act.card;
  settle(card, "");
  if (card.dataset.part) refresh(card);
}

// Many were decided at once: the page is drawn anew, and says above the rest what was done, with a way back.
function anew(told) {
  sessionStorage.setItem(KEPT, JSON.stringify({ ...told, at: location.pathname }));
  location.reload();
}

function show() {
  const told = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (!receipt || told?.at !== location.pathname) return; // it stays in sight where one has scrolled to
  receipt.querySelector("[data-says]").textContent = told.say;
  const button = receipt.querySelector("button");
  button.hidden = !told.undo;
  const act = { address: told.undo, token: receipt.querySelector("[name=csrf]").value, card: null };
  if (told.undo) undone.push(act);
  button.addEventListener("click", () => takeBack(act));
  receipt.hidden = false;
}
show();

function press(key) {
  const card = here();
  const button = card?.querySelector(`[data-key-${key}]`);
  if (!button) return false;
  if (!button.disabled) decide(button.form, button);
  go(1);
}

if (list) {
  const across = () => {
    const all = cards();
    const next = all.findIndex((one) => one.offsetTop !== all[0].offsetTop);
    return next < 1 ? all.length : next;
  };
  on("ArrowRight", () => go(1));
  on("ArrowLeft", () => go(-1));
  on("ArrowDown", () => go(here() ? across() : 1));
  on("ArrowUp", () => go(here() ? -across() : 1));
  on("x", () => press("x"));
  on("k", () => press("k"));
  on("u", () => (undone.length ? void takeBack(undone.at(-1)) : false));
}
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-decides]")) return;
  event.preventDefault();
  decide(event.target, event.submitter);
});
