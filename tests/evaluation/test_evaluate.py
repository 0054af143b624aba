"""Evaluating: three groups are drawn and measured, facts are kept, an interrupted one goes on, bad input is told."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.actions import Actor
from sfumato.db.links import parents
from sfumato.errors import Forbidden, InvalidInput, NotFound
from sfumato.evaluation.evaluate import GROUPS, evaluate, list_measurements
from sfumato.evaluation.jobs import evaluate as work_off
from sfumato.evaluation.records import Measurement
from sfumato.jobs import JobContext
from sfumato.jobs.queue import cancel_job, get_job
from tests.evaluation.conftest import run, take

SMALL = {"per_group": 3, "seed": 5}


@pytest.fixture(scope="module")
def measured(studio):
    """The result of a small evaluation."""
    job = run(studio, evaluate(studio, model="tiny", options=SMALL))
    assert job.status == "done", job.error
    return job.result


def test_three_groups_are_told_apart_with_intervals_ceiling_and_floor(measured):
    assert [group["name"] for group in measured["groups"].values()] == list(GROUPS.values())
    for group in measured["groups"].values():
        for name in ("recall@1", "recall@5"):
            figure = group["figures"][name]
            assert 0 <= figure["measured"]["low"] <= figure["measured"]["value"] <= figure["measured"]["high"] <= 1
            assert figure["ceiling"]["n"] == figure["measured"]["n"] == group["n"] == 3
            assert figure["floor"] is not None


def test_it_says_so_in_words(measured):
    said = " ".join(measured["says"])
    assert "Of 3 drawings of things it has seen" in said
    assert "among the first five of 72 names" in said
    assert "the right answer is close to the original" in said
    assert "twemoji and emojione" in said


def test_drawings_stand_beside_real_pictures_and_each_is_accounted_for(measured):
    for group in measured["groups"].values():
        with Image.open(group["sheet"]) as sheet:
            assert sheet.width > sheet.height > 16
            assert "Evaluation of tiny" in sheet.info["Description"]
            assert np.asarray(sheet.convert("RGB")).std() > 10
        assert len(group["pictures"]) == 3
        for one in group["pictures"]:
            assert one["caption"].endswith("style")
            assert 1 <= one["place"] <= 72
            assert len(one["taken_for"]) == 5


def test_each_figure_is_a_fact_linked_to_checkpoint_and_data_and_measuring_again_adds_none(studio, measured):
    facts = facts_of(studio)
    figures = sum(len(group["figures"]) for group in measured["groups"].values())
    assert len(facts) == figures
    assert {fact.subject for fact in facts} == {measured["checkpoint"]}
    with studio.read() as session:
        found = dict(parents(session, f"measurement/{facts[0].id}"))
        told = session.get(Measurement, facts[0].id).describe()
    assert told.facts["subject"] == measured["checkpoint"]
    assert facts[0].group in told.title
    assert found["measured on"] == measured["checkpoint"]
    assert found["asked from"].startswith("dataset_version/")
    again = run(studio, evaluate(studio, model="tiny", options=SMALL))
    assert again.result == measured
    assert len(facts_of(studio)) == figures


def facts_of(studio):
    """What was measured by the small evaluation."""
    return [one for one in list_measurements(studio, model="tiny") if one.details["plan"]["seed"] == SMALL["seed"]]


def test_one_that_was_interrupted_goes_on_and_draws_nothing_twice(studio, measured):
    job = evaluate(studio, model="tiny", options={"per_group": 20, "seed": 6})
    started = work_off(JobContext(studio, job.id, take(studio, job)), spec_of(studio, job))
    kept: list[Path] = []
    while not kept:
        next(started)
        kept = sorted(studio.path.glob("evaluations/tiny-*/drawn/*.npz"))
    started.close()
    before = kept[0].stat().st_mtime_ns, kept[0].read_bytes()
    going_on = work_off(JobContext(studio, job.id, get_job(studio, job_id=job.id).attempt), spec_of(studio, job))
    while len(sorted(kept[0].parent.glob("*.npz"))) < 2:
        next(going_on)
    assert (kept[0].stat().st_mtime_ns, kept[0].read_bytes()) == before
    going_on.close()
    cancel_job(studio, job_id=job.id)


def spec_of(studio, job):
    from sfumato.jobs.records import Job

    with studio.read() as session:
        return session.get(Job, job.id).spec


def test_the_numbers_say_by_which_plan_they_came_about(studio, measured):
    plan = facts_of(studio)[0].details["plan"]
    assert (plan["seed"], plan["per_group"], plan["engine"], plan["steps"]) == (5, 3, "torch_local", 12)
    assert json.dumps(plan)


@pytest.mark.parametrize(
    ("model", "options", "error", "said"),
    [
        ("tinny", {}, NotFound, "Did you mean 'tiny'?"),
        ("cardless", {}, NotFound, "has no training card"),
        ("tiny", {"per_group": 0}, InvalidInput, "per_group"),
        ("tiny", {"per_group": "many"}, InvalidInput, "per_group"),
        ("tiny", {"per_grop": 5}, NotFound, "Did you mean 'per_group'?"),
        ("tiny", {"engine": "steam"}, InvalidInput, "engine"),
    ],
)
def test_what_cannot_be_measured_is_told_before_anything_starts(studio, model, options, error, said):
    with pytest.raises(error) as told:
        evaluate(studio, model=model, options=options)
    assert said in str(told.value)


def test_a_viewer_may_look_but_not_measure(studio, measured):
    viewer = dataclasses.replace(studio, actor=Actor("person/vera", "vera", ("viewer",)))
    assert list_measurements(viewer, model="tiny")
    with pytest.raises(Forbidden):
        evaluate(viewer, model="tiny", options=SMALL)
