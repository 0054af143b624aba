"""Write docs/findings.md: what the checks found in collections that nobody planted anything in.

python -m docs.findings WORKSPACE NAME=CHECK,CHECK ... on a workspace in which these datasets were collected and
checked. The words around the tables are kept as they stand; what lies between the marks of a dataset is written anew.
"""

import re
import sys
from pathlib import Path

from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.collect import show_dataset
from sfumato.data.findings import list_findings, list_groups
from sfumato.data.items import thumbnail
from sfumato.data.scan import list_checks, list_scans
from sfumato.settings import Settings

PAGE = Path(__file__).parent / "findings.md"
PICTURES = Path(__file__).parent / "pictures" / "findings"
SIDE, ACROSS, DOWN = 96, 10, 2
GROUPED = ("exact_copies", "near_copies")


def sheet(workspace: Workspace, rows: list[list[str]], target: Path) -> None:
    """Thumbnails of contents by their hashes, one list below the other, on white."""
    whole = Image.new("RGB", (ACROSS * SIDE, len(rows) * SIDE), "white")
    for down, contents in enumerate(rows):
        for across, sha256 in enumerate(contents[:ACROSS]):
            with Image.open(thumbnail(workspace, sha256)) as small:
                picture = small.convert("RGBA")
            picture.thumbnail((SIDE - 8, SIDE - 8))
            place = across * SIDE + (SIDE - picture.width) // 2, down * SIDE + (SIDE - picture.height) // 2
            whole.paste(picture, place, picture)
    target.parent.mkdir(parents=True, exist_ok=True)
    whole.save(target, quality=70, method=6)


def shown(workspace: Workspace, name: str, check: str) -> list[list[str]]:
    """The contents that show a check's findings: groups, a few of them in a row, or the worst pictures."""
    if check in GROUPED:
        groups = list_groups(workspace, name=name, check=check, limit=60)
        small = [[one.sha256 for one in group.members] for group in groups if len(group.members) <= 3]
        rows: list[list[str]] = [[]]
        for members in small:
            if len(rows[-1]) + len(members) > ACROSS:
                rows.append([])
            rows[-1] += members
        return rows[:DOWN]
    worst = [one.sha256 for one in list_findings(workspace, name=name, check=check, limit=ACROSS * DOWN)]
    return [worst[:ACROSS], worst[ACROSS:]][: 1 + (len(worst) > ACROSS)]


def section(workspace: Workspace, name: str, pictured: tuple[str, ...]) -> str:
    """What was collected, what each check found, and pictures of some."""
    seen, scans = show_dataset(workspace, name=name), list_scans(workspace, name=name)
    found: dict[str, int] = {}
    for scan in reversed(scans):
        found |= scan.found
    titles = {one.name: one.title for one in list_checks(workspace)}
    lines = [
        f"{seen.n:,} pictures. Licences: {', '.join(f'{key} {n:,}' for key, n in seen.licences.items())}."
        + (f" Not taken: {', '.join(f'{n:,} {why}' for why, n in seen.left_out.items())}." if seen.left_out else ""),
        "", "| check | pictures |", "|---|---|",
    ]  # fmt: skip
    lines += [f"| {titles[check]} | {n:,} |" for check, n in sorted(found.items(), key=lambda one: -one[1]) if n]
    lines += ["", f"Nothing was found by: {', '.join(titles[one] for one in sorted(found) if not found[one])}."]
    for check in pictured:
        if found.get(check):
            target = PICTURES / f"{name}-{check}.webp"
            sheet(workspace, shown(workspace, name, check), target)
            picture = f"![{titles[check]}]({target.relative_to(PAGE.parent)})"
            lines += ["", f"{titles[check].capitalize()}:", "", picture]
    return "\n".join(lines)


def main() -> None:
    """Write the part of each dataset that is named."""
    folder, *asked = sys.argv[1:]
    text = PAGE.read_text()
    with Workspace.open(settings=Settings(workspace=Path(folder))) as workspace:
        for one in asked:
            name, _, checks = one.partition("=")
            written = section(workspace, name, tuple(checks.split(",")) if checks else GROUPED)
            mark = rf"(<!-- {re.escape(name)}: written by docs/findings.py -->\n).*?(<!-- end of {re.escape(name)} -->)"
            if not re.search(mark, text, re.S):
                raise SystemExit(f"docs/findings.md has no place for '{name}'.")
            text = re.sub(mark, lambda found, written=written: f"{found[1]}{written}\n{found[2]}", text, flags=re.S)
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
