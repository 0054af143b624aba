"""Renaming a dataset and putting one away: what was written down before still leads to it, and nothing is lost."""

import shutil

import pytest
from sqlalchemy import select, text

from sfumato.actions import Workspace
from sfumato.actions.records import Event
from sfumato.compliance.work import list_work
from sfumato.data.collect import collect as ask
from sfumato.data.collect import list_datasets, show_dataset
from sfumato.data.freeze import find_version, freeze
from sfumato.data.narrowing import Where
from sfumato.data.shelf import list_frozen
from sfumato.data.shelving import archive_dataset, rename_dataset, unarchive_dataset
from sfumato.data.slices import list_slices, save_slice
from sfumato.data.verdicts import leave_out
from sfumato.db import open_database
from sfumato.db.kinds import find_record
from sfumato.db.schema import STEPS, migrate
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.jobs.worker import run_worker
from sfumato.training.watching import list_cards
from tests.data.curated import ids_of
from tests.web.stocked import a_run, stock

FACTS = {"format": "1", "events": "0"}


def names(workspace, **more):
    return [one.name for one in list_datasets(workspace, **more)]


def said(workspace):
    with workspace.read() as session:
        return list(session.scalars(select(Event.summary).order_by(Event.position)))


@pytest.mark.postgres
def test_after_a_renaming_all_that_named_it_still_leads_to_it(either):
    stock(either, "mine", 4)
    version = freeze(either, name="mine")
    run = a_run(either, "learnt", version.id)
    save_slice(either, name="mine", slice_name="flat ones", where=Where(style="flat"))
    renamed = rename_dataset(either, name="mine", to="ours")
    assert (renamed.name, renamed.former) == ("ours", ["mine"])
    assert names(either) == ["ours"]
    assert show_dataset(either, name="mine").name == "ours"
    with either.read() as session:
        assert find_record(session, "mine").ref == find_record(session, "ours").ref == f"dataset/{renamed.id}"
    assert find_version(either, label=version.label).label == f"ours@{version.name}"
    assert [one.name for one in list_slices(either, name="mine")] == ["flat ones"]
    assert leave_out(either, name="mine", where=Where(ids=ids_of(either, "ours")[:1])).dataset == "ours"
    [card] = [one for one in list_cards(either) if one.id == run]
    assert card.data == f"ours@{version.name}", "a run shows the name of now"
    assert said(either)[-2] == "renamed the dataset mine to ours"


def test_a_dataset_is_renamed_back_and_on_and_its_names_stay_its_own(workspace):
    stock(workspace, "mine", 1)
    stock(workspace, "other", 1)
    for to in ("ours", "mine", "yours"):
        rename_dataset(workspace, name="mine", to=to)
    assert show_dataset(workspace, name="ours").former == ["mine", "ours"]
    with pytest.raises(Conflict, match="'yours' was called 'mine' before"):
        rename_dataset(workspace, name="other", to="mine")
    with pytest.raises(Conflict, match="There is a dataset 'yours' already"):
        rename_dataset(workspace, name="other", to="yours")
    with pytest.raises(InvalidInput, match="cannot be a dataset's name"):
        rename_dataset(workspace, name="other", to="no spaces")
    with pytest.raises(NotFound):
        rename_dataset(workspace, name="none", to="some")
    archive_dataset(workspace, name="yours")
    with pytest.raises(Conflict, match="which is put away"):
        rename_dataset(workspace, name="other", to="yours")
    assert names(workspace, archived=True) == ["other", "yours"]


