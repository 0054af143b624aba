// Cropping one picture: a frame drawn on it by pointer and what is cut off in numbers are the same, and what stays is told.
const form = document.querySelector("[data-mend]");
const LEAST = 1; // percent of a side that a frame leaves

function number(name) {
  return Math.min(100, Math.max(0, Number(form.elements[name].value) || 0));
}

function show() {
  const [left, top] = [number("left"), number("top")];
  const [right, bottom] = [100 - number("right"), 100 - number("bottom")];
  const [wide, high] = [right - left, bottom - top];
  form.querySelector("path").setAttribute("d", `M0 0H100V100H0Z M${left} ${top}V${bottom}H${right}V${top}Z`);
  const picture = form.querySelector("img");
  const pixels = (from, to, side) => Math.round((to * side) / 100) - Math.round((from * side) / 100);
  const size = [pixels(left, right, picture.getAttribute("width")), pixels(top, bottom, picture.getAttribute("height"))];
  if (Number(form.elements.turn.value) % 180) size.reverse();
  const whole = `of ${picture.getAttribute("width")} × ${picture.getAttribute("height")} pixels`;
  form.querySelector("[data-mend-says]").textContent =
    wide > 0 && high > 0 ? `${size[0]} × ${size[1]} stay ${whole}.` : "Nothing would stay: cut less off.";
}

function at(event) {
  const box = form.querySelector(".mend").getBoundingClientRect();
  const share = (value, start, length) => Math.min(100, Math.max(0, (100 * (value - start)) / length));
  return [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)];
}

function frame([x, y], [otherX, otherY]) {
  const set = (name, value) => (form.elements[name].value = Number(value.toFixed(1)));
  set("left", Math.min(x, otherX));
  set("right", 100 - Math.max(x, otherX));
  set("top", Math.min(y, otherY));
  set("bottom", 100 - Math.max(y, otherY));
  show();
}

function draw(event) {
  if (event.button) return;
  event.preventDefault();
  const start = at(event);
  const drag = (move) => {
    const now = at(move);
    if (Math.abs(now[0] - start[0]) >= LEAST && Math.abs(now[1] - start[1]) >= LEAST) frame(start, now);
  };
  const stop = () => {
    removeEventListener("pointermove", drag);
    removeEventListener("pointerup", stop);
    removeEventListener("pointercancel", stop);
  };
  addEventListener("pointermove", drag);
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);
}

if (form) {
  form.querySelector(".mend").addEventListener("pointerdown", draw);
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  show();
}
