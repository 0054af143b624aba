"""The look: every macro escapes what it is given, nothing is inline, every token exists, what is vendored is whole."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from sfumato.statistics.intervals import Interval, wilson
from sfumato.web import showcase, words
from sfumato.web.assets import FOLDER, SHEETS, static, version
from sfumato.web.charts import Series, bar_chart, line_chart, marked, ticks
from sfumato.web.fields import errors_of, fields, read_form
from sfumato.web.graphs import Edge, Node, lay_out
from sfumato.web.look import COMPONENTS, TEMPLATES, icon, icon_names, letters, make_environment
from tests.web.framed import frame

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'</textarea></title>"
CSS = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in sorted(FOLDER.rglob("*.css"))}
PAGES = {path.relative_to(TEMPLATES).as_posix(): path.read_text() for path in sorted(TEMPLATES.rglob("*.html"))}
SCRIPTS = {path.name: path.read_text() for path in sorted((FOLDER / "js").glob("*.js"))}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ASK = {
    "id": EVIL,
    "question": EVIL,
    "made_by": EVIL,
    "to": EVIL,
    "made_at": NOW,
    "due": NOW,
    "state": EVIL,
    "late": True,
    "outcome": EVIL,
    "about": [(EVIL, EVIL, EVIL)],
}
TILE = {"id": EVIL, "href": EVIL, "src": EVIL, "alt": EVIL, "seed": EVIL, "model": EVIL, "state": EVIL, "held": ""}
GRAPH = lay_out(
    [Node("a", 0, EVIL, EVIL, EVIL, EVIL), Node("b", 1, EVIL, EVIL, EVIL, EVIL, True, True)], [Edge("a", "b")], [EVIL]
)
FIELDS = fields({"properties": {EVIL: {"type": "string", "description": EVIL}}}, {EVIL: EVIL}, {EVIL: EVIL})
CALLS = {
    "ask": ("ask_card(x.ask, x.evil)", {"ask": ASK}),
    "card": (
        "card(x.evil, x.evil, x.evil) ~ facts([(x.evil, x.evil)])"
        " ~ station(x.evil, x.evil, x.evil, x.evil, x.evil, x.evil)",
        {},
    ),
    "chart": (
        "chart(x.line) ~ chart(x.bars)",
        {
            "line": line_chart(EVIL, [Series(EVIL, [(0, 1), (1, 2)]), Series(EVIL, [(0, 2)])], EVIL, EVIL),
            "bars": bar_chart(EVIL, [(EVIL, 1, 0, 2)], EVIL, unit=EVIL),
        },
    ),
    "comments": (
        "comments([x.said], x.evil, x.evil, x.evil)",
        {"said": {"made_by": EVIL, "made_at": NOW, "text": EVIL + "\n" + EVIL}},
    ),
    "dialog": (
        "opener(x.evil, x.evil, x.evil) ~ confirm(x.evil, x.evil, x.evil, x.evil, x.evil, {x.evil: x.evil})",
        {},
    ),
    "empty": ("empty(x.evil, x.evil, x.evil, x.evil, x.evil, 'image', x.evil)", {}),
    "form": ("form(x.evil, x.evil, x.fields, {x.evil: x.evil}, x.evil)", {"fields": FIELDS}),
    "gallery": ("gallery([x.tile], x.evil, rate=x.evil, judge=x.evil, compare=x.evil)", {"tile": TILE}),
    "menu": ("menu(x.evil, [(x.evil, x.evil, 'copy')], text=x.evil) ~ tabs(x.evil, [(x.evil, x.evil, 3)], x.evil)", {}),
    "number": (
        "number(x.found, x.evil, x.evil, 0, x.evil, x.evil) ~ count(x.evil, x.evil, x.evil)",
        {"found": Interval(1, 0, 2, 3)},
    ),
    "person": ("person(x.evil, x.evil, x.evil)", {}),
    "progress": (
        "progress(1, 2, x.evil, x.evil, x.evil) ~ job_card(x.evil, 'running', 1, 2, *([x.evil] * 9))",
        {},
    ),
    "same": ("same(x.evil, x.evil, x.evil, x.evil)", {}),
    "sentence": (
        "activity([x.said])",
        {"said": {"who": EVIL, "lead": EVIL, "thing": EVIL, "href": EVIL, "rest": EVIL, "made_at": NOW}},
    ),
    "status": ("status(x.evil, x.evil)", {}),
    "table": (
        "table(x.evil, [{'text': x.evil, 'sort': x.evil, 'order': 'up', 'kind': x.evil}], [[x.evil]], "
        "x.evil, x.evil, x.evil, x.evil)",
        {},
    ),
    "tile": ("tile(x.tile) ~ tile(x.held)", {"tile": TILE, "held": TILE | {"held": EVIL}}),
    "toast": ("toasts_region([(x.evil, x.evil)]) ~ notice(x.evil, x.evil, x.evil)", {}),
    "trace": ("trace(x.graph, x.evil)", {"graph": GRAPH}),
}


class Strict(HTMLParser):
    """Finds what hostile text could have become: elements and attributes that no template of ours writes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "script" or any(name.startswith("on") or name == "style" for name, _ in attrs):
            self.found.append(f"<{tag} {attrs}>")
        if tag == "img" and ("src", "x") in attrs:
            self.found.append("img")


