"""A session of a project sees and changes that project alone, whatever way it asks, and nothing private to others."""

import re
from pathlib import Path

import pytest
from sqlalchemy import delete, event, exists, func, insert, literal, literal_column, select, text, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from sfumato.actions import Actor
from sfumato.data.records import Dataset, DatasetVersion, Item
from sfumato.db import ACROSS, DEFAULT_PROJECT, InProject, find_or_add, new_id
from sfumato.db.scope import OutsideProject
from sfumato.errors import Conflict
from sfumato.generation.records import Image

OTHER = "00000000-0000-7000-8000-0000000000aa"
ROOT = Path(__file__).parents[2]
# Where a session without a project is opened, each with the reason.
SYSTEM = {
    "sfumato/actions/workspace.py": "opens the database before there is anybody",
    "sfumato/jobs/queue.py": "workers and their leases serve all projects",
    "sfumato/jobs/nearby.py": "gives back what a worker holds",
    "sfumato/jobs/worker.py": "claims in the order of asking, across projects",
    "sfumato/jobs/child.py": "finds out in whose project its job is",
    "sfumato/web/sessions.py": "finds out in whose project somebody is who has not said it",
    "sfumato/web/events.py": "reads what happens once, and tells each listener of their own project alone",
    "sfumato/web/uploads.py": "sweeps what uploads left behind, whoever sent them",
    "sfumato/care/backup.py": "keeps the whole workspace",
    "sfumato/care/clearing.py": "makes room on one disk",
    "sfumato/care/contents.py": "examines the files of all projects, which share one store",
    "sfumato/care/database.py": "examines the whole database",
    "sfumato/care/doctor.py": "examines the whole database",
    "sfumato/care/erasure.py": "takes a picture out of every project that has it",
    "sfumato/care/storage.py": "shares out one disk",
}


@pytest.fixture
def two(either):
    """The first project with alice's pictures 'own', and another with 'theirs'."""
    other = either.in_project(OTHER)
    for workspace, name in ((either, "own"), (other, "theirs")):
        with workspace.write() as session:
            session.add(Dataset(id=f"dataset-{name}", name=name))
            session.flush()
            session.execute(insert(DatasetVersion), [version(name, number) for number in (1, 2)])
            session.add(DatasetVersion(**version(name, 3)))
    return either, other


def version(name, number):
    return {
        "id": f"{name}-{number}", "dataset_id": f"dataset-{name}", "name": f"{name}{number}", "n": number,
        "content_hash": "same", "items_sha256": "", "summary": {},
    }  # fmt: skip


