"""Write the tables, sheets and curves of docs/families.md from what bench/families.py left in a folder.

python -m docs.families FOLDER. The words of the page are kept as they stand; what lies between the marks of a dataset
is written anew.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from sfumato.data.chart_drawing import draw

PAGE = Path(__file__).parent / "families.md"
PICTURES = Path(__file__).parent / "pictures" / "families"
RECIPES = ("flow", "edm", "r3gan")
POINTS = 120  # of a curve: each is the mean of a stretch


def figures(folder: Path, dataset: str) -> list[dict[str, Any]]:
    """What was measured of a dataset's legs, in the order of RECIPES."""
    paths = (folder / f"{dataset}-{recipe}.json" for recipe in RECIPES)
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def table(legs: list[dict[str, Any]]) -> list[str]:
    """The legs as a table, with what real training pictures reach below them."""
    classes = "classes_with_1_percent" in legs[0]
    head = ["recipe", "weights", "processor s", "pictures seen", "rounds", "kernel distance", "density", "coverage"]
    head += ["classes of 10", "distance to even shares"] if classes else []
    rows = [head]
    for leg in legs:
        row = [leg["recipe"], f"{leg['parameters']:,}", f"{leg['cpu_seconds']:.0f}", f"{leg['samples']:,}"]
        row += [f"{leg['rounds']:g}", f"{leg['kernel_distance']:.0f}", *near(leg)]
        row += [str(leg["classes_with_1_percent"]), f"{leg['total_variation_to_even']:.2f}"] if classes else []
        rows.append(row)
    distance = f"{legs[0]['kernel_distance_of_training_pictures']:.0f}"
    real = ["real training pictures", "", "", "", "", distance, *near(legs[0]["of_training_pictures"])]
    rows.append(real + [""] * (len(head) - len(real)))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


def near(found: dict[str, Any]) -> list[str]:
    """Density and coverage as they are written."""
    return [f"{found['density']:.2f}", f"{found['coverage']:.2f}"]


def curve(folder: Path, dataset: str, recipe: str) -> list[dict[str, Any]]:
    """What was measured on the way, as points: seconds, value and what it is."""
    path = folder / f"{dataset}-{recipe}.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    every = max(1, len(lines) // POINTS)
    found = []
    for start in range(0, len(lines), every):
        some = lines[start : start + every]
        for part in some[0]["parts"]:
            name = f"loss of {part}" if part else "loss"
            value = sum(one["parts"][part] for one in some) / len(some)
            found.append({"s": some[-1]["cpu"], "value": value, "what": name, "of": "learning"})
    for line in lines:
        for name, value in (line["held_out"] or {}).items():
            found.append({"s": line["cpu"], "value": value, "what": name, "of": "held out"})
    return found


def drawn(folder: Path, dataset: str, recipe: str) -> bytes:
    """The curves of one leg as a PNG."""
    y = {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}}
    color = {"field": "what", "type": "nominal", "title": None}
    spec = {
        "background": "white", "title": f"{dataset}, {recipe}", "data": {"values": curve(folder, dataset, recipe)},
        "facet": {"column": {"field": "of", "type": "nominal", "title": None, "sort": ["learning", "held out"]}},
        "spec": {
            "width": 320, "height": 180, "mark": {"type": "line", "strokeWidth": 1.5},
            "encoding": {
                "x": {"field": "s", "type": "quantitative", "title": "processor seconds"}, "y": y, "color": color,
            },
        },
        "resolve": {"scale": {"y": "independent"}},
    }  # fmt: skip
    return draw(json.dumps(spec), "png")


def section(folder: Path, dataset: str) -> str:
    """A dataset's part of the page; sheets and curves are written beside it."""
    legs = figures(folder, dataset)
    said = [*table(legs), ""]
    PICTURES.mkdir(parents=True, exist_ok=True)
    for leg in legs:
        recipe = leg["recipe"]
        name = f"{dataset}-{recipe}"
        with Image.open(folder / f"{name}.png") as sheet:
            sheet.convert("RGB").save(PICTURES / f"{name}.webp", quality=80, method=6)
        with Image.open(io.BytesIO(drawn(folder, dataset, recipe))) as chart:
            chart.convert("RGB").quantize(64).save(PICTURES / f"{name}-curves.png", optimize=True)
        said += [f"{recipe}, sixty drawings that nobody picked, and its curves:", "",
                 f"![drawings of {name}](pictures/families/{name}.webp)", "",
                 f"![curves of {name}](pictures/families/{name}-curves.png)", ""]  # fmt: skip
    return "\n".join(said).strip()


def main() -> None:
    """Write the sections of all datasets that the page has marks for and the folder has legs of."""
    folder, page = Path(sys.argv[1]), PAGE.read_text(encoding="utf-8")
    for dataset in sorted({path.stem.rsplit("-", 1)[0] for path in folder.glob("*-*.json")}):
        start, end = f"<!-- {dataset}: written by docs/families.py -->", f"<!-- end of {dataset} -->"
        before, rest = page.split(start)
        page = f"{before}{start}\n{section(folder, dataset)}\n{end}{rest.split(end)[1]}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
