// Native dialogs opened by [data-opens], and menus by <details> that close when one looks elsewhere.

export function open(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus]")?.select?.();
  return true;
}

export function openMenu() {
  return document.querySelector("details.menu[open]");
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener && !event.ctrlKey && !event.metaKey && open(opener.dataset.opens)) event.preventDefault();
  if (event.target instanceof HTMLDialogElement) closeOutside(event);
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target) || event.target.closest("[data-opens]")) menu.open = false;
  const named = event.target.closest('a[href^="#"]')?.hash.slice(1);
  const fold = named && document.getElementById(named);
  if (fold instanceof HTMLDetailsElement) fold.open = true; // who is led to a fold wants to see what is in it
  const pressed = event.target.closest("details.menu > summary")?.parentElement;
  if (!pressed) return;
  event.preventDefault(); // opened here and now: the browser tells of it a frame later, and keys would come before
  pressed.open = !pressed.open;
  write();
});

function closeOutside(event) {
  const box = event.target.getBoundingClientRect();
  const inside =
    event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  if (!inside && event.detail > 0) event.target.close();
}

// A menu that asks for words is written in at once, however it was opened.
export function write() {
  openMenu()?.querySelector(".menu-list :is(textarea, input[type=text])")?.focus();
}

document.addEventListener("toggle", write, true);

document.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  } else if (!menu.contains(event.target) || event.target.localName === "textarea") {
    return;
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu-list :is(a, button, input):not([type=hidden])")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
    next?.focus();
    event.preventDefault();
  }
});
