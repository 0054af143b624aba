"""Colour icon sets from the npm registry, joined to captions of emojibase and drawn with alpha."""

import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.captions import may_flip
from sfumato.data.found import Found, Left
from sfumato.data.pictures import Unusable, as_png, draw_svg
from sfumato.errors import InvalidInput, NotFound

CAPTIONS = "emojibase-data@17.0.0"
SETS = {
    "fluent-flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "fluent-3d": "@lobehub/fluent-emoji-3d@1.1.0",
    "noto": "@iconify-json/noto@1.2.9",
    "noto-v1": "@iconify-json/noto-v1@1.2.5",
    "fxemoji": "@iconify-json/fxemoji@1.2.2",
}
OTHERS = {  # CC-BY-4.0: not of the corpus emoji-styles, so that what judges its models can learn from them
    "twemoji": "@iconify-json/twemoji@1.2.5",
    "emojione": "@iconify-json/emojione@1.2.3",
}
KNOWN = SETS | OTHERS
TONES = {1: "light", 2: "medium-light", 3: "medium", 4: "medium-dark", 5: "dark"}
GENDERS = {0: "female", 1: "male"}
UNWANTED_GROUPS = {"component", "flags"}
KEPT_SYMBOLS = {"geometric"}


class Options(BaseModel):
    """Which sets to take; the preset is the built-in corpus emoji-styles."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    styles: list[str] = Field(default_factory=lambda: list(SETS), description="styles to take")
    packages_dir: str = Field("", description="folder of npm tarballs, instead of the registry")
    size: int = Field(128, ge=32, le=1024, description="side at which icons are drawn")
    tones: bool = Field(False, description="take skin tones as well, with tone and gender as attributes")


@dataclass(frozen=True)
class Emoji:
    """What emojibase says of one emoji."""

    code: str
    label: str
    tags: list[str] = field(default_factory=list)
    group: str = ""
    subgroup: str = ""
    concept: str = ""
    family: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        """Whether it shows a thing; lettering and signs cannot be learnt at these sizes."""
        if self.group == "symbols":
            return self.subgroup in KEPT_SYMBOLS
        return bool(self.group) and self.group not in UNWANTED_GROUPS


def read(options: Options, cache: Path) -> Iterator[Found | Left]:
    """Yield every wanted icon of every chosen set; raises NotFound when a package cannot be had."""
    missing = [style for style in options.styles if style not in KNOWN]
    if missing:
        raise InvalidInput(f"There is no icon set '{missing[0]}'.", hint=f"There is: {', '.join(KNOWN)}.")
    captions = emojis(package(CAPTIONS, options.packages_dir, cache), tones=options.tones)
    for style in options.styles:
        files = package(KNOWN[style], options.packages_dir, cache)
        yield from (_pictures if "icons.json" not in files else _drawings)(style, files, captions, options)


def emojis(files: dict[str, bytes], *, tones: bool = False) -> dict[str, Emoji]:
    """Emoji by code point without variation selectors; with `tones` each skin tone too, and what is declared of it.

    The tones of one emoji are one thing and one family: what is held out is held out in every tone.
    """
    hierarchy = json.loads(files["meta/groups.json"])
    found = {}
    for entry in json.loads(files["en/data.json"]):
        code = bare(entry["hexcode"])
        group = hierarchy["groups"].get(str(entry.get("group")), "")
        subgroup = hierarchy["subgroups"].get(str(entry.get("subgroup")), "")
        label, tags = entry["label"], list(entry.get("tags", []))
        if not tones:
            found[code] = Emoji(code, label, tags, group, subgroup)
            continue
        for one in (entry, *entry.get("skins", [])):
            place = bare(one["hexcode"])
            declared = _declared(entry | one)
            found[place] = Emoji(place, one["label"], tags, group, subgroup, label, f"emoji {code}", declared)
    return found


def _declared(entry: dict[str, Any]) -> dict[str, str]:
    """Tone and gender as emojibase declares them; two people have two tones."""
    tones = entry.get("tone", [])
    said = {
        "skin tone": " and ".join(TONES.get(one, "") for one in (tones if isinstance(tones, list) else [tones])),
        "gender": GENDERS.get(entry.get("gender", -1), ""),
    }
    return {name: value for name, value in said.items() if value}


def bare(code: str) -> str:
    """A code point sequence in lower case without variation selectors."""
    return "-".join(part for part in code.lower().split("-") if part != "fe0f")


def _drawings(
    style: str, files: dict[str, bytes], captions: dict[str, Emoji], options: Options
) -> Iterator[Found | Left]:
    """Icons of an Iconify set, joined by code point where the set has them, else by name."""
    icons, info = json.loads(files["icons.json"]), json.loads(files["info.json"])
    origin = _origin(KNOWN[style], files, info)
    for name, emoji in sorted(_joined(icons, files, captions).items()):
        icon = icons["icons"][name]
        size = {side: icon.get(side, icons.get(side, 16)) for side in ("width", "height")}
        view = f"{icon.get('left', 0)} {icon.get('top', 0)} {size['width']} {size['height']}"
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{view}" width="{size["width"]}" height="{size["height"]}">{icon["body"]}</svg>'
        )
        if not emoji.wanted:
            yield Left(name, "lettering, signs and flags", emoji.group, str(origin["source"]), unwanted=True)
            continue
        try:
            data = as_png(draw_svg(svg, options.size))
        except Unusable as problem:
            yield Left(name, problem.reason, problem.detail, str(origin["source"]))
            continue
        yield _found(name, data, emoji, style, origin)
    rest = len(icons["icons"]) - len(_joined(icons, files, captions))
    yield Left(
        f"{rest} icons", "skin tones and icons without a caption", str(rest), str(origin["source"]), unwanted=True
    )


def _pictures(
    style: str, files: dict[str, bytes], captions: dict[str, Emoji], options: Options
) -> Iterator[Found | Left]:
    """Ready pictures named by code point."""
    origin = _origin(KNOWN[style], files, {})
    rest = 0
    for path in sorted(name for name in files if name.startswith("assets/")):
        emoji = captions.get(bare(Path(path).stem))
        if emoji is None:
            rest += 1
        elif not emoji.wanted:
            yield Left(path, "lettering, signs and flags", emoji.group, str(origin["source"]), unwanted=True)
        else:
            yield _found(path, files[path], emoji, style, origin)
    yield Left(
        f"{rest} icons", "skin tones and icons without a caption", str(rest), str(origin["source"]), unwanted=True
    )


def _joined(icons: dict[str, Any], files: dict[str, bytes], captions: dict[str, Emoji]) -> dict[str, Emoji]:
    """Icon names with their emoji; each emoji is taken once."""
    by_name = {re.sub("[^a-z0-9]", "", emoji.label.lower()): emoji for emoji in captions.values()}
    joined: dict[str, Emoji] = {}
    taken: set[str] = set()
    coded = json.loads(files["chars.json"]) if "chars.json" in files else {}
    pairs = [(name, captions.get(bare(code))) for code, name in coded.items()]
    pairs += [(name, by_name.get(re.sub("[^a-z0-9]", "", name))) for name in icons["icons"]]
    for name, emoji in pairs:
        if emoji and emoji.code not in taken and name in icons["icons"] and name not in joined:
            joined[name] = emoji
            taken.add(emoji.code)
    return joined


def _origin(package_name: str, files: dict[str, bytes], info: dict[str, Any]) -> dict[str, str]:
    """Source, version, licence and author as the package itself states them."""
    said = json.loads(files["package.json"])
    author = info.get("author", {}).get("name") or _person(said)
    licence = info.get("license", {}).get("spdx") or str(said.get("license", "")) or "NOASSERTION"
    name, version = package_name.rsplit("@", 1)
    if name == "@lobehub/fluent-emoji-3d":
        author = f"Microsoft; packed by {author}"
    url = info.get("author", {}).get("url") or str(said.get("homepage", ""))
    return {"source": f"npm {name}", "source_version": version, "licence": licence, "author": author, "url": url}


def _person(said: dict[str, Any]) -> str:
    author = said.get("author", "")
    return str(author.get("name", "") if isinstance(author, dict) else re.sub(r"\s*<.*", "", author))


def _found(key: str, data: bytes, emoji: Emoji, style: str, origin: dict[str, Any]) -> Found:
    return Found(
        key=key, data=data, name=emoji.label, tags=emoji.tags, style=style, category=emoji.group,
        concept=emoji.concept or emoji.label, flip_ok=may_flip(emoji.label, *emoji.tags), family=emoji.family,
        attributes=dict(emoji.attributes), **origin,
    )  # fmt: skip


def package(name: str, packages_dir: str, cache: Path) -> dict[str, bytes]:
    """The files of an npm package, from a folder of tarballs or by `npm pack`, kept in the cache."""
    bare_name, version = name.rsplit("@", 1)
    tarball = f"{bare_name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    place = Path(packages_dir) / tarball if packages_dir else cache / "packages" / tarball
    if not place.exists():
        if packages_dir:
            raise NotFound(f"{tarball} is not in {packages_dir}.", hint="Put it there, or leave packages_dir out.")
        _fetch(name, place.parent)
    files = {}
    with tarfile.open(place) as bundle:
        for member in bundle:
            if member.isfile() and member.name.startswith("package/"):
                stream = bundle.extractfile(member)
                files[member.name.removeprefix("package/")] = stream.read() if stream else b""
    return files


def _fetch(name: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotFound(
            "Icon packages come from the npm registry, and npm is not installed.",
            hint="Install Node.js, or give a folder of tarballs as packages_dir (SFUMATO_PACKAGES_DIR).",
        )
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".draft"
    draft.mkdir(exist_ok=True)
    ran = subprocess.run([npm, "pack", "--silent", name], cwd=draft, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise NotFound(
            f"npm could not fetch {name}: {ran.stderr.strip()[-300:] or 'no reason given'}",
            hint="Check the network, or give a folder of tarballs as packages_dir.",
        )
    for tarball in draft.glob("*.tgz"):
        tarball.replace(folder / tarball.name)
