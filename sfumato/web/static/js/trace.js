// Walking a trace by keys: left and right go to the next column, up and down within one.

function placeOf(node) {
  const frame = node.closest("foreignObject");
  return { x: Number(frame.getAttribute("x")), y: Number(frame.getAttribute("y")) };
}

function nearest(nodes, from, sideways, forward) {
  const here = placeOf(from);
  const score = (node) => {
    const there = placeOf(node);
    const ahead = (sideways ? there.x - here.x : there.y - here.y) * forward;
    const aside = Math.abs(sideways ? there.y - here.y : there.x - here.x);
    if (ahead <= 0 || (!sideways && aside > 0)) return Infinity;
    return ahead * 4 + aside;
  };
  const best = nodes.map((node) => [score(node), node]).sort((a, b) => a[0] - b[0])[0];
  return best && best[0] < Infinity ? best[1] : null;
}

document.addEventListener("keydown", (event) => {
  const node = event.target.closest?.("[data-trace] .node");
  const way = { ArrowLeft: [true, -1], ArrowRight: [true, 1], ArrowUp: [false, -1], ArrowDown: [false, 1] }[event.key];
  if (!node || !way) return;
  const nodes = [...node.closest("[data-trace]").querySelectorAll(".node[href]")];
  const to = nearest(nodes, node, ...way);
  event.preventDefault();
  to?.focus();
});

// On a phone the list reads better than a graph that is wider than the screen.
if (matchMedia("(max-width: 40rem)").matches)
  for (const list of document.querySelectorAll(".trace-list")) {
    list.open = true;
    list.parentElement.prepend(list);
  }

// The traced record is in view, not the left end of the graph.
for (const here of document.querySelectorAll(".trace-graph .node.here")) {
  const frame = here.closest(".trace-graph");
  frame.scrollLeft = placeOf(here).x - frame.clientWidth + 240;
}
