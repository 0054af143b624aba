// The map of a dataset: a lasso by pointer or a frame by arrow keys selects pictures; wheel or pinch comes nearer.
import { on } from "./keys.js";
import { say, wordsOf } from "./toasts.js";

const SHOWN = 120;
const FEW = 500; // pictures that are drawn as such; of more each is a point
const THUMB = 32;
const MOST = 5000; // of one decision
const SPAN = 0.12;
let map = null;
let lastUndo = null;

class Map2D {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.peek = box.querySelector(".map-peek");
    this.says = document.getElementById("map-says");
    this.said = this.says.textContent;
    this.line = [];
    this.frame = { x: 0.5 - SPAN / 2, y: 0.5 - SPAN / 2, w: SPAN, h: SPAN };
    this.chosen = new Set();
    this.load();
  }

  async load() {
    const response = await fetch(this.box.dataset.map);
    if (!response.ok) return say(await wordsOf(response), "fails");
    const { ids, x, y } = await response.json();
    Object.assign(this, { ids, x, y });
    if (ids.length <= FEW) this.drawn = ids.map((id) => this.thumb(id));
    this.measure();
    new ResizeObserver(() => this.measure()).observe(this.canvas);
    this.canvas.addEventListener("pointerdown", (event) => this.lasso(event));
    this.canvas.addEventListener("pointermove", (event) => this.look(event));
    this.canvas.addEventListener("pointerleave", () => (this.peek.hidden = true));
    for (const name of ["focus", "blur"]) this.canvas.addEventListener(name, () => this.draw());
  }

  measure() {
    const bounds = this.canvas.getBoundingClientRect();
    const dense = devicePixelRatio || 1;
    [this.wide, this.high] = [bounds.width, bounds.height];
    this.canvas.width = Math.round(bounds.width * dense);
    this.canvas.height = Math.round(bounds.height * dense);
    this.pen = this.canvas.getContext("2d");
    this.pen.setTransform(dense, 0, 0, dense, 0, 0);
    this.draw();
  }

  thumb(id) {
    const image = new Image();
    image.addEventListener("load", () => {
      cancelAnimationFrame(this.due);
      this.due = requestAnimationFrame(() => this.draw());
    });
    image.src = `/api/v1/items/${id}/thumb`;
    return image;
  }

  at(place) {
    return [16 + this.x[place] * (this.wide - 32), 16 + this.y[place] * (this.high - 32)];
  }

  draw() {
    if (!this.ids) return;
    const style = getComputedStyle(this.canvas);
    const [point, strong] = [style.color, style.caretColor];
    const size = Math.max(2, Math.min(5, 600 / Math.sqrt(this.ids.length)));
    this.pen.clearRect(0, 0, this.wide, this.high);
    for (const pass of [false, true]) {
      this.pen.fillStyle = pass ? strong : point;
      this.ids.forEach((id, place) => {
        if (this.chosen.has(id) !== pass) return;
        const [x, y] = this.at(place);
        const drawn = this.drawn?.[place];
        const half = drawn?.complete && drawn.naturalWidth ? THUMB / 2 : size / 2;
        if (half === size / 2 || pass) this.pen.fillRect(x - half - 2, y - half - 2, 2 * half + 4, 2 * half + 4);
        if (half !== size / 2) this.pen.drawImage(drawn, x - half, y - half, 2 * half, 2 * half);
      });
    }
    this.pen.strokeStyle = strong;
    this.pen.lineWidth = 1.5;
    this.pen.beginPath();
    for (const [x, y] of this.line) this.pen.lineTo(x, y);
    this.pen.stroke();
    if (document.activeElement !== this.canvas || this.line.length) return;
    const { x, y, w, h } = this.frame;
    this.pen.setLineDash([4, 3]);
    this.pen.strokeRect(x * this.wide, y * this.high, w * this.wide, h * this.high);
    this.pen.setLineDash([]);
  }

  where(event) {
    const bounds = this.canvas.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  }

  lasso(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.line = [this.where(event)];
    const drag = (move) => {
      this.line.push(this.where(move));
      this.draw();
    };
    const stop = () => {
      this.canvas.removeEventListener("pointermove", drag);
      const line = this.line;
      this.line = [];
      if (line.length > 3) this.choose((x, y) => inside(line, x, y));
      this.draw();
    };
    this.canvas.addEventListener("pointermove", drag);
    this.canvas.addEventListener("pointerup", stop, { once: true });
    this.canvas.addEventListener("pointercancel", stop, { once: true });
  }

  look(event) {
    if (this.line.length) return;
    const [x, y] = this.where(event);
    let [nearest, least] = [-1, 144];
    for (let place = 0; place < this.ids.length; place++) {
      const [px, py] = this.at(place);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [nearest, least] = [place, far];
    }
    this.peek.hidden = nearest < 0;
    if (nearest < 0) return;
    this.peek.src = `/api/v1/items/${this.ids[nearest]}/thumb`;
    this.peek.style.left = `${Math.min(x + 14, this.wide - 104)}px`;
    this.peek.style.top = `${Math.min(y + 14, this.high - 104)}px`;
  }

  choose(meant) {
    this.chosen = new Set(this.ids.filter((_, place) => meant(...this.at(place))));
    this.show();
  }

  framed() {
    const { x, y, w, h } = this.frame;
    const [left, top, right, low] = [x * this.wide, y * this.high, (x + w) * this.wide, (y + h) * this.high];
    this.choose((px, py) => px >= left && px <= right && py >= top && py <= low);
  }

  shift(dx, dy, larger) {
    const { frame } = this;
    if (larger) {
      frame.w = Math.max(0.02, Math.min(1, frame.w + dx));
      frame.h = Math.max(0.02, Math.min(1, frame.h + dy));
    } else {
      frame.x = Math.max(0, Math.min(1 - frame.w, frame.x + dx));
      frame.y = Math.max(0, Math.min(1 - frame.h, frame.y + dy));
    }
    this.draw();
  }

  show() {
    const list = this.box.querySelector("[data-map-chosen]");
    const shown = [...this.chosen].slice(0, SHOWN).map((id) => {
      const link = Object.assign(document.createElement("a"), { className: "tile", href: this.box.dataset.item + id });
      link.append(Object.assign(new Image(), { src: `/api/v1/items/${id}/thumb`, alt: "a selected picture" }));
      const item = document.createElement("li");
      item.append(link);
      return item;
    });
    list.replaceChildren(...shown);
    const n = this.chosen.size;
    const rest = n > SHOWN ? ` The first ${SHOWN} are shown.` : "";
    this.says.textContent = n ? `${n.toLocaleString("en")} selected.${rest}` : this.said;
    const bar = document.querySelector("[data-bulk]");
    bar.hidden = n === 0;
    bar.querySelector("[data-chosen-count]").textContent = `${n.toLocaleString("en")} selected`;
    this.draw();
  }
}

