"""Every action opens by the doors that it declares; verbs of the system alone are exempt by name."""

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from docs.write import registered

ROOT = Path(__file__).parents[2]
DOORS = {"cli": "sfumato/cli", "library": "sfumato/library.py", "api": "sfumato/web/api"}
# Actions and queries that no person calls, each with the reason.
SYSTEM: dict[str, str] = {
    "data.lines": "a part of data.freeze: reads what is to be frozen",
    "data.candidates": "a part of data.pick_diverse: reads what is to be picked from",
    "data.picked": "a part of data.pick_diverse: looks whether it was written already",
    "data.write_picked": "a part of data.pick_diverse: writes what was picked",
    "data.items_by_content": "a part of data.differing: finds the records of pictures of versions",
    "data.mendable": "a part of data.mend_pixels: reads what is to be mended",
    "item.content": "a part of item.thumb: whether the picture ever had the content that is asked for",
    "item.frozen": "a part of item.uses: reads which lists are to be looked through",
    "item.models": "a part of item.uses: reads which models learnt from versions",
    "data.of_lines": "a part of exports and datasheets: reads what is known beyond a version's lines",
    "data.diversity_rows": "a part of data.diversity: reads which pictures are to be looked at",
    "data.version": "looks a version up for the verbs that take NAME@VERSION",
    "model.find": "looks a model up, with its file, for the verbs that take a model's name",
    "image.publish": "a part of every drawing: nothing leaves without it",
    "people.own_password": "a part of changing a password",
    "people.password_code": "a part of setting a new password: looks the code up before it is hashed",
    "people.kept_password": "a part of signing in: looks up what is compared outside of the transaction",
    "people.sign_in_refused": "a part of signing in: leaves the event of a refusal",
    "data.archived": "a part of listing datasets: counts those that the list leaves out",
    "data.shelved": "a part of the pages of a dataset: what it is called by now; data.show tells everybody",
    "data.keep_best_would": "a part of the page of copies: counts what data.keep_best would do",
    "data.captions_changed": "a part of the page of findings: says that they may be old",
    "data.unfit": "a part of the page of a dataset: counts what data.freeze would leave out",
    "data.findings_by_licence": "a part of the page of licences: data.findings tells of each picture",
    "data.open_questions": "a part of freezing and of datasheets: counts what data.datasheet tells one by one",
    "data.version_by_id": "looks a version up for the run that names it",
}


def reached(door: str) -> set[str]:
    """Return the dotted names that a door's files import or reach through an imported module."""
    place = ROOT / DOORS[door]
    found: set[str] = set()
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        found |= set(modules.values())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                found.add(f"{modules[node.value.id]}.{node.attr}")
    return found


def fronts(verb: Any) -> set[str]:
    """Return the dotted names of a verb and of the functions of its module that call it."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(verb)))
    names = {verb.__name__}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            called = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            if called & names:
                names.add(node.name)
    return {f"{verb.__module__}.{name}" for name in names}


@pytest.mark.parametrize("door", list(DOORS))
def test_what_declares_a_door_can_be_reached_by_it(door):
    open_here = reached(door)
    shut = [verb.name for verb in registered() if door in verb.doors and not fronts(verb) & open_here]
    assert not shut, f"these declare the {door} and cannot be reached by it: {shut}"


def test_what_has_no_door_is_a_system_verb_with_a_reason():
    doorless = {verb.name for verb in registered() if not verb.doors}
    assert doorless == set(SYSTEM)