def macros(name: str) -> str:
    return ", ".join(re.findall(r"{% macro (\w+)\(", PAGES[f"components/{name}.html"]))


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_writes_hostile_text_as_text(name):
    call, values = CALLS[name]
    source = f"{{% from 'components/{name}.html' import {macros(name)} with context %}}{{{{ {call} }}}}"
    said = make_environment().from_string(source).render(frame(x={"evil": EVIL, **values}))
    strict = Strict()
    strict.feed(said)
    assert not strict.found
    assert "&lt;script&gt;" in said


def test_the_frame_writes_hostile_names_as_text():
    shown = frame()
    shown["me"].name = shown["me"].project.name = EVIL
    shown["page"] |= {"title": EVIL, "crumbs": [(EVIL, EVIL), (EVIL, "")], "keys": [(EVIL, EVIL)], "here": EVIL}
    said = make_environment().get_template("base.html").render(shown, toasts=[("fails", EVIL)])
    strict = Strict()
    strict.feed(said.replace('<script type="module"', "<module"))
    assert not strict.found


def test_every_component_is_tried_and_shown_on_the_design_page():
    assert set(CALLS) == set(COMPONENTS)
    used = PAGES["design/index.html"] + PAGES["components/gallery.html"]
    assert not [name for name in COMPONENTS if f"components/{name}.html" not in used]


@pytest.mark.parametrize("name", list(PAGES))
def test_no_page_has_a_script_or_a_style_of_its_own(name):
    text = PAGES[name]
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "https://" not in text
    assert "| safe" not in text
    assert "|safe" not in text


def test_every_token_that_is_used_is_defined():
    defined = set(re.findall(r"(--[\w-]+)\s*:", "".join(CSS.values())))
    used = set(re.findall(r"var\((--[\w-]+)", "".join(CSS.values())))
    assert used
    assert not used - defined
    assert not defined - used - {f"--space-{n}" for n in range(20)}, "a token that nothing uses"


def test_sheets_and_scripts_are_short_and_ask_nobody_else():
    assert set(SHEETS) == set(CSS)
    for name, text in (CSS | SCRIPTS).items():
        assert len(text.splitlines()) <= 400, name
        assert not re.search(r"https?://", text), name
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write|insertAdjacentHTML", text), name


def test_colours_are_tokens():
    for name, text in CSS.items():
        if name != "css/tokens.css":
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*{)", text), name


def test_every_class_and_script_that_the_page_loads_is_there():
    entry = SCRIPTS["studio.js"]
    assert {f"{name}.js" for name in re.findall(r'import "\./(\w+)\.js"', entry)} <= set(SCRIPTS)
    assert [static(sheet) for sheet in SHEETS]
    with pytest.raises(FileNotFoundError):
        static("css/nowhere.css")


def test_what_is_vendored_is_what_the_manifest_says():
    listed = json.loads((FOLDER / "vendor/manifest.json").read_text())
    for one in listed:
        assert hashlib.sha256((FOLDER / one["file"]).read_bytes()).hexdigest() == one["sha256"], one["file"]
        assert all(one[key] for key in ("name", "version", "licence"))
    own = {"icons/mark.svg"}
    kept = {p.relative_to(FOLDER).as_posix() for folder in ("fonts", "icons") for p in (FOLDER / folder).iterdir()}
    assert kept - own == {one["file"] for one in listed}
    fonts = sum(path.stat().st_size for path in (FOLDER / "fonts").glob("*.woff2"))
    assert fonts < 200_000


def test_an_icon_is_silent_beside_a_word_and_named_where_it_stands_alone():
    assert 'aria-hidden="true"' in icon("star")
    assert 'aria-label="Close &lt;it&gt;"' in icon("x", "Close <it>")
    with pytest.raises(KeyError, match="no icon"):
        icon("unicorn")


def test_every_icon_that_a_page_names_ships():
    named = set(re.findall(r'icon\("([a-z0-9-]+)"', "".join(PAGES.values())))
    assert named
    assert not named - icon_names()


def test_a_name_that_a_page_does_not_get_is_an_error():
    with pytest.raises(UndefinedError):
        make_environment().from_string("{{ nothing }}").render()


def test_the_address_of_the_assets_names_their_content():
    assert static("js/studio.js") == f"/static/{version()}/js/studio.js"


