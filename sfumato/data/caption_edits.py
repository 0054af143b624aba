"""Changing many captions in one go: what would become of each is shown first, and it is one decision."""

import html
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sfumato.actions import Act, Workspace, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import meant, rows_of
from sfumato.data.editing import LONGEST, Expected, caption_of, tags_of, write_captions
from sfumato.data.history import DecisionView
from sfumato.data.items import read_where
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import told
from sfumato.errors import InvalidInput, NotFound

Part = Literal["caption", "tags"]
SECONDS = 10  # that a pattern of somebody may take for all captions
SUBSTITUTE = """
import json, re, sys
pattern, flags, by, longest, texts = json.load(sys.stdin)
try:
    found, after = re.compile(pattern, flags), []
    for text in texts:
        after.append(found.sub(by, text))
        if len(after[-1]) > max(longest, len(text)):
            sys.exit(f"a text would have more than {longest:,} letters")
    json.dump(after, sys.stdout)
except (re.error, IndexError, RecursionError, OverflowError) as problem:
    sys.exit(str(problem))
"""


@dataclass(frozen=True)
class Change:
    """What becomes of one picture's caption or tags."""

    item_id: str
    before: str
    after: str


@dataclass(frozen=True)
class CaptionPreview:
    """How many captions would change, of how many that were looked at, and the first of them."""

    n: int
    of: int
    first: list[Change]


@dataclass(frozen=True)
class CaptionEdit:
    """What is to be done to captions or tags, in this order: mend, find and replace, remove, add."""

    part: Part = "caption"
    find: str = ""
    replace: str = ""
    regex: bool = False
    case: bool = False
    add_before: str = ""
    add_after: str = ""
    remove: str = ""
    lint: bool = False

    def check(self) -> None:
        """Raise InvalidInput where nothing is asked for, or it cannot be done."""
        if not (self.find or self.add_before or self.add_after or self.remove or self.lint):
            raise InvalidInput("Say what is to change.", hint="Find and replace, add words, remove words, or lint.")
        if max(map(len, (self.find, self.replace, self.add_before, self.add_after, self.remove))) > 500:
            raise InvalidInput("At most 500 letters can be looked for, added or removed.")
        if self.regex and self.find:
            try:
                re.compile(self.find)
            except (re.error, RecursionError, OverflowError) as problem:
                raise InvalidInput(f"The pattern '{self.find}' cannot be read: {problem}.") from problem

    def in_words(self) -> str:
        """What was done, for a decision's name."""
        parts = ["mended the writing"] * self.lint
        parts += [f"'{self.find}' → '{self.replace}'"] * bool(self.find)
        parts += [f"removed '{self.remove}'"] * bool(self.remove)
        parts += [f"added '{self.add_before or self.add_after}'"] * bool(self.add_before or self.add_after)
        return f"{self.part if self.part == 'tags' else 'captions'}: {', '.join(parts)}"


@dataclass(frozen=True)
class Planned:
    """Captions or tags as they are, with what each picture's revision was."""

    ids: list[str]
    revisions: list[int]
    texts: list[list[str]]


def preview_captions(
    workspace: Workspace,
    *,
    name: str,
    where: str = "",
    part: Part = "caption",
    find: str = "",
    replace: str = "",
    regex: bool = False,
    case: bool = False,
    add_before: str = "",
    add_after: str = "",
    remove: str = "",
    lint: bool = False,
    limit: int = 20,
) -> CaptionPreview:
    """What changing captions would do, with nothing changed: how many, and the first before and after."""
    edit = CaptionEdit(part, find, replace, regex, case, add_before, add_after, remove, lint)
    edit.check()
    planned = _planned(workspace, name=name, where=read_where(where), part=part)
    after = edited(planned.texts, edit)
    changed = [
        Change(one, ", ".join(old), ", ".join(new))
        for one, old, new in zip(planned.ids, planned.texts, after, strict=True)
        if old != new
    ]
    return CaptionPreview(len(changed), len(planned.ids), changed[: max(1, min(limit, 200))])


def edit_captions(
    workspace: Workspace,
    *,
    name: str,
    where: Where,
    part: Part = "caption",
    find: str = "",
    replace: str = "",
    regex: bool = False,
    case: bool = False,
    add_before: str = "",
    add_after: str = "",
    remove: str = "",
    lint: bool = False,
    reason: str = "",
    title: str = "",
) -> DecisionView:
    """Change many captions, or tags, as one decision: find and replace, add words, remove words, mend the writing.

    A pattern (`regex`) may take ten seconds for all of them. Raises Conflict where somebody changed one meanwhile.
    """
    edit = CaptionEdit(part, find, replace, regex, case, add_before, add_after, remove, lint)
    edit.check()
    planned = _planned(workspace, name=name, where=where, part=part)
    after = edited(planned.texts, edit)
    column = "name" if part == "caption" else "tags"
    edits, expected = {}, {}
    for one, revision, old, new in zip(planned.ids, planned.revisions, planned.texts, after, strict=True):
        if old != new:
            edits[one] = {column: caption_of(new[0]) if part == "caption" else tags_of(new)}
            expected[one] = revision
    if not edits:
        raise NotFound(f"None of {len(planned.ids):,} captions would change.", hint="Look at the preview first.")
    details = {"where": told(where), "edit": {key: value for key, value in vars(edit).items() if value}}
    return _write(
        workspace, name=name, edits=edits, expected=expected, title=title or edit.in_words(), reason=reason,
        details=details,
    )  # fmt: skip


