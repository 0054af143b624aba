"""Pictures in the terminal: by the kitty, iTerm2 or sixel protocol if there is one, else as half blocks."""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import Console

GAP = 8
SIXEL_TERMINALS = ("foot", "mlterm", "contour", "yaft")
PAPER = (246, 244, 239)


def protocol(environment: Mapping[str, str], *, terminal: bool) -> str:
    """Return how pictures can be shown here: "kitty", "iterm", "sixel", "blocks" or "none"."""
    name, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if not terminal or name == "dumb" or "NO_COLOR" in environment:
        return "none"
    if environment.get("TMUX") or name.startswith("screen"):  # they swallow the protocols of what they run in
        return "blocks"
    if "KITTY_WINDOW_ID" in environment or "kitty" in name or program.lower() == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm"):
        return "iterm"
    return "sixel" if "sixel" in name or name.startswith(SIXEL_TERMINALS) else "blocks"


def show(paths: Sequence[Path], console: "Console") -> None:
    """Show the pictures in one row in the terminal, or nothing where it cannot."""
    way = protocol(os.environ, terminal=console.is_terminal)
    if way == "none" or not paths:
        return
    columns = min(console.width, 24 * len(paths))
    if way == "blocks":
        console.print(half_blocks(row(paths, side=max(8, columns // len(paths) - 1), gap=1)))
        return
    strip = row(paths, side=128, gap=GAP)
    code = {"kitty": kitty, "iterm": iterm, "sixel": sixel}[way](strip)
    console.file.write(code + "\n")


def row(paths: Sequence[Path], *, side: int, gap: int) -> "Image.Image":
    """Compose pictures into one RGB row of squares of the given side, on paper where they are transparent."""
    from PIL import Image

    strip = Image.new("RGB", (len(paths) * (side + gap) - gap, side), PAPER)
    for place, path in enumerate(paths):
        with Image.open(path) as picture:
            tile = picture.convert("RGBA")
        larger = tile.width < side
        tile = tile.resize((side, side), Image.Resampling.NEAREST if larger else Image.Resampling.BOX)
        strip.paste(tile, (place * (side + gap), 0), tile)
    return strip


def half_blocks(picture: "Image.Image") -> str:
    """Draw an RGB picture with two pixels to a character: above as ink, below as ground. Rich markup."""
    lines = []
    for y in range(0, picture.height - picture.height % 2, 2):
        cells = []
        for x in range(picture.width):
            above, below = picture.getpixel((x, y)), picture.getpixel((x, y + 1))
            cells.append(f"[rgb({_comma(above)}) on rgb({_comma(below)})]▀[/]")
        lines.append("".join(cells))
    return "\n".join(lines)


def _comma(colour: object) -> str:
    assert isinstance(colour, tuple)
    return ",".join(str(part) for part in colour)


def _png(picture: "Image.Image") -> str:
    held = io.BytesIO()
    picture.save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


def kitty(picture: "Image.Image") -> str:
    """Return the escape sequence of the kitty graphics protocol: PNG in chunks of 4,096 characters."""
    data = _png(picture)
    chunks = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    parts = []
    for place, chunk in enumerate(chunks):
        head = "a=T,f=100," if place == 0 else ""
        more = int(place < len(chunks) - 1)
        parts.append(f"\x1b_G{head}m={more};{chunk}\x1b\\")
    return "".join(parts)


def iterm(picture: "Image.Image") -> str:
    """Return the escape sequence of iTerm2's inline images."""
    data = _png(picture)
    return f"\x1b]1337;File=inline=1;width={picture.width}px;preserveAspectRatio=1:{data}\x07"


def sixel(picture: "Image.Image") -> str:
    """Return an RGB picture as DEC sixels in 64 colours: bands of six rows, one pass per colour of a band."""
    import numpy as np
    from PIL import Image

    flat = picture.quantize(64, dither=Image.Dither.NONE)
    palette = (flat.getpalette() or [])[: 64 * 3]
    pixels = np.asarray(flat)  # [height, width]
    parts = [f'\x1bPq"1;1;{picture.width};{picture.height}']
    for number in np.unique(pixels).tolist():
        red, green, blue = (round(part * 100 / 255) for part in palette[number * 3 : number * 3 + 3])
        parts.append(f"#{number};2;{red};{green};{blue}")
    for top in range(0, picture.height, 6):
        band = pixels[top : top + 6]
        weights = 1 << np.arange(len(band))[:, None]
        for number in np.unique(band).tolist():
            bits = ((band == number) * weights).sum(0)  # [width]
            parts.append(f"#{number}" + "".join(chr(63 + bit) for bit in bits.tolist()) + "$")
        parts.append("-")
    return "".join(parts) + "\x1b\\"
