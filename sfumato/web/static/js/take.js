// Taking a picture out: copied as a picture, or dragged out as a file with its name; always the bytes that were let out.
import { say } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-picture]");
  if (!button) return;
  try {
    const bytes = fetch(button.dataset.copyPicture).then((response) => response.blob());
    await navigator.clipboard.write([new ClipboardItem({ "image/png": bytes })]);
    say("The picture is copied. Copying leaves its credentials behind; downloading keeps them.", "holds");
  } catch {
    say("The browser did not allow copying a picture. Download it instead.", "fails");
  }
});

document.addEventListener("dragstart", (event) => {
  const picture = event.target.closest?.("img[data-drag]") ?? event.target.querySelector?.("img[data-drag]");
  if (!picture || !event.dataTransfer) return;
  const name = picture.dataset.drag.replace(/[\\/:*?"<>|]/g, " ");
  const address = new URL(picture.getAttribute("src"), location.href).href;
  event.dataTransfer.setData("DownloadURL", `image/png:${name}:${address}?download=true`);
  event.dataTransfer.setData("text/uri-list", address);
  event.dataTransfer.effectAllowed = "copy";
});
