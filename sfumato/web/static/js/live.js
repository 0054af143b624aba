// What happens elsewhere: one stream of events, dispatched as "studio:event" and "studio:job"; parts that name an event are redrawn.
// A hidden tab holds no stream, and goes on after the last event that it saw; a page begins after the last that it shows.
// Jobs have no place in the log: what follows one is drawn anew whenever listening begins, as it may have ended before.
import { SOON_AGAIN, refresh } from "./parts.js";
import { say } from "./toasts.js";

const address = document.body.dataset.events;
const SOON = 250;
const LONGEST = 30000;
let stream = null;
let last = document.body.dataset.since ?? "";
let wait = 1000;
let gone = false;
const due = new Map();

function connect() {
  if (!address || stream || document.hidden) return;
  const asked = new URL(address, location.href);
  if (last) asked.searchParams.set("since", last);
  stream = new EventSource(asked);
  stream.addEventListener("open", () => {
    wait = 1000;
    if (gone) {
      gone = false;
      say("The studio is back.", "holds");
      for (const part of document.querySelectorAll("[data-part]")) later(part);
    }
  });
  stream.addEventListener("listening", () => {
    document.documentElement.dataset.listening = "";
    for (const part of document.querySelectorAll('[data-part][data-on*="job"]')) later(part);
  });
  for (const name of ["event", "job"]) stream.addEventListener(name, take);
  stream.addEventListener("error", () => {
    if (stream?.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(connect, wait);
    if (wait >= 4000 && !gone) {
      gone = true;
      say("The studio does not answer. What you see may be old; it is asked again.", "fails");
    }
    wait = Math.min(2 * wait, LONGEST);
  });
}

function close() {
  delete document.documentElement.dataset.listening;
  stream?.close();
  stream = null;
}

function take(event) {
  if (event.lastEventId) last = event.lastEventId;
  let detail = {};
  try {
    detail = JSON.parse(event.data);
  } catch {
    return;
  }
  const kind = event.type === "job" ? "job" : (detail.action ?? "");
  const subject = event.type === "job" ? `job/${detail.id}` : (detail.subject ?? "");
  const ends = event.type === "job" && !["waiting", "running"].includes(detail.status);
  document.dispatchEvent(new CustomEvent(`studio:${event.type}`, { detail }));
  for (const part of document.querySelectorAll("[data-part][data-on]"))
    if (part.dataset.on.split(" ").some((word) => meets(word, kind, subject) || (ends && word === "job.ended")))
      later(part);
}

// "review.*" meets every judgement, "job" any change of a job, "job.ended" its end, "job/3f7c" those of one record.
function meets(word, kind, subject) {
  if (word.endsWith("*")) return kind.startsWith(word.slice(0, -1));
  return word === kind || word === subject;
}

function later(part) {
  if (due.has(part)) return;
  due.set(
    part,
    setTimeout(() => {
      due.delete(part);
      const now = part.isConnected ? part : successor(part);
      if (now) refresh(now);
    }, SOON),
  );
}

// What stands where a part stood: an earlier ask may have drawn it anew meanwhile, from before what is waited for here.
function successor(part) {
  const parts = [...document.querySelectorAll("[data-part]")];
  return parts.find((one) => one.id === part.id && one.dataset.part === part.dataset.part);
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
// A page that was given old counts is asked again, until it has been given what is so now.
if ("late" in document.body.dataset)
  setTimeout(() => document.querySelectorAll("[data-part]").forEach(later), SOON_AGAIN);
addEventListener("pagehide", close);
addEventListener("pageshow", connect);
connect();