function inside(line, x, y) {
  let within = false;
  for (let one = 0, other = line.length - 1; one < line.length; other = one++) {
    const [ax, ay] = line[one];
    const [bx, by] = line[other];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}

async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!response.ok) return void say(await wordsOf(response), "fails");
    const done = await response.json();
    const token = body.get("csrf");
    lastUndo = () => takeBack(done.undo, token);
    say(done.say, "holds", { text: "Undo", run: lastUndo });
    map.chosen.clear();
    map.show();
  } catch {
    say("The studio did not answer. Nothing was changed. Try again when it is back.", "fails");
  }
}

function takeBack(address, token) {
  const body = new FormData();
  body.set("csrf", token);
  return post(address, body);
}

function decide(form, submitter) {
  if (map.chosen.size > MOST) return say(`At most ${MOST.toLocaleString("en")} pictures are decided at once.`, "fails");
  const body = new FormData(form, submitter);
  body.set("ids", [...map.chosen].join(","));
  form.closest("dialog")?.close();
  post(form.action, body);
}

function held() {
  return map && document.activeElement === map.canvas;
}

const STEP = 0.02;
const STEPS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
for (const [key, [dx, dy]] of Object.entries(STEPS))
  on(key, (event) => (held() ? map.shift(dx, dy, event.shiftKey) : false));
on("Enter", () => (held() ? map.framed() : false));
on("Escape", () => (map?.chosen.size ? void (map.chosen.clear(), map.show()) : false));
for (const [key, verb] of [["x", "leave_out"], ["k", "keep"]])
  on(key, () => {
    const button = document.querySelector(`[data-bulk] button[value="${verb}"]`);
    if (!button || !map?.chosen.size) return false;
    decide(button.form, button);
  });
on("u", () => (lastUndo ? void lastUndo() : false));

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-bulk], [data-bulk-dialog]");
  if (!form || !map) return;
  event.preventDefault();
  decide(form, event.submitter);
});
document.addEventListener("click", (event) => {
  if (!map || !event.target.closest("[data-grid-none]")) return;
  map.chosen.clear();
  map.show();
});
function begin() {
  const box = document.querySelector("[data-map]");
  if (box && map?.box !== box) map = new Map2D(box);
}
document.addEventListener("studio:drawn", begin);
begin();
