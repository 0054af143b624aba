// Uploads in parts: what has arrived stays, progress moves, and after a break the rest goes on where it stopped.
import { say } from "./toasts.js";

const FILES = 200;
const BYTES = 64e6;
const form = document.querySelector("form[data-upload]");
let waiting = [];
let sending = false;

if (form) {
  const drop = form.querySelector("[data-drop]");
  const folder = form.querySelector("[data-folder]");
  form.querySelector("[data-choose-folder]")?.addEventListener("click", () => {
    folder.hidden = false;
    folder.click();
    folder.hidden = true;
  });
  folder?.addEventListener("change", () => add([...folder.files]));
  form.elements.files.addEventListener("change", () => {
    waiting = [];
    add([...form.elements.files.files]);
  });
  for (const name of ["dragenter", "dragover"])
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry?.()).filter(Boolean);
    add(entries.length ? (await Promise.all(entries.map(walk))).flat() : [...event.dataTransfer.files]);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!sending) send();
  });
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((give, fail) => entry.file(give, fail)).catch(() => null)].filter(Boolean);
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((give, fail) => reader.readEntries(give, fail)).catch(() => []);
    if (!some.length) return (await Promise.all(found.map(walk))).flat();
    found.push(...some);
  }
}

function add(files) {
  const meant = files.filter((file) => !file.name.startsWith("."));
  const empty = meant.filter((file) => file.size === 0);
  waiting.push(...meant.filter((file) => file.size > 0));
  const all = new DataTransfer();
  for (const file of waiting) all.items.add(file);
  form.elements.files.files = all.files; // so that the browser's own words beside it say as many
  form.elements.files.required = waiting.length === 0;
  const without = empty.length ? ` Without ${empty.length === 1 ? empty[0].name : count(empty.length)}, which ${empty.length === 1 ? "is" : "are"} empty.` : "";
  tell(0, waiting.length, `${count(waiting.length)} chosen. Press Upload to send them.${without}`);
}

function count(n) {
  return n === 1 ? "1 file" : `${n.toLocaleString("en")} files`;
}

function tell(done, total, words) {
  const box = form.querySelector("[data-how-far]");
  const bar = box.querySelector("progress");
  box.hidden = false;
  bar.max = total || 1;
  bar.value = done;
  bar.dataset.tenth = String(Math.floor((10 * done) / (total || 1)));
  box.querySelector("[data-says]").textContent = words;
}

// Parts of at most so many files; a caption stays with its picture.
function parts(files) {
  const stems = new Map();
  for (const file of files) {
    const stem = file.name.replace(/\.[^.]*$/, "");
    stems.set(stem, [...(stems.get(stem) ?? []), file]);
  }
  const found = [[]];
  let bytes = 0;
  for (const together of stems.values()) {
    const size = together.reduce((sum, file) => sum + file.size, 0);
    if (found.at(-1).length && (found.at(-1).length + together.length > FILES || bytes + size > BYTES)) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1).push(...together);
    bytes += size;
  }
  return found.filter((part) => part.length);
}

async function send() {
  sending = true;
  const button = form.querySelector("button.primary");
  button.setAttribute("aria-busy", "true");
  const total = waiting.length;
  const refused = [];
  let done = 0;
  try {
    const all = parts(waiting);
    for (const [place, part] of all.entries()) {
      const which = all.length > 1 ? `${place + 1} of ${all.length}` : "";
      const told = await post(part, which, (share) =>
        tell(done + share * part.length, total, `${(done + Math.floor(share * part.length)).toLocaleString("en")} of ${count(total)}`),
      );
      refused.push(...told.refused);
      done += part.length;
      const gone = new Set(part);
      waiting = waiting.filter((file) => !gone.has(file));
    }
    finish(done, total, refused);
  } catch (problem) {
    const kept = done ? `The upload stopped at ${done.toLocaleString("en")} of ${count(total)}. Those are kept. Try again to add the rest.` : "The upload stopped before any file was kept. Try again.";
    const words = [problem.message, kept].filter(Boolean).join(" ");
    tell(done, total, words);
    say(words, "fails");
  } finally {
    sending = false;
    button.removeAttribute("aria-busy");
  }
}

function finish(done, total, refused) {
  if (!refused.length) return location.assign(form.dataset.then);
  tell(done, total, `${count(total)} sent; ${refused.length === 1 ? "1 was" : `${refused.length} were`} not taken:`);
  const list = document.createElement("ul");
  for (const one of refused.slice(0, 50)) {
    const item = document.createElement("li");
    item.textContent = `${one.name}: ${one.reason}`;
    list.append(item);
  }
  form.querySelector("[data-how-far]").append(list);
  if (refused.length >= total) return;
  const on = Object.assign(document.createElement("a"), { href: form.dataset.then, textContent: "Go to the dataset", className: "button primary" });
  form.querySelector("[data-how-far]").append(on);
}

// Why each file of a part was refused, where all of them were: what is said names the first few.
function reasons(detail, files) {
  const said = detail.replace(/^Nothing was taken: |\.$/g, "").split("; ");
  return files.map(({ name }) => ({
    name,
    reason: said.find((one) => one.startsWith(`${name}: `))?.slice(name.length + 2) ?? "it cannot be used",
  }));
}

async function post(files, which, moved, again = 0) {
  const body = new FormData();
  for (const name of ["csrf", "licence", "author", "label"]) body.set(name, form.elements[name].value);
  if (which) body.set("part", which);
  for (const file of files) body.append("files", file, file.name);
  const request = await new Promise((give, fail) => {
    const one = new XMLHttpRequest();
    one.upload.addEventListener("progress", (step) => step.lengthComputable && moved(step.loaded / step.total));
    one.addEventListener("load", () => give(one));
    one.addEventListener("error", () => fail(new Error("The studio does not answer: it may have been stopped.")));
    one.open("POST", form.dataset.upload);
    one.setRequestHeader("Accept", "application/json");
    one.setRequestHeader("X-CSRF-Token", form.elements.csrf.value);
    one.send(body);
  });
  if (request.status === 429 && again < 6) {
    await new Promise((give) => setTimeout(give, 1000 * Number(request.getResponseHeader("retry-after") || 3)));
    return post(files, which, moved, again + 1);
  }
  const told = JSON.parse(request.responseText || "{}");
  if (request.status === 422 && told.detail?.startsWith("Nothing was taken")) return { refused: reasons(told.detail, files) };
  if (request.status >= 400) throw new Error([told.detail, told.hint].filter(Boolean).join(" "));
  return told;
}
