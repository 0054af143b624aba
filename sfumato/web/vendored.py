"""Fonts and icons by others, copied once into the package: `python -m sfumato.web.vendored FOLDER` from npm packages.

FOLDER holds what `npm pack @fontsource-variable/inter @fontsource-variable/jetbrains-mono lucide-static` made.
"""

import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path

STATIC = Path(__file__).parent / "static"
MANIFEST = STATIC / "vendor" / "manifest.json"
FONTS = {
    "fontsource-variable-inter": {
        "files/inter-latin-wght-normal.woff2": "fonts/inter-latin.woff2",
        "files/inter-latin-ext-wght-normal.woff2": "fonts/inter-latin-ext.woff2",
        "LICENSE": "fonts/inter-licence.txt",
    },
    "fontsource-variable-jetbrains-mono": {
        "files/jetbrains-mono-latin-wght-normal.woff2": "fonts/jetbrains-mono-latin.woff2",
        "LICENSE": "fonts/jetbrains-mono-licence.txt",
    },
}
LICENCES = {"OFL-1.1": "OFL-1.1", "ISC": "ISC AND MIT"}
ICONS = [
    "activity",
    "archive",
    "arrow-down",
    "arrow-left",
    "arrow-right",
    "arrow-up",
    "at-sign",
    "ban",
    "bell",
    "book-open",
    "box",
    "boxes",
    "brush",
    "calendar",
    "chart-line",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle-alert",
    "circle-check",
    "circle-dashed",
    "circle-question-mark",
    "circle-x",
    "clock",
    "code",
    "columns-2",
    "copy",
    "database",
    "download",
    "ellipsis",
    "external-link",
    "eye",
    "file-text",
    "filter",
    "flag",
    "git-fork",
    "grid-2x2",
    "hard-drive",
    "history",
    "hourglass",
    "house",
    "image",
    "images",
    "inbox",
    "info",
    "key",
    "keyboard",
    "layers",
    "link",
    "list-checks",
    "lock",
    "log-out",
    "menu",
    "message-circle-question-mark",
    "message-square",
    "monitor",
    "moon",
    "octagon-alert",
    "package",
    "panel-left",
    "panel-right",
    "pause",
    "pencil",
    "play",
    "plus",
    "refresh-cw",
    "rocket",
    "route",
    "scale",
    "scroll-text",
    "search",
    "settings",
    "shield",
    "shield-check",
    "snowflake",
    "sparkles",
    "square",
    "star",
    "stamp",
    "sun",
    "tag",
    "terminal",
    "thumbs-down",
    "thumbs-up",
    "trash-2",
    "triangle-alert",
    "undo-2",
    "upload",
    "user",
    "users",
    "waypoints",
    "x",
]


def symbol(name: str, drawing: str) -> str:
    """Turn one icon's SVG file into a symbol of the sprite."""
    inner = re.search(r"<svg[^>]*>(.*)</svg>", drawing, re.DOTALL)
    if inner is None:
        raise ValueError(f"The icon {name} is no SVG.")
    lines = "".join(line.strip() for line in inner.group(1).splitlines())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{lines}</symbol>'


def copy_all(folder: Path) -> list[dict[str, str]]:
    """Copy fonts and the icons that are used out of npm packages; returns the manifest's lines."""
    lines = []
    for package, files in FONTS.items():
        with tarfile.open(next(folder.glob(f"{package}-[0-9]*.tgz"))) as bundle:
            lines += [_keep(bundle, path, target) for path, target in files.items()]
    with tarfile.open(next(folder.glob("lucide-static-[0-9]*.tgz"))) as bundle:
        drawings = [symbol(name, _read(bundle, f"icons/{name}.svg").decode()) for name in ICONS]
        sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(drawings) + "\n</svg>\n"
        lines += [_write(bundle, "icons/sprite.svg", sprite.encode()), _keep(bundle, "LICENSE", "icons/licence.txt")]
    return lines


def _read(bundle: tarfile.TarFile, path: str) -> bytes:
    found = bundle.extractfile(f"package/{path}")
    if found is None:
        raise FileNotFoundError(path)
    return found.read()


def _keep(bundle: tarfile.TarFile, path: str, target: str) -> dict[str, str]:
    return _write(bundle, target, _read(bundle, path))


def _write(bundle: tarfile.TarFile, target: str, data: bytes) -> dict[str, str]:
    package = json.loads(_read(bundle, "package.json"))
    (STATIC / target).parent.mkdir(parents=True, exist_ok=True)
    (STATIC / target).write_bytes(data)
    return {
        "file": target, "name": package["name"], "version": package["version"],
        "licence": LICENCES[package["license"]], "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip


if __name__ == "__main__":
    MANIFEST.parent.mkdir(parents=True, exist_ok=True)
    MANIFEST.write_text(json.dumps(copy_all(Path(sys.argv[1])), indent=1) + "\n")
