"""Models as people see them: the card, measurements, the criterion and its three states, going live."""

from sfumato.actions import Workspace
from sfumato.checkpoints.models import find_model
from sfumato.compliance.work import list_work
from sfumato.evaluation.records import Measurement
from tests.web.conftest import open_studio
from tests.web.stocked import as_vic, with_viewer

NAME = "emoji-styles-small"
FORM = {"measure": "recall@5", "group": "held-out pairs", "comparator": "at_least", "threshold": "60", "n_min": "30"}


def measured(workspace: Workspace, value: float, n: int = 200) -> None:
    ref = find_model(workspace, NAME).ref
    side = {"value": 0.95, "low": 0.9, "high": 0.98, "n": n}
    with workspace.write() as session:
        session.add(
            Measurement(
                subject=ref,
                metric="recall@5",
                group="held-out pairs",
                value=value,
                low=value - 0.05,
                high=value + 0.05,
                n=n,
                plan_hash=f"{value}",
                details={"ceiling": side, "floor": {"value": 0.01, "low": 0.0, "high": 0.02, "n": n}},
            )
        )


def test_the_card_says_what_it_learnt_from_and_how_it_was_judged(drawing):
    page = drawing.page("/models").text
    assert NAME in page
    assert "It has drawn no picture here yet" in page
    assert "drawn@0123" in page


def test_without_a_criterion_it_cannot_go_live_and_the_page_says_why(drawing):
    page = drawing.page(f"/models/{NAME}").text
    assert "no criterion yet" in page
    assert "Say below what must hold" in page
    refused = drawing.post(f"/models/{NAME}/go-live")
    assert refused.status_code == 404
    assert "No criterion is set" in refused.text


def test_a_criterion_that_lacks_data_then_fails_then_holds(drawing, pictured):
    assert drawing.post(f"/models/{NAME}/criterion", data=FORM).status_code == 303
    assert "not enough data" in drawing.page(f"/models/{NAME}").text
    measured(pictured, 0.3)
    drawing.post(f"/models/{NAME}/criterion", data=FORM | {"version": "1"})
    page = drawing.page(f"/models/{NAME}").text
    assert "Fails" in page
    assert "real pictures" in page
    assert "chance" in page
    assert drawing.post(f"/models/{NAME}/go-live").status_code == 409
    measured(pictured, 0.8)
    drawing.post(f"/models/{NAME}/criterion", data=FORM | {"version": "2"})
    assert drawing.post(f"/models/{NAME}/go-live").headers["location"] == f"/models/{NAME}"
    live = drawing.page(f"/models/{NAME}").text
    assert "Live now" in live
    assert "It is live." in live
    assert "No other model was live before" in live
    assert drawing.post(f"/models/{NAME}/roll-back", data={"reason": ""}).status_code == 409


def test_two_who_set_a_criterion_are_told_of_each_other(drawing):
    drawing.post(f"/models/{NAME}/criterion", data=FORM)
    late = drawing.post(f"/models/{NAME}/criterion", data=FORM | {"threshold": "70"})
    assert late.status_code == 409
    assert "meanwhile" in late.text
    assert 'value="70"' in late.text


def test_what_is_no_number_is_told_and_a_criterion_can_be_dropped(drawing):
    wrong = drawing.post(f"/models/{NAME}/criterion", data=FORM | {"threshold": "much"})
    assert wrong.status_code == 422
    assert "are numbers" in wrong.text
    drawing.post(f"/models/{NAME}/criterion", data=FORM)
    assert drawing.post(f"/models/{NAME}/criterion", data={"drop": "1", "version": "1"}).status_code == 303
    assert "no criterion yet" in drawing.page(f"/models/{NAME}").text


def test_measuring_is_a_job(drawing):
    answer = drawing.post(f"/models/{NAME}/evaluations", data={"per_group": "2"})
    assert answer.headers["location"].startswith("/jobs/")
    assert "Evaluate emoji-styles-small" in drawing.page(answer.headers["location"]).text
    refused = drawing.post(f"/models/{NAME}/evaluations", data={"per_group": "0"})
    assert refused.status_code == 422
    assert "per_group" in refused.text


def test_who_may_only_look_sees_why_and_a_model_that_is_not_there(pictured):
    with_viewer(pictured)
    with open_studio(pictured) as client:
        vic = as_vic(client)
        page = vic.page(f"/models/{NAME}").text
        assert all(need in page for need in ("model.promote", "criterion.write", "evaluation.write"))
        assert vic.post(f"/models/{NAME}/go-live").status_code == 403
        assert vic.page("/models/%3Cscript%3E").status_code == 404


def test_a_quick_look_draws_fewer_and_says_how_wide_that_leaves_the_interval(drawing, pictured):
    page = drawing.page(f"/models/{NAME}").text
    assert "24 drawings in each group" in page
    assert "± 19 % at the most, instead of ± 7 %" in page
    assert drawing.post(f"/models/{NAME}/evaluations", data={"per_group": "24"}).status_code == 303
    (card,) = list_work(pictured, kind="evaluation.evaluate")
    page = drawing.page(f"/models/{NAME}").text
    assert f'id="job-{card.id}"' in page, "how far it is stands beside what it measures"
    assert "Next in line: no worker is there to take it" in page
