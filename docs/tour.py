"""Take the pictures of docs/tour.md: every page in light, in dark and at a phone's width. `python -m docs.tour`.

A studio is started on an empty folder, and some real work is done in it first, so that the pages have something to
show. Needs Chromium and the test extra.
"""

import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures" / "tour"
VIEWS = {"light": ("light", 1440, 900, 960), "dark": ("dark", 1440, 900, 960), "phone": ("light", 390, 844, 390)}
TALL = 1200  # pixels of a page at most
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SENTENCES = ("a red apple, noto style", "a sleeping cat, fluent flat style", "a green tree, firefox style")


@contextmanager
def studio(folder: Path) -> Iterator[str]:
    """The studio on a folder; gives the address that it prints."""
    command = [sys.executable, "-m", "sfumato", "studio", "--no-browser", "--port", "0", "--workspace", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield next(filter(None, (re.search(r"http://\S+/launch/\S+", line) for line in process.stderr))).group(0)
        finally:
            process.terminate()
            process.wait(60)


class Hands:
    """Somebody who works through the API with the browser's session."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        page.goto(f"{base}/create", wait_until="domcontentloaded")
        self.csrf = page.locator("input[name=csrf]").first.get_attribute("value") or ""

    def post(self, path: str, **body: Any) -> Any:
        own = {"X-CSRF-Token": self.csrf, "Origin": self.base, "Sec-Fetch-Site": "same-origin"}
        answer = self.page.request.post(f"{self.base}/api/v1{path}", data=body, headers=own)
        assert answer.ok, answer.text()
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.page.request.get(f"{self.base}/api/v1{path}")
        assert answer.ok, answer.text()
        return answer.json()


def work(hands: Hands) -> dict[str, str]:
    """Draw, judge, ask and comment; returns the ids that addresses need."""
    roles = ["prompt designer", "product manager"]
    hands.post("/me/introduction", name="Ada", roles=roles, project="Spring cards")
    for seed, sentence in enumerate(SENTENCES):
        hands.post("/requests", prompt=sentence, options={"n": 4, "seed": 7 + seed})
    deadline = time.monotonic() + 120
    while len(images := hands.get("/images?limit=60")["items"]) < 4 * len(SENTENCES):
        assert time.monotonic() < deadline, "no pictures came"
        time.sleep(0.2)
    refs = [f"image/{one['id']}" for one in images]
    hands.post("/review/approvals", subjects=refs[1:9], reason="Clear even when small")
    hands.post("/review/rejections", subjects=refs[9:11], reason="The ears are lost at 16 pixels")
    hands.post("/review/ratings", subjects=refs[4:8], rating=4)
    hands.post("/asks", question="A better tree: a little rounder", to="role/prompt designer", refs=refs[:1])
    hands.post("/comments", about=refs[0], text="The leaves are good already.")
    return {"picture": images[0]["id"], "request": images[0]["request_id"]}


def shoot(page: Page, address: str, target: Path, width: int) -> None:
    """Keep one page as a small WebP."""
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_timeout(700)  # for what arrives by itself
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as whole:
        scale = width / whole.width
        small = whole.convert("RGB").resize((width, round(whole.height * scale)), Image.Resampling.LANCZOS)
        small.crop((0, 0, width, min(small.height, TALL))).save(target, quality=60, method=6)


def main() -> None:
    """Do some work, then take every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as where, studio(Path(where)) as address, sync_playwright() as tools:
        base = address.partition("/launch")[0]
        chromium = tools.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = chromium.new_context()
        page = context.new_page()
        page.goto(address, wait_until="domcontentloaded")
        ids = work(Hands(page, base))
        state = context.storage_state()
        for view, (scheme, width, height, kept) in VIEWS.items():
            seen = chromium.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=state
            )
            page = seen.new_page()
            for name, path in PAGES.items():
                shoot(page, base + path.format(**ids), PICTURES / f"{name}-{view}.webp", kept)
            seen.close()
        chromium.close()


PAGES = {
    "home": "/", "data": "/data", "dataset": "/data/emoji-sample", "create": "/create?request={request}",
    "picture": "/pictures/{picture}", "pictures": "/pictures", "train": "/train",
    "models": "/models", "model": "/models/emoji-styles-small",
    "jobs": "/jobs", "asks": "/asks", "welcome": "/welcome", "items": "/data/emoji-sample/items", "people": "/people",
    "permissions": "/people/permissions",
    "settings": "/settings", "audit": "/audit", "help": "/help", "search": "/search?q=apple", "api": "/api",
}  # fmt: skip

if __name__ == "__main__":
    main()
