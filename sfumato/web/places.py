"""Where a record is looked at: the desk's own page where it has one, else the page that any record has."""

from urllib.parse import quote

NAMES = {
    "image": "picture", "published": "published file", "checkpoint": "weights", "dataset_version": "dataset version",
    "training_run": "run", "item": "training picture",
}  # fmt: skip


def place_of(ref: str) -> str:
    """The address of a record."""
    kind, _, key = ref.partition("/")
    if kind == "image":
        return f"/pictures/{quote(key)}"
    if kind == "request":
        return f"/create?request={quote(key)}"
    return f"/records/{quote(ref)}"


def kind_in_words(kind: str) -> str:
    """What a kind of record is called."""
    return NAMES.get(kind, kind.replace("_", " "))


def readable(evidence: str) -> str:
    """The name of a piece of evidence as a person reads it: an id shows its end alone."""
    kind, _, key = evidence.partition("/")
    if key and " " not in evidence and len(key) >= 32:
        return f"{kind_in_words(kind)} …{key[-6:]}"
    return evidence
