// Light, dark or as the system has it, and the width of the rail: kept in a cookie, so that the server draws it so.

const YEAR = 31536000;
const root = document.documentElement;

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
}

const CHOICES = {
  theme(value, button) {
    if (value === "system") delete root.dataset.theme;
    else root.dataset.theme = value;
    for (const one of button.parentElement.children) one.setAttribute("aria-pressed", String(one === button));
  },
  rail(value, button) {
    if (value === "narrow") root.dataset.rail = value;
    else delete root.dataset.rail;
    button.value = value === "narrow" ? "wide" : "narrow";
    button.querySelector(".word").textContent = value === "narrow" ? "Widen" : "Narrow";
  },
};

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!event.target.matches("[data-look]") || !button || !(button.name in CHOICES)) return;
  event.preventDefault();
  keep(button.name, button.value);
  CHOICES[button.name](button.value, button);
});
