"""Training cards hold small copies of pictures: what was erased has to leave them as well."""

from collections.abc import Iterator
from pathlib import Path

from sfumato.care.findings import MEND, Examination, some
from sfumato.checkpoints.card import drop_items, open_card
from sfumato.errors import SfumatoError
from sfumato.jobs import Progress


def clean_cards(folder: Path, sha256s: set[str]) -> list[str]:
    """Take pictures out of all cards of a workspace that hold them; returns the names of those cards."""
    return [path.name for path in sorted(folder.glob("*.zip")) if drop_items(path, sha256s)]


def check_cards(exam: Examination) -> Iterator[Progress]:
    """Whether the cards can be read, and hold nothing that was erased."""
    yield Progress(say="training cards")
    erased, wrong = exam.workspace.store.all_erased(), []
    for path in sorted((exam.workspace.path / "cards").glob("*.zip")):
        try:
            card = open_card(path)
        except SfumatoError as problem:
            exam.damage("cards", f"The training card {path.name} cannot be read: {problem.message}", problem.hint)
            continue
        if any(item.get("sha256") in erased for item in card.items):
            wrong.append(path.name)
            if exam.mend:
                drop_items(path, erased)
    if wrong:
        exam.damage("cards", f"Erased pictures are still in training cards: {some(wrong)}.", MEND, mended=exam.mend)