def test_a_job_that_waits_while_its_dataset_is_renamed_collects_into_it(workspace, shapes):
    stock(workspace, "mine", 1)
    job = ask(workspace, source="folder", into="mine", options={"path": str(shapes), "licence": "MIT"})
    rename_dataset(workspace, name="mine", to="ours")
    run_worker(workspace, only_job=job.id)
    assert [(one.name, one.n) for one in list_datasets(workspace)] == [("ours", 13)]
    jobs = list_work(workspace, about="dataset/ours", ended=True)
    assert [one.job.kind for one in jobs] == ["data.collect"], "its page still tells of it"
    with pytest.raises(Conflict, match="'mine' is called 'ours' now"):
        ask(workspace, source="sample", into="mine")
    moved = shapes.parent / "moved" / shapes.name
    shutil.copytree(shapes, moved)
    with pytest.raises(Conflict, match="another folder called"):
        ask(workspace, source="folder", into="ours", options={"path": str(moved), "licence": "MIT"})


@pytest.mark.postgres
def test_what_is_put_away_is_in_no_list_and_keeps_all_that_it_holds(either):
    ids = stock(either, "mine", 3)
    stock(either, "other", 1)
    version = freeze(either, name="mine")
    run = a_run(either, "learnt", version.id)
    assert archive_dataset(either, name="mine").archived_at is not None
    assert names(either) == ["other"]
    assert names(either, archived=True) == ["mine", "other"]
    assert list_frozen(either) == [], "nobody is offered to learn from it"
    assert ids_of(either) == sorted(ids)
    assert find_version(either, label=version.label).id == version.id
    assert [one.data for one in list_cards(either) if one.id == run] == [version.label]
    with pytest.raises(Conflict, match="is put away since") as refused:
        ask(either, source="sample", into="mine")
    assert "sfumato data unarchive mine" in refused.value.hint
    archive_dataset(either, name="mine")
    unarchive_dataset(either, name="mine")
    unarchive_dataset(either, name="mine")
    assert names(either) == ["mine", "other"]
    assert [one.id for one in list_frozen(either)] == [version.id]
    told = [one for one in said(either) if "mine" in one and ("away" in one or "again" in one)]
    assert told == ["put the dataset mine away", "took the dataset mine out again"], "each once"


def test_a_name_of_another_project_is_refused_in_words(workspace):
    elsewhere = workspace.in_project("00000000-0000-7000-8000-00000000000f")
    stock(workspace, "mine", 1)
    stock(elsewhere, "theirs", 1)
    with pytest.raises(Conflict, match="Another project"):
        rename_dataset(workspace, name="mine", to="theirs")
    assert names(workspace) == ["mine"]


def older(place, tmp_path):
    """A database with the steps before this one, and a dataset in it."""
    steps = tmp_path / "steps"
    shutil.copytree(STEPS, steps, ignore=shutil.ignore_patterns("__pycache__", "0009*", "00[1-9][0-9]*"))
    old = open_database(place)
    migrate(old, tmp_path / "copies", FACTS, steps=steps)
    with old.write() as session:
        values = "'d', '2026-01-01', 'person/alice', 'mine', '00000000-0000-7000-8000-000000000001'"
        session.execute(text(f"insert into dataset (id, made_at, made_by, name, project_id) values ({values})"))
    old.close()


def test_a_dataset_of_an_older_workspace_has_its_name_and_is_not_put_away(settings, tmp_path):
    settings.workspace.mkdir()
    older(settings.workspace / "workspace.db", tmp_path)
    with Workspace.open(settings=settings) as workspace:
        [one] = list_datasets(workspace)
        assert (one.name, one.former, one.archived_at) == ("mine", [], None)
        assert rename_dataset(workspace, name="mine", to="ours").former == ["mine"]


@pytest.mark.postgres
def test_a_dataset_of_an_older_workspace_on_postgresql_has_its_name(settings, postgresql_url, tmp_path):
    older(postgresql_url, tmp_path)
    with Workspace.open(settings=settings, database_url=postgresql_url) as workspace:
        [one] = list_datasets(workspace)
        assert (one.name, one.former, one.archived_at) == ("mine", [], None)
        assert rename_dataset(workspace, name="mine", to="ours").former == ["mine"]