NAMES = select(DatasetVersion.name)
ALIAS = aliased(DatasetVersion)
WAYS = {
    "a column": NAMES,
    "a row": select(DatasetVersion),
    "by hash": NAMES.where(DatasetVersion.content_hash == "same"),
    "a join": NAMES.join(Dataset, Dataset.id == DatasetVersion.dataset_id),
    "an outer join": select(DatasetVersion.name).outerjoin(Dataset, Dataset.id != DatasetVersion.dataset_id),
    "an alias": select(ALIAS.name),
    "a subquery": select(NAMES.subquery()),
    "a common table": select(NAMES.cte()),
    "one within another": NAMES.where(DatasetVersion.dataset_id.in_(select(Dataset.id))),
    "a union": union_all(NAMES.where(DatasetVersion.n > 1), NAMES.where(DatasetVersion.n == 1)),
}
COUNTS = {
    "of rows": select(func.count()).select_from(DatasetVersion),
    "of what fits": select(func.count()).where(DatasetVersion.n > 0),
    "of a column": select(func.count(DatasetVersion.id)),
    "of a subquery": select(func.count()).select_from(select(DatasetVersion).subquery()),
    "within a column": select(select(func.count()).where(DatasetVersion.n > 0).scalar_subquery()),
}
TABLE = DatasetVersion.__table__
REFUSED = {
    "a table": select(TABLE.c.name),
    "a table's alias": select(TABLE.alias().c.name),
    "words": text("select name from dataset_version"),
    "words within": select(Dataset.id, literal_column("1")).where(text("exists (select 1 from dataset_version)")),
    "rows from words": select(DatasetVersion).from_statement(text("select * from dataset_version")),
    "whether there is any": select(exists().where(DatasetVersion.n > 0)),
    "one, if there is any": select(literal(1)).where(exists().where(DatasetVersion.n > 0)),
    "half a union": union_all(NAMES, select(TABLE.c.name)),
    "a table within": NAMES.where(DatasetVersion.id.in_(select(TABLE.c.id))),
    "a change of a table": update(TABLE).values(n=0),
    "a deletion from a table": delete(TABLE),
    "a copy": insert(DatasetVersion).from_select(["id"], select(TABLE.c.id)),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_asked_for_by_any_way_is_the_projects_own(two, way):
    for workspace, name in zip(two, ("own", "theirs"), strict=True):
        with workspace.read() as session:
            found = {getattr(one, "name", one) for one in session.scalars(WAYS[way])}
        assert found == {f"{name}{number}" for number in (1, 2, 3)}


@pytest.mark.parametrize("count", COUNTS)
def test_counts_are_of_the_projects_own(two, count):
    for workspace in two:
        with workspace.read() as session:
            assert session.scalar(COUNTS[count]) == 3


def test_a_known_id_of_another_project_finds_nothing(two):
    own, other = two
    with own.read() as session:
        assert session.get(DatasetVersion, "own-1") is not None
        assert session.get(DatasetVersion, "theirs-1") is None
        assert session.scalar(select(DatasetVersion).where(DatasetVersion.id == "theirs-1")) is None
    with other.read() as session:
        assert session.get(DatasetVersion, "own-1") is None
    with own.db.read() as session:
        assert len(session.scalars(select(DatasetVersion)).all()) == 6, "the system sees all"


@pytest.mark.parametrize("way", REFUSED)
def test_what_cannot_be_kept_to_its_project_is_refused(two, way):
    with pytest.raises(OutsideProject), two[0].write() as session:
        session.execute(REFUSED[way])
    with two[0].db.read() as session:
        assert session.scalar(select(func.sum(DatasetVersion.n))) == 12


def test_changes_and_deletions_stop_at_the_projects_border(two):
    own, other = two
    with own.write() as session:
        assert session.execute(update(DatasetVersion).values(n=9)).rowcount == 3
        assert session.execute(delete(DatasetVersion).where(DatasetVersion.id == "theirs-2")).rowcount == 0
        assert session.execute(delete(DatasetVersion)).rowcount == 3
    with other.read() as session:
        assert session.scalars(select(DatasetVersion.n).order_by(DatasetVersion.n)).all() == [1, 2, 3]
    with pytest.raises(OutsideProject), own.write() as session:
        session.execute(update(DatasetVersion), [{"id": "theirs-1", "n": 7}])


def test_new_rows_get_the_project_and_none_can_be_put_into_another(two):
    own, other = two
    with own.db.read() as session:
        found = session.execute(select(DatasetVersion.project_id, func.count()).group_by(DatasetVersion.project_id))
        assert dict(found.all()) == {DEFAULT_PROJECT: 3, OTHER: 3}
    with pytest.raises(OutsideProject), own.write() as session:
        session.add(Dataset(name="smuggled", project_id=OTHER))
    with pytest.raises(OutsideProject), own.write() as session:
        session.execute(insert(Dataset), [{"name": "smuggled", "project_id": OTHER}])
    with other.read() as session:
        theirs = session.get(Dataset, "dataset-theirs")
    theirs.name = "renamed"
    with pytest.raises(OutsideProject), own.write() as session:
        session.add(theirs)
    with pytest.raises(IntegrityError), own.db.write() as session:
        session.add(Dataset(name="without a project"))


def test_a_name_that_another_project_has_is_answered_in_words(two):
    with two[0].write() as session:
        assert find_or_add(session, select(Dataset).where(Dataset.name == "own"), Dataset(name="own"))[1] is False
        with pytest.raises(Conflict, match="Another project"):
            find_or_add(session, select(Dataset).where(Dataset.name == "theirs"), Dataset(name="theirs"))
    with two[0].read() as session:
        assert set(session.scalars(select(Dataset.name), execution_options=ACROSS)) == {"own", "theirs"}


def test_what_is_private_is_found_by_its_owner_alone(either):
    alice, bob = (either.as_actor(Actor(f"person/{name}", name, ("admin",))) for name in ("alice", "bob"))
    shown = {"request_id": new_id(), "seed": 1, "sha256": "5" * 64, "width": 1, "height": 1}
    with alice.write() as session:
        session.add(Image(id="secret", place=0, private_to="person/alice", **shown))
        session.add(Image(id="open", place=1, **shown))
    for workspace, expected in ((alice, {"secret", "open"}), (bob, {"open"})):
        with workspace.read() as session:
            assert set(session.scalars(select(Image.id).where(Image.sha256 == "5" * 64))) == expected
            assert (session.get(Image, "secret") is not None) is ("secret" in expected)
            assert session.scalar(select(func.count()).where(Image.place >= 0)) == len(expected)
    with bob.write() as session:
        assert session.execute(delete(Image)).rowcount == 1


def test_every_record_that_a_team_makes_belongs_to_a_project():
    from sfumato.db.kinds import kinds

    outside = {name for name, kind in kinds().items() if not issubclass(kind, InProject)}
    assert outside == {"erased", "cleared"}, "what care took away it took from the whole workspace"
    assert issubclass(Item, InProject)


def test_only_what_is_named_here_looks_into_all_projects():
    opening = re.compile(r"\bdb\.(read|write)\(\)")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "sfumato").rglob("*.py")
        if opening.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(SYSTEM)


@pytest.mark.sqlite("its planner is asked; PostgreSQL plans by how much there is")
def test_sqlite_looks_by_what_is_asked_for_and_by_the_project_for_the_order(workspace):
    of_dataset = select(func.count()).where(Item.dataset_id == "d")
    newest = select(Image.id).order_by(Image.id.desc()).limit(60)
    with workspace.read() as session:
        asked = []
        event.listen(session.connection(), "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        session.execute(of_dataset)
        session.execute(newest)
        plans = [
            session.connection().exec_driver_sql(f"explain query plan {words}", values).all()[0][-1]
            for words, values in list(asked)
        ]
    assert "ix_item_dataset" in plans[0]
    assert "ix_image_project" in plans[1]
