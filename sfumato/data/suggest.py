"""Help with captions: suggestions that wait beside a picture until a person accepts or refuses them."""

from typing import Any, Literal

from sqlalchemy import select

from sfumato.actions import Act, action
from sfumato.data.collect import find_dataset
from sfumato.data.decide import apply, in_words, rows_of
from sfumato.data.editing import Expected, write_captions
from sfumato.data.history import DecisionView
from sfumato.data.narrowing import Where, narrow
from sfumato.data.records import KEPT, Dataset, Item
from sfumato.data.verdicts import says, told
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs import JobView, enqueue

Helper = Literal["file", "folder", "neighbours", "labels"]
HELPERS: tuple[Helper, ...] = ("file", "folder", "neighbours", "labels")  # whom to believe first
COLUMN = "name"  # under which a caption is suggested


@action("data.suggest_captions", needs="dataset.write", doors=("api", "cli"))
def suggest_captions(
    act: Act, *, name: str, where: Where | None = None, by: list[Helper] | None = None, with_caption: bool = False
) -> JobView:
    """Ask for captions to be suggested. No caption changes until somebody accepts.

    They come from words in the file, names of folders, captions of pictures that look alike, and ImageNet's names.
    Pictures that have a caption are passed over, unless it is said `with_caption`.
    """
    dataset = find_dataset(act.session, name)
    chosen = [one for one in HELPERS if one in (by or HELPERS)]
    if not with_caption:
        bare = narrow(select(Item.id), dataset.id, where or Where()).where(Item.name == "", Item.state == KEPT).limit(1)
        if act.session.scalar(bare) is None:
            raise InvalidInput(
                "None of these pictures lacks a caption.", hint="`--with-caption` means all of them."
            )
    plain = (where or Where()).model_dump(mode="json", exclude_defaults=True)
    spec = {"dataset": name, "dataset_id": dataset.id, "where": plain, "by": chosen, "with_caption": with_caption}
    act.says(f"asked for suggestions of captions in {name}", subject=dataset.ref)
    return enqueue(act, kind="data.suggest", spec=spec, key=f"data.suggest:{dataset.id}:{sorted(plain)}")


@action("data.accept_suggestions", needs="dataset.write", doors=("api", "cli"))
def accept_suggestions(
    act: Act, *, name: str, where: Where, by: list[Helper] | None = None, reason: str = "",
    expected: Expected = None,
) -> DecisionView:  # fmt: skip
    """Make suggested captions the captions of the pictures that are meant, or only those that a helper suggested."""
    dataset = find_dataset(act.session, name)
    texts = _waiting(act, dataset, where, by)
    return write_captions(
        act, dataset, {item_id: {"name": text} for item_id, text in texts.items()}, verb="accept suggestions",
        title=f"accepted suggested captions of {in_words(len(texts))}", reason=reason, expected=expected,
        details={"where": told(where), "by": list(by or HELPERS)},
    )  # fmt: skip


@action("data.refuse_suggestions", needs="dataset.write", doors=("api", "cli"))
def refuse_suggestions(
    act: Act, *, name: str, where: Where, by: list[Helper] | None = None, reason: str = "",
    expected: Expected = None,
) -> DecisionView:  # fmt: skip
    """Clear suggested captions of the pictures that are meant; their captions stay as they are."""
    dataset = find_dataset(act.session, name)
    texts = _waiting(act, dataset, where, by)
    edits = {
        row.id: {"suggested": {key: value for key, value in row.suggested.items() if key != COLUMN}}
        for row in rows_of(act.session, sorted(texts), ("suggested",))
    }
    decision = apply(
        act, dataset, edits, verb="refuse suggestions", reason=reason, expected=expected,
        name=f"refused suggested captions of {in_words(len(edits))}",
        details={"where": told(where), "by": list(by or HELPERS)},
    )  # fmt: skip
    return says(act, dataset, decision)


def _waiting(act: Act, dataset: Dataset, where: Where, by: list[Helper] | None) -> dict[str, str]:
    """The captions that wait for an answer, by item id; raises NotFound where there are none."""
    if where.state is None and where.ids is None:
        where = where.model_copy(update={"state": KEPT})
    asked = narrow(select(Item.id, Item.suggested), dataset.id, where.model_copy(update={"suggested": True}))
    found: dict[str, str] = {}
    for item_id, suggested in act.session.execute(asked):
        said: dict[str, Any] = suggested.get(COLUMN) or {}
        if said.get("text") and (by is None or said.get("by") in by):
            found[item_id] = said["text"]
    if not found:
        raise NotFound(
            f"No suggested caption waits among these pictures of '{dataset.name}'.",
            hint=f"Run: sfumato data suggest {dataset.name}",
        )
    return found
