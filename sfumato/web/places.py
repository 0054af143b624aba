"""Where a record is shown: every reference has an address, whichever pages the studio has."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from sfumato.people.asking_records import Comment, Reply

ANY = "/records/"  # knows each kind, and sends on to its own page where there is one
OWN = {
    "ask": "/asks/{id}", "person": "/people/{id}", "project": "/settings", "key": "/settings/keys",
    "workspace": "/settings",
    "event": "/audit/{position}",
}  # fmt: skip
PAGES: Mapping[str, tuple[str, ...]] = {  # what a kind's own page may be called, the best first
    "image": ("/pictures/{id}", "/images/{id}"), "job": ("/jobs/{id}",), "item": ("/items/{id}", "/data/items/{id}"),
    "dataset": ("/data/{name}", "/datasets/{name}"), "run": ("/train/{name}", "/runs/{name}"),
    "model": ("/models/{name}",),
    "dataset_version": ("/data/versions/{id}",), "request": ("/create?request={id}",),
}  # fmt: skip
NAMES = {
    "image": "picture", "published": "published file", "checkpoint": "weights", "dataset_version": "dataset version",
    "training_run": "run", "item": "training picture",
}  # fmt: skip
ABOUT = {Comment.KIND: "about", Reply.KIND: "ask_id"}


@lru_cache(maxsize=4_096)
def address_of(ref: str) -> str:
    """The address of a record by its reference; "" for none."""
    kind, _, key = ref.partition("/")
    if not kind:
        return ""
    if kind in OWN and kind != "event":
        return OWN[kind].format(id=quote(key, safe=""))
    return f"{ANY}{quote(ref)}"


def place_of(ref: str) -> str:
    """The address of a record, without a detour for what is looked at most."""
    kind, _, key = ref.partition("/")
    if kind == "image":
        return f"/pictures/{quote(key)}"
    if kind == "request":
        return f"/create?request={quote(key)}"
    return address_of(ref)


def kind_in_words(kind: str) -> str:
    """What a kind of record is called."""
    return NAMES.get(kind, kind.replace("_", " "))


def readable(evidence: str) -> str:
    """The name of a piece of evidence as a person reads it: an id shows its end alone."""
    kind, _, key = evidence.partition("/")
    if key and " " not in evidence and len(key) >= 32:
        return f"{kind_in_words(kind)} …{key[-6:]}"
    return evidence
