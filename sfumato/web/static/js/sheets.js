// A slider over the sheets that a run drew: one picture is shown, and what it shows is said.
document.addEventListener("input", (event) => {
  const slider = event.target.closest?.("[data-sheets]");
  if (!slider) return;
  const frame = slider.closest("figure");
  const [address, says] = JSON.parse(slider.dataset.sheets)[Number(slider.value)];
  frame.querySelector("img").src = address;
  frame.querySelector("output").textContent = says;
  slider.setAttribute("aria-valuetext", says);
});
