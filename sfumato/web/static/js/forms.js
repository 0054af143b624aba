// Forms: no second submit, [data-quick] draws only a part anew, [data-progress] shows how far an upload is.
import { partOf, swap } from "./parts.js";
import { problemOf, say, wordsOf } from "./toasts.js";

const LONG = 3000;
const PATIENCE =
  "This takes longer than usual: the studio is busy, or something else holds its records. Leave this page open. It goes on by itself, or says what could not be done.";
let slow = 0;
let waits = null;

// A form that was sent is not sent twice; where no answer comes for a while, the page says that it still waits.
function busy(form, is) {
  form.dataset.sent = is ? "1" : "";
  clearTimeout(slow);
  waits?.remove();
  waits = null;
  if (is && !("progress" in form.dataset)) slow = setTimeout(() => (waits = say(PATIENCE, "held")), LONG);
  for (const button of form.querySelectorAll("button:not([type=button])"))
    if (is) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
}

// On the window, so that it comes after all that a page's own modules do with a form: theirs is not sent from here.
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || event.submitter?.formMethod === "dialog") return;
  if (form.dataset.sent === "1") return event.preventDefault();
  if ("progress" in form.dataset) upload(form, event);
  else if ("quick" in form.dataset) quick(form, event);
  else busy(form, true);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent='1']")) busy(form, false);
});

// A field that is folded away and holds what cannot be is shown, or nothing would seem to happen.
document.addEventListener(
  "invalid",
  (event) => {
    for (let fold = event.target.closest("details:not([open])"); fold; fold = fold.parentElement?.closest("details:not([open])"))
      fold.open = true;
  },
  true,
);

// Send a form and take from the page that answers the part with the id in data-quick; without one, go there.
async function quick(form, event) {
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  busy(form, true);
  try {
    const to = event.submitter?.hasAttribute("formaction") ? event.submitter.formAction : form.action;
    const response = await fetch(to, { method: "POST", body });
    if (!response.ok) return await refused(response, form.dataset.quick);
    const text = await response.text();
    const old = document.getElementById(form.dataset.quick);
    const fresh = old && partOf(text, form.dataset.quick);
    if (!fresh) return location.assign(response.url);
    for (const said of partOf(text, "toasts")?.children ?? []) document.getElementById("toasts")?.append(said);
    swap(old, fresh);
    form.closest("dialog")?.close();
  } catch {
    say("The studio did not answer. Nothing was changed. Try again when it is back.", "fails");
  } finally {
    busy(form, false);
  }
}

// A page that refuses shows the part as it is by now, such as after somebody else was first, and may say why within it.
async function refused(response, id) {
  const text = await response.clone().text();
  const old = id && document.getElementById(id);
  const fresh = old && partOf(text, id);
  if (!fresh?.querySelector(".notice.fails")) say(await wordsOf(response), "fails");
  if (fresh) swap(old, fresh);
}

function upload(form, event) {
  event.preventDefault();
  const request = new XMLHttpRequest();
  const bar = form.querySelector("progress") ?? form.appendChild(document.createElement("progress"));
  bar.className = "progress";
  bar.hidden = false;
  bar.setAttribute("aria-label", "Upload");
  request.upload.addEventListener("progress", (step) => {
    if (!step.lengthComputable) return;
    bar.max = step.total;
    bar.value = step.loaded;
    bar.dataset.tenth = String(Math.floor((10 * step.loaded) / step.total));
  });
  request.addEventListener("load", () => {
    if (request.status < 400) return location.assign(request.responseURL);
    busy(form, false);
    bar.hidden = true;
    say(told(request), "fails");
  });
  request.addEventListener("error", () => {
    busy(form, false);
    bar.hidden = true;
    say("The upload stopped. What had arrived whole is kept. Try again to add the rest.", "fails");
  });
  const body = new FormData(form, event.submitter);
  busy(form, true);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json, text/html");
  request.send(body);
}

function told(request) {
  try {
    const said = JSON.parse(request.responseText);
    return [said.detail ?? said.title, said.hint].filter(Boolean).join(" ");
  } catch {
    return problemOf(request.responseText, request.status);
  }
}