@query("data.preview_captions", doors=("api", "cli"))
def _planned(act: Act, *, name: str, where: Where, part: Part) -> Planned:
    """Show what changing captions would do, with nothing changed: how many, and the first before and after."""
    dataset = find_dataset(act.session, name)
    ids = meant(act.session, dataset, where)
    rows = list(rows_of(act.session, ids, ("revision", "name" if part == "caption" else "tags")))
    return Planned(
        [row.id for row in rows], [row.revision for row in rows],
        [[row.name] if part == "caption" else list(row.tags) for row in rows],
    )  # fmt: skip


@action("data.edit_captions", needs="dataset.write")
def _write(
    act: Act, *, name: str, edits: dict[str, Any], expected: Expected, title: str, reason: str, details: dict[str, Any]
) -> DecisionView:
    """Change many captions as one decision: find and replace, add words, remove words, mend the writing."""
    dataset = find_dataset(act.session, name)
    return write_captions(
        act, dataset, edits, verb="edit captions", reason=reason, title=title, expected=expected, details=details
    )


def edited(texts: Sequence[Sequence[str]], edit: CaptionEdit) -> list[list[str]]:
    """The texts of each picture as they become; a tag that is nothing any more is gone."""
    flat = [text for some in texts for text in some]
    if edit.lint:
        flat = [lint(text) for text in flat]
    if edit.find:
        flat = _substituted(flat, edit)
    for words in filter(None, (one.strip() for one in edit.remove.split(","))):
        found = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE)
        flat = [_tidied(found.sub(" ", text)) if found.search(text) else text for text in flat]
    left, after = iter(flat), []
    before, behind = edit.add_before.strip(), edit.add_after.strip()
    for some in texts:
        own = [next(left) for _ in some]
        if edit.part == "tags":
            own = list(dict.fromkeys(one for one in (before, *own, behind) if one))
        else:
            own = [_joined(before, own[0], behind)]
        after.append(own)
    return after


def lint(text: str) -> str:
    """A text with its writing mended: entities, underscores, space, quotes around all, words and commas twice."""
    said = unicodedata.normalize("NFC", html.unescape(text)).replace("_", " ").replace("\u200b", "")
    said = re.sub(r"\.(?:jpe?g|png|gif|webp|bmp|svg)$", "", said.strip(), flags=re.IGNORECASE)
    said = re.sub(r"\b(\w+)(?: \1\b)+", r"\1", " ".join(said.split()), flags=re.IGNORECASE)
    for quote, other in (('"', '"'), ("'", "'"), ("“", "”")):
        if len(said) > 1 and said[0] == quote and said[-1] == other and quote not in said[1:-1]:
            said = said[1:-1]
    return _tidied(said).rstrip(" .,;:")


def _tidied(text: str) -> str:
    """A text without the space and the commas that something taken out of it leaves behind."""
    said = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))
    return re.sub(r"(?:,\s*){2,}", ", ", said).strip(" ,")


def _joined(before: str, text: str, behind: str) -> str:
    """A caption with words before and behind it, once: what it begins or ends with already is not said again."""
    said = text if not before or text.lower().startswith(before.lower()) else f"{before} {text}".strip()
    if not behind or said.lower().endswith(behind.lower()):
        return said
    return f"{said}{behind}" if behind[0] in ",.;:!?" else f"{said} {behind}".strip()


def _substituted(texts: list[str], edit: CaptionEdit) -> list[str]:
    """Find and replace; somebody's own pattern works in a process of its own, which is ended when it takes too long."""
    flags = 0 if edit.case else re.IGNORECASE
    if not edit.regex:
        found = re.compile(re.escape(edit.find), flags)
        return [" ".join(found.sub(lambda _: edit.replace, text).split()) for text in texts]
    given = json.dumps([edit.find, flags, edit.replace, LONGEST, texts])
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", SUBSTITUTE], input=given, capture_output=True, text=True, check=False,
            timeout=SECONDS, encoding="utf-8",
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise InvalidInput(
            f"The pattern '{edit.find}' takes more than {SECONDS} seconds for {len(texts):,} texts.",
            hint="Write a simpler one, without repeats within repeats.",
        ) from late
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1:] or ["it cannot be used"]
        raise InvalidInput(f"'{edit.find}' → '{edit.replace}' cannot be done: {why[0]}.")
    return [" ".join(str(text).split()) for text in json.loads(done.stdout)]
