"""Make emoji-sample.zip anew from the corpus, once that is collected and frozen as emoji-styles.

python -m sfumato.data.sample.make [--workspace DIR]

Pictures are kept byte for byte as they were collected, so that their hashes are those of the whole corpus.
"""

import argparse
import json
import zipfile
from pathlib import Path

from sfumato.actions import Workspace
from sfumato.data.freeze import ItemLine
from sfumato.data.pictures import kind_of
from sfumato.data.versions import FrozenVersion, open_version

TARGET = Path(__file__).parent / "emoji-sample.zip"
LARGEST = 1_500_000
SAID = ("name", "tags", "style", "category", "concept", "licence", "author", "source", "source_version", "url")
# Things that are drawn in four or five styles; seven of them are among the concepts that freezing holds out.
THINGS = """
airplane, automobile, balloon, banana, bear, bell, bird, birthday cake, blue circle, bus, cactus, candle, candy, cat,
cherries, cloud, crescent moon, crown, dog, doughnut, elephant, fire, fish, frog, glasses, grapes, green apple, guitar,
hammer, headphone, horse, hot beverage, house, ice cream, key, lady beetle, light bulb, lemon, mushroom, open book,
palm tree, peach, pear, pencil, penguin, pig, pineapple, red apple, red circle, rocket, rose, sailboat, snail,
snowflake, soccer ball, star, strawberry, sunflower, tomato, trophy, tulip, turtle, umbrella, watermelon
"""
# Things that are drawn in one to three styles, since a corpus always has those as well.
RARE = "lime, lotus, phoenix, shovel, treasure chest, trombone, coral, blueberries"


def chosen(version: FrozenVersion) -> list[ItemLine]:
    """The lines of the things named above, in the corpus's order; raises ValueError for a thing that is not there."""
    wanted = {thing.strip() for thing in f"{THINGS},{RARE}".split(",")}
    lines = [line for line in version.items if line.concept in wanted]
    missing = wanted - {line.concept for line in lines}
    if missing:
        raise ValueError(f"the corpus does not hold {', '.join(sorted(missing))}")
    return lines


def write_sample(version: FrozenVersion, target: Path) -> int:
    """Write pictures and what is said of them into a zip, the same input always as the same bytes; returns how many."""
    lines = chosen(version)
    said = []
    with zipfile.ZipFile(target, "w") as bundle:
        for line in lines:
            data = version.read_bytes(line)
            key = f"{line.style}/{line.concept.lower().replace(' ', '-')}.{kind_of(data)}"
            said.append({"key": key, **line.model_dump(include={*SAID, "flip_ok"})})
            bundle.writestr(zipfile.ZipInfo(key), data)
        text = "\n".join(json.dumps(one, ensure_ascii=False, sort_keys=True) for one in said)
        bundle.writestr(zipfile.ZipInfo("metadata.jsonl"), text, zipfile.ZIP_DEFLATED, 9)
    return len(lines)


def main() -> None:
    """Write the sample beside this file, and refuse one that is too large to ship."""
    parser = argparse.ArgumentParser(description="Make the sample that ships with Sfumato.")
    parser.add_argument("--workspace", type=Path, help="where emoji-styles was collected and frozen")
    draft = TARGET.with_suffix(".draft")
    with Workspace.open(parser.parse_args().workspace, create=False) as workspace:
        n = write_sample(open_version(workspace, "emoji-styles"), draft)
    size = draft.stat().st_size
    if size > LARGEST:
        draft.unlink()
        raise ValueError(f"the sample has {size:,} bytes, {LARGEST:,} are allowed")
    draft.replace(TARGET)
    print(f"{n} pictures, {size:,} bytes")


if __name__ == "__main__":
    main()