def test_each_desk_gets_a_letter_of_its_own():
    given = letters(frame()["desks"])
    assert given["home"] == "h"
    assert len(set(given.values())) == len(given)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.number(12904), "12,904"),
        (words.number(0.01234), "0.0123"),
        (words.number(None), "–"),
        (words.number(3.14159), "3.14"),
        (words.number(float("nan")), "–"),
        (words.interval(Interval(12.1, 11.7, 12.5, 5000)), "12.1 ± 0.4, n = 5,000"),
        (words.interval(wilson(31 / 40, 40), "%"), "78 % (62–88 %), n = 40"),
        (words.interval(wilson(0, 0)), "not enough data"),
        (words.ago(NOW - timedelta(seconds=9), NOW), "just now"),
        (words.ago(NOW - timedelta(minutes=4), NOW), "4 minutes ago"),
        (words.ago(NOW - timedelta(days=90), NOW), "26 Aug 2026"),
        (words.ago(None), "never"),
        (words.ago(NOW.replace(tzinfo=None) - timedelta(hours=1), NOW), "1 hour ago"),
        (words.date(NOW, True), "24 Nov 2026, 12:00 UTC"),
        (words.duration(200), "3 min 20 s"),
        (words.duration(0.84), "0.8 s"),
        (words.duration(timedelta(days=4, hours=3)), "4 days 3 h"),
        (words.size(812), "812 bytes"),
        (words.size(48_256), "48 kB"),
        (words.size(1_900_000_000), "1.9 GB"),
        (words.size(999_600), "1.0 MB"),
        (words.plural(1, "picture"), "1 picture"),
        (words.plural(12904, "picture"), "12,904 pictures"),
        (words.plural(2, "ask waits", "asks wait"), "2 asks wait"),
        (words.short("image/0193-89ab9c41d2"), "9c41d2"),
        (words.initials("Bea Lindqvist"), "BL"),
        (words.initials(""), "?"),
        (words.tenth(61, 100), 6),
        (words.tenth(1, 0), 0),
    ],
)
def test_numbers_and_times_are_said_as_people_say_them(said, expected):
    assert said == expected


def test_a_form_reads_back_what_its_schema_wants():
    sent = {
        "samples": "1,000",
        "size": "32",
        "optimizer": "adamw",
        "styles": "noto\n fluent-3d \n",
        "lr": "0.01",
        "seed": "",
    }
    assert read_form(showcase.FORM, sent) == {
        "samples": 1000,
        "size": 32,
        "optimizer": "adamw",
        "styles": ["noto", "fluent-3d"],
        "lr": 0.01,
        "flip": False,
    }
    assert read_form(showcase.FORM, {"size": "big", "flip": "true"}) == {"size": "big", "flip": True}


def test_a_form_of_a_recipe_says_its_bounds_and_what_was_wrong():
    from pydantic import ValidationError

    from sfumato.training.recipes.enlarge import Options

    schema = Options.model_json_schema()
    with pytest.raises(ValidationError) as wrong:
        Options(**read_form(schema, {"size": "4", "batch": "many"}))
    found = {one.name: one for one in fields(schema, errors=errors_of(wrong.value), first=["size", "samples"])}
    assert found["size"].bounds == "8 to 512, in steps of 4"
    assert found["seed"].most == 2**31 - 1
    assert found["size"].error
    assert found["batch"].error == "A whole number is needed."
    assert found["depth"].expert
    assert not found["samples"].expert


def test_a_fall_at_the_beginning_does_not_flatten_what_follows_and_is_told():
    points = [(0.0, 9.0), (1.0, 3.0), *((float(x), 0.2 - x / 1000) for x in range(10, 101))]
    plain, falls = (line_chart("Loss", [Series("t", points)], "step", "loss", falls=one) for one in (False, True))
    assert plain.y_label == "loss"
    assert falls.y_label == "loss; begins at 9, above the chart"
    assert max(float(tick.text) for tick in falls.y_ticks) < 0.3 < max(float(tick.text) for tick in plain.y_ticks)
    assert falls.lines[0].path.startswith("M0.0 0.0L10.0 0.0L")
    assert falls.lines[0].last == "0.100"
    assert falls.rows == plain.rows
    level = [(float(x), 1.0 + x % 2) for x in range(100)]
    assert line_chart("Loss", [Series("t", level)], "step", "loss", falls=True).y_label == "loss"


def test_a_long_line_keeps_its_spikes_and_its_end():
    points = [(float(x), 1.0) for x in range(5000)]
    points[1234] = (1234.0, 9.0)
    drawn = line_chart("Loss", [Series("training", points)], "step", "loss")
    assert drawn.lines[0].path.count("L") < 300
    assert " 100.0" in drawn.lines[0].path
    assert drawn.rows[-1] == ["4,999", "1"]
    assert (
        line_chart("Loss", [Series("t", [(0.0, float("nan"))])], "step", "loss").says == "There is nothing to draw yet."
    )
    assert marked(ticks(0, 1.2, 4)) == ["0.0", "0.5", "1.0", "1.5"]
    assert max(map(len, marked(ticks(0.46971782, 0.4697179, 4)))) <= 7, "two values that are all but one"


def test_a_trace_stands_in_columns_and_leads_from_parent_to_child():
    graph = lay_out(
        [Node("a", 0, "a"), Node("b", 0, "b"), Node("c", 2, "c")], [Edge("a", "c", True), Edge("gone", "c")]
    )
    at = {one.node.id: one for one in graph.nodes}
    assert at["a"].x < at["c"].x
    assert at["a"].y < at["b"].y
    assert [parent.id for parent in at["c"].parents] == ["a"]
    assert len(graph.edges) == 1
    assert lay_out([], []).nodes == []
