"""Projects are made, renamed and put away; each sees its own records alone."""

import pytest
from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.data.collect import collect, list_datasets, show_dataset
from sfumato.data.freeze import freeze, list_versions
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.jobs.queue import get_job, list_jobs
from sfumato.jobs.worker import run_worker
from sfumato.people.projects import (
    archive_project,
    create_project,
    list_projects,
    rename_project,
    show_project,
    unarchive_project,
)
from tests.people.team import come, own, seat


def sample(workspace, name):
    """A dataset of what ships with Sfumato, collected and frozen."""
    job = collect(workspace, source="sample", into=name)
    run_worker(workspace, only_job=job.id)
    assert get_job(workspace, job_id=job.id).status == "done", get_job(workspace, job_id=job.id).error
    return job, freeze(workspace, name=name)


def test_a_fresh_workspace_has_one_project_and_all_that_is_made_is_in_it(either):
    [first] = list_projects(either)
    assert (first.name, first.id, first.roles) == ("studio", either.project, ["admin"])
    assert show_project(either) == first


def test_what_one_project_makes_no_other_finds_by_list_name_id_hash_or_search(workspace):
    from sfumato.compliance.trace import trace

    other = workspace.in_project(create_project(workspace, name="llamas", description="A better llama").id)
    job, version = sample(workspace, "shapes")
    assert (list_datasets(other), list_jobs(other)) == ([], [])
    for verb in (lambda: show_dataset(other, name="shapes"), lambda: list_versions(other, name="shapes"),
                 lambda: get_job(other, job_id=job.id), lambda: freeze(other, name="shapes"),
                 lambda: trace(other, version.id), lambda: trace(other, version.content_hash)):  # fmt: skip
        with pytest.raises(NotFound) as told:
            verb()
        assert "Did you mean" not in str(told.value)
    _, same = sample(other, "theirs")
    assert same.content_hash == version.content_hash
    assert [one.name for one in list_datasets(other)] == ["theirs"]
    assert [one.name for one in list_datasets(workspace)] == ["shapes"]
    assert trace(other, same.content_hash).subject == f"dataset_version/{same.id}"


def test_a_name_of_another_project_is_told_and_changes_nothing_there(workspace):
    other = workspace.in_project(create_project(workspace, name="llamas").id)
    sample(workspace, "shapes")
    job = collect(other, source="sample", into="shapes")
    run_worker(workspace, only_job=job.id)
    assert "Another project" in get_job(other, job_id=job.id).error["message"]
    assert (list_datasets(other), len(list_datasets(workspace))) == ([], 1)


def test_whoever_makes_a_project_is_its_admin_and_others_do_not_see_it(workspace):
    olga = own(workspace)
    eve, bob = come(workspace, olga, "Eve", "admin"), come(workspace, olga, "Bob", "researcher")
    made = create_project(eve.workspace, name="  secret   llamas ")
    assert (made.name, made.roles, made.members) == ("secret llamas", ["admin"], 1)
    assert seat(workspace.in_project(made.id), eve.entered).workspace.actor.roles == ("admin",)
    assert [one.name for one in list_projects(bob.workspace)] == ["studio"]
    for said in (made.id, made.name):
        with pytest.raises(NotFound):
            show_project(bob.workspace, project=said)
    with pytest.raises(Forbidden, match=r"project\.write"):
        create_project(bob.workspace, name="mine")
    with workspace.db.read() as session:
        event = session.scalars(select(Event).where(Event.action == "project.create")).one()
    assert (event.project_id, event.subject) == ("", f"project/{made.id}")


def test_a_project_is_renamed_from_within_by_who_saw_how_it_is(either):
    olga = own(either)
    eve = come(either, olga, "Eve", "admin")
    seen = show_project(olga.workspace)
    assert rename_project(olga.workspace, name="emoji", description="Small pictures").name == "emoji"
    with pytest.raises(Conflict, match=r"Olga changed this.*Nothing was overwritten"):
        rename_project(eve.workspace, name="pictures", version=seen.version)
    assert show_project(eve.workspace).name == "emoji"
    other = create_project(eve.workspace, name="llamas")
    with pytest.raises(Forbidden, match="within"):
        rename_project(eve.workspace, project="llamas", name="alpacas")
    with pytest.raises(Conflict, match="already"):
        rename_project(seat(either.in_project(other.id), eve.entered).workspace, name="emoji")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b"])
def test_what_cannot_be_a_projects_name_is_told(workspace, name):
    with pytest.raises(InvalidInput):
        create_project(workspace, name=name)


def test_a_project_that_is_put_away_can_be_looked_at_and_nothing_in_it_changes(either):
    other = either.in_project(create_project(either, name="llamas").id)
    sample(other, "theirs")
    assert archive_project(other).archived_at is not None
    assert [one.name for one in list_projects(either)] == ["studio"]
    assert [one.name for one in list_projects(either, archived=True)] == ["llamas", "studio"]
    assert [one.name for one in list_datasets(other)] == ["theirs"]
    for verb in (lambda: collect(other, source="sample", into="more"), lambda: freeze(other, name="theirs")):
        with pytest.raises(Conflict, match="put away"):
            verb()
    collect(either, source="sample", into="own")
    unarchive_project(other)
    freeze(other, name="theirs")


def test_the_only_project_is_not_put_away(workspace):
    with pytest.raises(Conflict, match="only project"):
        archive_project(workspace)
