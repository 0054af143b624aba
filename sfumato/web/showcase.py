"""Examples for the page that shows every component: real shapes and words, and pictures of the sample that ships."""

import json
import math
import random
import zipfile
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sfumato.data.sources.sample import SHIPPED
from sfumato.statistics.intervals import Interval, wilson
from sfumato.web.charts import Chart, Series, bar_chart, line_chart
from sfumato.web.fields import Field, fields
from sfumato.web.graphs import Edge, Graph, Node, lay_out

MOST = 24
TYPES = {"png": "image/png", "webp": "image/webp"}
FORM = {
    "properties": {
        "samples": {
            "type": "integer",
            "minimum": 1,
            "default": 200_000,
            "description": "pictures to see, counted with repeats",
        },
        "size": {
            "type": "integer",
            "minimum": 8,
            "maximum": 128,
            "multipleOf": 4,
            "default": 32,
            "description": "side of the picture in pixels",
        },
        "optimizer": {"enum": ["muon", "adamw"], "default": "muon", "description": "how steps are taken"},
        "note": {
            "type": "string",
            "maxLength": 400,
            "default": "",
            "description": "why this run, for those who find it later",
        },
        "flip": {
            "type": "boolean",
            "default": True,
            "description": "also show each picture mirrored, where that is allowed",
        },
        "lr": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "default": 0.002,
            "description": "highest learning rate",
        },
        "styles": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["noto", "fluent-3d"],
            "description": "styles to take",
        },
        "seed": {"type": "integer", "minimum": 0, "default": 0, "description": "of weights, order and noise"},
    },
    "required": ["samples"],
}


