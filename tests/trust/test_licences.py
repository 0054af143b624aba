"""Licences are told apart by what they ask; what is not known is never taken to be free."""

import pytest

from sfumato.trust.licences import ASKS, CLASSES, STRICTNESS, class_of, troubles


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("MIT", "notice"), ("mit", "notice"), ("CC0-1.0", "free"), ("CC-BY-4.0", "attribution"),
        ("CC-BY-SA-4.0", "share-alike"), ("MIT OR GPL-3.0", "notice"), ("MIT AND CC-BY-SA-4.0", "share-alike"),
        ("MIT AND CC-BY-NC-4.0 OR CC-BY-4.0", "attribution"), ("NOASSERTION", "unknown"), ("", "unknown"),
        ("(MIT OR ISC) AND CC-BY-4.0", "attribution"), ("GPL-3.0 WITH Font-exception-2.0", "copyleft"),
        ("MIT AND something else", "unknown"), ("(MIT", "unknown"), ("GPL-2.0+ OR X", "copyleft"),
    ],
)  # fmt: skip
def test_an_expression_is_as_free_as_what_it_offers_and_as_strict_as_what_it_joins(said, kind):
    assert class_of(said) == kind


def test_every_class_has_its_place_and_troubles_name_those_that_ask():
    assert set(CLASSES.values()) | {"unknown"} == set(STRICTNESS)
    assert all(class_of(name) == kind for name, kind in CLASSES.items())
    assert troubles({"MIT": 3, "CC-BY-NC-4.0": 2, "Foo": 1}) == {
        "non-commercial": {"CC-BY-NC-4.0": 2}, "unknown": {"Foo": 1},
    }  # fmt: skip
    assert set(ASKS) == set(STRICTNESS) - {"free", "notice", "attribution"}
