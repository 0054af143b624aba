"""The answer to "May I use it?" follows from what is on record, clause by clause, each with its evidence."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.compliance.answer import NO_ADVICE, Answer, Facts, Said, Training, answer, credit_line
from sfumato.compliance.neighbours import Neighbour
from sfumato.trust.licences import ASKS, CLASSES, class_of

APPLE = Neighbour(
    "red apple", "noto", "Apache-2.0", "Google LLC", "@iconify-json/noto", "1.2.9", "", "a" * 64, "emoji", 5, 0.44, 0.21
)
FREE = Training(
    {"MIT": 8_000, "Apache-2.0": 3_902}, {("Microsoft", "MIT"): 8_000, ("Google", "Apache-2.0"): 3_902}, "card of emoji"
)
PLAIN = Facts(
    "on record", "apple.png", "signed here, unedited", "Sfumato workspace", "emoji", [FREE], [], [APPLE],
    "the picture as drawn",
)  # fmt: skip


def about(**changed: object) -> Answer:
    return answer(dataclasses.replace(PLAIN, **changed))



def test_free_pictures_and_no_copy_leave_nothing_against_it():
    found = about()
    assert found.verdict == "yes-nothing-against"
    assert found.text.startswith(
        "Nothing on record speaks against commercial use: all 11,902 training pictures are Apache-2.0 or MIT; "
        "the nearest training picture is “red apple” in noto style by Google LLC (Apache-2.0, @iconify-json/noto 1.2.9)"
    )
    for said in ("at a distance of 0.44, where a copy would be below 0.21", "signed here, unedited",
                 "credit line: “Drawn by Sfumato (emoji), which learnt from pictures by Microsoft (MIT) and Google "
                 "(Apache-2.0)”", "not yet looked at by a person", "Not checked: trademarks, likenesses"):  # fmt: skip
        assert said in found.text
    assert found.conditions == []


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("CC-BY-SA-4.0", "share what you make under the same licence"),
        ("GPL-3.0", "terms on source and sharing"),
        ("CC-BY-NC-4.0", "not commercial"),
        ("CC-BY-ND-4.0", "allows adaptations"),
        ("LicenseRef-our-own", "read what a licence that is not known here allows"),
        ("NOASSERTION", "find out under which licence"),
    ],
)
def test_a_licence_that_asks_more_makes_it_only_if(licence, asks):
    mixed = Training({"MIT": 90, licence: 10}, {("A", "MIT"): 90, ("B", licence): 10}, "card")
    found = about(training=[mixed])
    assert found.verdict == "only if"
    assert found.text.startswith("Only if ")
    assert asks in found.text
    assert "10 of 100 training pictures" in found.text
    assert "the other 90 of 100 training pictures are MIT" in found.text.replace("The", "the")


def test_what_is_in_the_public_domain_is_said_in_words():
    training = Training({"LicenseRef-public-domain": 749}, {("A", "LicenseRef-public-domain"): 749}, "card")
    assert "all 749 training pictures are in the public domain" in about(training=[training]).text


def test_no_licence_and_one_that_is_not_known_are_two_conditions():
    training = Training({"NOASSERTION": 3, "ask Bea": 2}, {("A", "ask Bea"): 5}, "card")
    text = about(training=[training]).text
    assert "under which licence they are (3 of 5 training pictures have no stated licence)" in text
    assert "allows (2 of 5 training pictures say “ask Bea”)" in text


def test_every_condition_is_named_where_there_are_several():
    training = Training({"CC-BY-SA-4.0": 1, "CC-BY-NC-4.0": 2}, {("A", "CC-BY-SA-4.0"): 3}, "card")
    text = about(training=[training]).text
    assert "same licence" in text
    assert "not commercial" in text
    assert " and if " in text


def test_what_the_weights_grew_from_counts_as_well():
    found = about(training=[FREE, Training({"CC-BY-NC-4.0": 7}, {("B", "CC-BY-NC-4.0"): 7}, "card of parent")])
    assert found.verdict == "only if"
    assert "card of parent" in {clause.evidence for clause in found.conditions}


def test_a_single_model_or_picture_is_told_of_as_one():
    adopted = Training({"MIT": 1}, {}, "header", "adopted models")
    one = Training({"CC0-1.0": 1}, {}, "header", "pictures of its dataset")
    found = answer(Facts(standing="valid", subject="a.png", model="m", training=[adopted, one])).text.lower()
    assert "the only adopted model is mit" in found
    assert "the only picture of its dataset is cc0-1.0" in found


def test_a_near_copy_is_a_no_that_offers_the_original():
    found = about(nearest=[dataclasses.replace(APPLE, distance=0.1)])
    assert found.verdict == "no"
    assert found.text.startswith(
        "No, use the original: “red apple” in noto style by Google LLC (Apache-2.0, @iconify-json/noto 1.2.9)."
    )
    assert "at a distance of 0.10, where a copy is below 0.21" in found.text


def test_a_near_copy_of_what_may_not_be_used_either_says_what_that_asks():
    close = dataclasses.replace(APPLE, distance=0.1, licence="CC-BY-NC-4.0")
    assert "use that one only if the use is not commercial" in about(nearest=[close]).text


def test_a_near_copy_still_names_the_conditions():
    close = dataclasses.replace(APPLE, distance=0.1)
    found = about(nearest=[close], standing="changed", credentials="changed after signing")
    assert found.verdict == "no"
    assert "only if you take the picture as it was drawn" in found.text


def test_a_prompt_that_it_learnt_from_offers_the_original():
    far = about(originals=[APPLE])
    assert far.verdict == "yes-nothing-against"
    assert "you asked for something that it learnt from: the original is “red apple” in noto style" in far.text
    close = dataclasses.replace(APPLE, distance=0.1)
    assert "a good drawing is close to the original" in about(nearest=[close], originals=[APPLE]).text


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        ("elsewhere", "trust Sfumato workspace, who is not known here"),
        ("changed", "changed after signing, so the answer is for what was drawn, not for this file"),
        ("claimed", "it is unsigned, and nothing in the file proves it"),
        ("unknown", "you know from elsewhere who made it"),
    ],
)
def test_where_it_comes_from_is_a_condition_unless_it_is_on_record(standing, said):
    found = about(standing=standing)
    assert found.verdict == "only if"
    assert said in found.text


@pytest.mark.parametrize("standing", ["on record", "signed here", "same pixels"])
def test_what_is_on_record_needs_no_condition(standing):
    assert about(standing=standing).verdict == "yes-nothing-against"


def test_what_is_not_known_is_never_taken_for_granted():
    assert "what it was made from, which is not on record" in about(training=[]).text
    assert "what weights 12ab learnt from" in about(training=[], missing=["weights 12ab"]).text
    found = about(nearest=[], compared="the model emoji has no training card")
    assert found.verdict == "only if"
    assert "could not be looked at: the model emoji has no training card" in found.text


def said(verdict=None, by="Alice", *, rating=None, reason="", day=24):
    """What a person holds of it, as one judgement says it."""
    return Said(by, verdict, rating, reason, datetime(2026, 11, day, tzinfo=UTC), f"judgement/{by}-{verdict or rating}")


def person(found):
    """The clauses on people, with their evidence."""
    return [(clause.says, clause.evidence) for clause in found.clauses if clause.topic == "person"]


def test_who_approved_it_is_the_last_clause_with_when_why_and_its_evidence():
    found = about(judged=[said("approved", reason="a fine llama")])
    assert found.verdict == "yes-nothing-against"
    assert found.clauses[-1].says == "approved by Alice on 24 November 2026 because “a fine llama”"
    assert found.clauses[-1].evidence == "judgement/Alice-approved"
    assert "not yet looked at" not in found.text


def test_a_rejection_is_a_no_that_says_by_whom_and_why():
    found = about(judged=[said("rejected", "Bob", reason="six legs")])
    assert found.verdict == "no"
    assert found.text.startswith("No: rejected by Bob on 24 November 2026 because “six legs”. All 11,902 training")
    assert found.text.endswith(NO_ADVICE)
    assert person(found) == [
        ("rejected by Bob on 24 November 2026 because “six legs”", "judgement/Bob-rejected")
    ]


def test_a_rejection_still_names_the_conditions():
    found = about(judged=[said("rejected", reason="no")], standing="changed", credentials="changed after signing")
    assert found.verdict == "no"
    assert "Without that rejection: only if you take the picture as it was drawn" in found.text


def test_of_several_people_the_newest_verdict_decides_and_the_others_are_told():
    bobs = said("rejected", "Bob", reason="x", day=2)
    found = about(judged=[said("approved", "Alice"), said(rating=4, by="Carol", day=23), bobs])
    assert found.verdict == "yes-nothing-against"
    assert [says.partition(" on ")[0] for says, _ in person(found)] == [
        "rejected by Bob", "rated 4 of 5 by Carol", "approved by Alice",
    ]  # fmt: skip
    assert about(judged=[said("rejected", "Bob", reason="x"), said("approved", "Alice", day=2)]).verdict == "no"


def test_a_rating_alone_decides_nothing_and_is_told():
    found = about(judged=[said(rating=1, by="Carol")])
    assert found.verdict == "yes-nothing-against"
    assert person(found) == [("rated 1 of 5 by Carol on 24 November 2026", "judgement/Carol-1")]


def test_many_who_judged_are_counted_and_each_is_evidence():
    found = about(judged=[said("approved", f"P{number}") for number in range(9)])
    assert len(person(found)) == 6
    assert person(found)[0][0] == "judged 4 times more"
    assert person(found)[0][1].count("judgement/") == 4


def test_no_credit_is_asked_for_what_is_in_the_public_domain():
    free = Training({"CC0-1.0": 9}, {("A", "CC0-1.0"): 9}, "card")
    assert about(training=[free]).credit == ""
    assert "credit line" not in about(training=[free]).text


def test_a_credit_line_names_the_greatest_makers_and_counts_the_rest():
    many = {(f"maker {number}", "CC-BY-4.0"): number for number in range(1, 10)}
    line = credit_line(dataclasses.replace(PLAIN, training=[Training({"CC-BY-4.0": 45}, many, "card")]))
    assert "maker 9 (CC-BY-4.0), maker 8" in line
    assert line.endswith("and 5 more")


licences = st.dictionaries(st.sampled_from([*CLASSES, "NOASSERTION", "Foo-1.0"]), st.integers(1, 9_999), min_size=1)
facts = st.builds(
    Facts,
    standing=st.sampled_from(["on record", "signed here", "same pixels", "elsewhere", "changed", "claimed", "unknown"]),
    subject=st.just("apple.png"),
    credentials=st.sampled_from(["", "signed here, unedited", "unsigned"]),
    model=st.just("emoji"),
    training=st.lists(
        licences.map(lambda found: Training(found, {("A", spdx): n for spdx, n in found.items()}, "card")), max_size=2
    ),
    missing=st.lists(st.just("weights 12ab"), max_size=1),
    nearest=st.lists(st.floats(0, 2).map(lambda far: dataclasses.replace(APPLE, distance=far)), max_size=3),
    compared=st.just("the picture as drawn"),
    judged=st.lists(
        st.sampled_from([said("approved"), said("rejected", "Bob", reason="x"), said(rating=2)]), max_size=3
    ),
)


@given(facts)
def test_a_yes_needs_free_licences_a_known_origin_and_no_copy(known):
    found = answer(known)
    asks = any(class_of(spdx) in ASKS for one in known.training for spdx in one.licences)
    copied = any(one.is_copied for one in known.nearest)
    sound = known.standing in ("on record", "signed here", "same pixels")
    clear = sound and known.training and not known.missing and known.nearest and not asks
    verdicts = [one.verdict for one in known.judged if one.verdict]
    rejected = verdicts[:1] == ["rejected"]
    assert found.verdict == ("no" if copied or rejected else "yes-nothing-against" if clear else "only if")
    assert found.text.endswith(NO_ADVICE)
    assert ("ot yet looked at by a person" in found.text) == (not known.judged)
    assert all(clause.says and clause.evidence for clause in [*found.conditions, *found.clauses])
    assert all(clause.says in found.text or clause.says[:1].upper() + clause.says[1:] in found.text
               for clause in [*found.conditions, *found.clauses])  # fmt: skip