@cache
def pictures() -> tuple[tuple[str, str, str], ...]:
    """Key, style and name of some pictures of the sample, evenly taken."""
    with zipfile.ZipFile(SHIPPED) as bundle:
        said = [json.loads(line) for line in bundle.read("metadata.jsonl").decode().splitlines() if line]
    return tuple((one["key"], one["style"], one["name"]) for one in said[:: max(1, len(said) // MOST)][:MOST])


@cache
def picture(place: int) -> tuple[bytes, str]:
    """The bytes of one of these pictures and their type."""
    key = pictures()[place][0]
    with zipfile.ZipFile(SHIPPED) as bundle:
        return bundle.read(key), TYPES[key.rpartition(".")[2]]


def tiles() -> list[dict[str, Any]]:
    """Pictures in every state that a tile can have."""
    states = ["", "approved", "", "rejected", "live", "", "held", ""]
    found = []
    for place, (_, style, name) in enumerate(pictures()):
        state = states[place % len(states)]
        found.append(
            {
                "id": f"0193-{place:04d}",
                "href": f"/design?picture={place}",
                "src": f"/design/pictures/{place}",
                "alt": f"{name}, {style}",
                "seed": 7 + place,
                "model": style,
                "state": state,
                "rating": 4 if place % 5 == 1 else None,
                "tenth": None,
                "held": "Held for review: it is close to a picture of the training set" if state == "held" else "",
            }
        )
    return found


def drawing() -> list[dict[str, Any]]:
    """Four pictures that are under way."""
    said = [tiles()[place] | {"state": "", "rating": None, "held": ""} for place in (0, 2, 5, 7)]
    return [one | {"tenth": tenth, "href": "#drawing"} for one, tenth in zip(said, (1, 4, 7, 10), strict=True)]


def curves() -> Chart:
    """A loss that falls, with its held-out twin."""
    noise = random.Random(0)
    seen = [float(step * 500) for step in range(1, 400)]
    loss = [(x, 0.9 * math.exp(-x / 40_000) + 0.11 + noise.gauss(0, 0.012)) for x in seen]
    held_out = [(x, 0.9 * math.exp(-x / 43_000) + 0.15 + noise.gauss(0, 0.004)) for x in seen[::20]]
    return line_chart(
        "Loss", [Series("training", loss), Series("held out", held_out)], "pictures seen", "lower is better"
    )


def shares() -> Chart:
    """Approval by style, with intervals."""
    counts = [("noto", 31, 40), ("fluent-3d", 22, 40), ("fxemoji", 9, 12), ("noto-v1", 2, 9)]
    found = [
        (name, 100 * one.value, 100 * one.low, 100 * one.high)
        for name, one in ((name, wilson(k / n, n)) for name, k, n in counts)
    ]
    return bar_chart("Approved by style", found, "share approved", most=100, unit="%")


def graph() -> Graph:
    """The trace of a picture, from sources to release."""
    nodes = [
        Node("s1", 0, "npm @iconify-json/noto", "1,204 pictures, Apache-2.0", "#s1", strong=True),
        Node("s2", 0, "npm @lobehub/fluent-emoji-3d", "980 pictures, MIT", "#s2"),
        Node("s3", 0, "Folder from-the-studio", "61 pictures, ours", "#s3"),
        Node("d1", 1, "emoji-styles", "dataset, 2,245 pictures", "#d1", "/design/pictures/1", strong=True),
        Node("v1", 2, "emoji-styles 3f7c", "frozen, 211 left out", "#v1", "/design/pictures/2", strong=True),
        Node("r1", 3, "Run warm-llama", "200,000 pictures seen", "#r1", strong=True),
        Node("r2", 3, "Run cold-llama", "stopped at 61,000", "#r2"),
        Node("m1", 4, "Model emoji-32", "live since 21 Nov", "#m1", strong=True),
        Node("p1", 5, "a red llama", "seed 7, noto", "#p1", "/design/pictures/5", strong=True, here=True),
        Node("j1", 6, "Approved by Bea", "“warm, reads at 16 px”", "#j1"),
        Node("l1", 6, "Release autumn", "24 pictures", "#l1"),
    ]
    pairs = [
        ("s1", "d1"),
        ("s2", "d1"),
        ("s3", "d1"),
        ("d1", "v1"),
        ("v1", "r1"),
        ("v1", "r2"),
        ("r1", "m1"),
        ("m1", "p1"),
        ("p1", "j1"),
        ("p1", "l1"),
    ]
    strong = {node.id for node in nodes if node.strong}
    edges = [Edge(parent, child, parent in strong and child in strong) for parent, child in pairs]
    headings = ["Sources", "Dataset", "Version", "Run", "Model", "Picture", "What came of it"]
    return lay_out(nodes, edges, headings)


def form() -> list[Field]:
    """A form from a schema, with one value that does not pass."""
    return fields(
        FORM,
        {
            "size": 130,
            "samples": 200_000,
            "optimizer": "muon",
            "styles": ["noto", "fluent-3d"],
            "flip": True,
            "lr": 0.002,
            "seed": 0,
        },
        {"size": "The largest side is 128."},
        first=["samples", "size", "optimizer", "note", "flip"],
    )


def stations() -> list[tuple[str, int, str, str, str, str]]:
    """The pipeline: name, count, unit, last change, what waits, icon."""
    return [
        ("Data", 2_245, "pictures in 2 datasets", "frozen 2 hours ago", "", "database"),
        ("Train", 3, "runs, 1 under way", "now at 61 %", "", "activity"),
        ("Models", 2, "models, 1 live", "live since 21 Nov", "1 waits for you", "box"),
        ("Create", 418, "pictures", "4 minutes ago", "", "sparkles"),
        ("Check", 12, "held for review", "yesterday", "12 to look at", "shield"),
        ("Judge", 40, "judgements, 31 approved", "3 days ago", "", "scale"),
        ("Launch", 1, "release", "21 Nov 2026", "", "rocket"),
    ]


def asks(at: datetime) -> list[dict[str, Any]]:
    """An open ask, a late one, and one that was answered."""
    about = [("a red llama, seed 7", "#p1", "/design/pictures/5"), ("model emoji-32", "#m1", "")]
    return [
        {
            "id": "1",
            "question": "May the llama go on the tea towels?",
            "made_by": "Mira Okafor",
            "to": "responsible-AI advisor",
            "made_at": at - timedelta(hours=5),
            "due": at + timedelta(days=2),
            "state": "open",
            "late": False,
            "about": about,
            "outcome": "",
        },
        {
            "id": "2",
            "question": "Can we have a better llama by Friday?",
            "made_by": "Bea Lindqvist",
            "to": "Łukasz Żak",
            "made_at": at - timedelta(days=4),
            "due": at - timedelta(days=1),
            "state": "open",
            "late": True,
            "about": about[:1],
            "outcome": "",
        },
        {
            "id": "3",
            "question": "Is the licence of noto fine for print?",
            "made_by": "Mira Okafor",
            "to": "Chidi Anagonye",
            "made_at": at - timedelta(days=9),
            "due": None,
            "state": "closed",
            "late": False,
            "about": [],
            "outcome": "Chidi gave evidence: Apache-2.0 allows it, with the notice kept (licence record 9c41).",
        },
    ]


def showcase(now: datetime | None = None) -> dict[str, Any]:
    """Everything that the design page shows."""
    at = now or datetime.now(UTC)
    said = [
        {
            "made_by": "Bea Lindqvist",
            "made_at": at - timedelta(hours=26),
            "text": "The ears are lost at 16 px.\nCould we try seed 12?",
        },
        {
            "made_by": "Łukasz Żak",
            "made_at": at - timedelta(minutes=4),
            "text": "Seed 12 and 19 are better. I approved 19.",
        },
    ]
    versions = [
        ("3f7c", at - timedelta(hours=2), 12_904, 211, "frozen"),
        ("a01b", at - timedelta(days=3), 12_100, 198, "frozen"),
        ("e88d", at - timedelta(days=12), 9_001, 0, "draft"),
    ]
    return {
        "tiles": tiles(),
        "drawing": drawing(),
        "curves": curves(),
        "shares": shares(),
        "graph": graph(),
        "form": form(),
        "stations": stations(),
        "asks": asks(at),
        "said": said,
        "done": [
            {
                "who": "Łukasz",
                "lead": "commented on ",
                "thing": "a red llama",
                "href": "#trace",
                "rest": "",
                "made_at": said[0]["made_at"],
            },
            {
                "who": "Bea",
                "lead": "froze ",
                "thing": "emoji-styles 3f7c",
                "href": "#h-tables",
                "rest": ": 12,904 pictures, 211 left out",
                "made_at": said[-1]["made_at"],
            },
        ],
        "versions": versions,
        "few": line_chart("Loss", [], "pictures seen", "lower is better"),
        "score": Interval(12.1, 11.7, 12.5, 5_000),
        "approved": wilson(31 / 40, 40),
        "none": wilson(0, 0),
    }
