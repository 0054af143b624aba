"""Pictures with planted faults and copies, the same at every call: what the benchmark of checks looks for.

python bench/planted.py FOLDER [HOW MANY] writes them: 2,000 JPEGs, or a part of each kind.
"""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SIDE, QUALITY = 512, 92
PLAIN = 1_500
COPIES = {
    "exact": 60, "q40": 40, "resize": 40, "bright": 40, "crop": 40, "watermark": 40, "mirror": 20,
}  # fmt: skip
FAULTS = {"blurred": 60, "dark": 50, "light": 30, "grey": 30, "flat": 20, "odd_aspect": 15, "odd_size": 15}
HARD = {"turned": 20, "half": 20}  # beside the 2,000: a quarter turn, and the middle half of a picture
EDITION = 1


def plain(number: int, side: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """The picture of this number: a field of colours, shapes upon it, fine texture over all."""
    source = np.random.default_rng([7, number])
    width, height = side
    field = source.integers(30, 226, (int(source.integers(3, 7)), int(source.integers(3, 7)), 3), dtype=np.uint8)
    picture = Image.fromarray(field).resize(side, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(source.integers(6, 22))):
        x, y = int(source.integers(-60, width)), int(source.integers(-60, height))
        wide, high = (int(value) for value in source.integers(20, 240, 2))
        ink = tuple(int(value) for value in source.integers(0, 256, 3))
        kind = int(source.integers(4))
        if kind == 0:
            draw.ellipse((x, y, x + wide, y + high), fill=ink)
        elif kind == 1:
            draw.rectangle((x, y, x + wide, y + high), fill=ink)
        elif kind == 2:
            corners = np.add(source.integers(0, 240, (int(source.integers(3, 7)), 2)), (x, y))
            draw.polygon([(int(one), int(other)) for one, other in corners], fill=ink)
        else:
            draw.line((x, y, x + wide, y + high), fill=ink, width=int(source.integers(2, 14)))
    grain = source.normal(0, float(source.uniform(2, 9)), (height, width, 1))
    rough = np.asarray(picture, np.float32) + grain
    return Image.fromarray(rough.clip(0, 255).astype(np.uint8))


def encoded(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """The picture as a JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _crop(picture: Image.Image, share: float) -> Image.Image:
    """The picture without this share of its sides, half of it on each."""
    left, top = round(picture.width * share / 2), round(picture.height * share / 2)
    return picture.crop((left, top, picture.width - left, picture.height - top))


def _watermark(picture: Image.Image) -> Image.Image:
    marked = picture.copy()
    draw = ImageDraw.Draw(marked)
    draw.rectangle((300, 440, 490, 490), fill=(250, 250, 250), outline=(20, 20, 20), width=3)
    draw.text((315, 455), "(c) somebody 2026", fill=(20, 20, 20), font_size=18)
    return marked


COPY: dict[str, Callable[[Image.Image], bytes]] = {
    "exact": encoded,
    "q40": lambda one: encoded(one, 40),
    "resize": lambda one: encoded(one.resize((384, 384), Image.Resampling.LANCZOS)),
    "bright": lambda one: encoded(ImageEnhance.Brightness(one).enhance(1.15)),
    "crop": lambda one: encoded(_crop(one, 0.05).resize((SIDE, SIDE), Image.Resampling.LANCZOS)),
    "watermark": lambda one: encoded(_watermark(one)),
    "mirror": lambda one: encoded(ImageOps.mirror(one)),
    "turned": lambda one: encoded(one.transpose(Image.Transpose.ROTATE_90)),
    "half": lambda one: encoded(_crop(one, 0.3)),
}
FAULT: dict[str, Callable[[int], bytes]] = {
    "blurred": lambda n: encoded(plain(n).filter(ImageFilter.GaussianBlur(4 + n % 5))),
    "dark": lambda n: encoded(ImageEnhance.Brightness(plain(n)).enhance(0.12)),
    "light": lambda n: encoded(Image.blend(plain(n), Image.new("RGB", (SIDE, SIDE), "white"), 0.88)),
    "grey": lambda n: encoded(plain(n).convert("L").convert("RGB")),
    "flat": lambda n: encoded(Image.new("RGB", (SIDE, SIDE), (40 + n * 37 % 180, 60 + n * 53 % 150, n * 91 % 200))),
    "odd_aspect": lambda n: encoded(plain(n, (1024, 160) if n % 2 else (160, 1024))),
    "odd_size": lambda n: encoded(plain(n).resize((48, 48), Image.Resampling.LANCZOS)),
}


def write(folder: Path, share: float = 1.0) -> Path:
    """Write the pictures, and beside them planted.json: by file what it is, and of which file it is a copy."""
    made = folder / "planted.json"
    wanted = {"edition": EDITION, "share": share}
    if made.exists() and json.loads(made.read_text(encoding="utf-8"))["how"] == wanted:
        return folder
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.iterdir():
        old.unlink()
    known: dict[str, dict[str, str]] = {}
    n_plain = round(PLAIN * share)
    for number in range(n_plain):
        (pictures / f"plain-{number:04}.jpg").write_bytes(encoded(plain(number)))
        known[f"plain-{number:04}.jpg"] = {"kind": "plain"}
    origin = 0
    for kind, n in {**COPIES, **HARD}.items():
        where = pictures if kind in COPIES else folder / "hard"
        where.mkdir(exist_ok=True)
        for place in range(max(2, round(n * share))):
            name, of = f"{kind}-{place:04}.jpg", f"plain-{origin:04}.jpg"
            source = pictures / of
            data = source.read_bytes() if kind == "exact" else COPY[kind](plain(origin))
            (where / name).write_bytes(data)
            known[name] = {"kind": kind, "of": of}
            origin += 1
    number = PLAIN
    for kind, n in FAULTS.items():
        for place in range(max(2, round(n * share))):
            (pictures / f"{kind}-{place:04}.jpg").write_bytes(FAULT[kind](number))
            known[f"{kind}-{place:04}.jpg"] = {"kind": kind}
            number += 1
    made.write_text(json.dumps({"how": wanted, "files": known}), encoding="utf-8")
    return folder


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]) / 2_000 if len(sys.argv) > 2 else 1.0)
