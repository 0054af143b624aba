"""Making room: only what nothing needs goes, only when asked twice, and the log says so."""

import pytest
from sqlalchemy import text

from sfumato.care.clearing import clear
from sfumato.care.doctor import examine
from sfumato.checkpoints.models import list_models
from sfumato.cli.entry import main
from sfumato.db import DEFAULT_PROJECT, new_id
from sfumato.errors import Forbidden, InvalidInput, NotFound
from sfumato.training.records import Run
from tests.care.made import VISITOR, add_run, age, finish, tree


@pytest.fixture
def marks(filled_either):
    """The run `long`: hashes of its five checkpoints, of which 200 is the best and 500 the model's."""
    return add_run(filled_either, "long", (100, 200, 300, 400, 500))


def there(workspace, marks):
    return [mark for mark, sha256 in marks.items() if workspace.store.has(sha256)]


def test_without_being_told_twice_nothing_goes_and_what_would_be_lost_is_said(filled_either, marks):
    before = tree(filled_either.path)
    found = clear(filled_either, "checkpoints", keep_last=1, run="long")
    assert [one.what for one in found.things] == [f"long at {mark} pictures" for mark in (100, 300, 400)]
    assert found.bytes > 3 * 64 * 64 * 4
    assert not found.done
    assert "cannot be drawn again" in found.lost
    assert tree(filled_either.path) == before


def test_the_last_the_best_and_the_models_checkpoints_stay(filled_either, marks):
    clear(filled_either, "checkpoints", keep_last=2, run="long", really=True)
    assert there(filled_either, marks) == [200, 400, 500]
    assert {one.name for one in list_models(filled_either)} >= {"long", "tiny"}
    assert finish(examine(filled_either)).state == "sound"
    with filled_either.db.read() as session:
        said = session.execute(text("select summary, details from event where action = 'care.clear'")).one()
    assert "cleared 2 checkpoints" in said[0]
    assert "long at 100 pictures" in str(said[1])
    assert clear(filled_either, "checkpoints", keep_last=2, run="long", really=True).things == []


def test_a_checkpoint_stays_that_another_run_or_a_release_needs(filled, monkeypatch):
    marks = add_run(filled, "long", (100, 200, 300, 400, 500))
    with filled.db.write() as session:
        session.add(Run(id=new_id(), project_id=DEFAULT_PROJECT, name="child", recipe="flow", options={},
                        version_id="v", seed=0, parent_sha256=marks[100]))  # fmt: skip
        session.execute(text("create table some_release (id text primary key, checkpoint_sha256 text)"))
        session.execute(text("insert into some_release values ('r', :sha)"), {"sha": marks[300]})
    clear(filled, "checkpoints", keep_last=1, run="long", really=True)
    assert there(filled, marks) == [100, 200, 300, 500]


def test_all_runs_are_meant_when_none_is_named(filled_either, marks):
    clear(filled_either, "checkpoints", keep_last=1, really=True)
    assert there(filled_either, marks) == [200, 500]
    assert len(clear(filled_either, "checkpoints", keep_last=1).things) == 0


def test_caches_go_and_are_made_again(filled):
    from sfumato.data.versions import open_version

    pictures, _ = open_version(filled, "mine").decode(16)
    found = clear(filled, "caches", really=True)
    assert [one.what.startswith("cache/pictures-") for one in found.things] == [True]
    assert list((filled.path / "cache").iterdir()) == []
    assert (open_version(filled, "mine").decode(16)[0] == pictures).all()


def test_the_newest_copy_stays(filled):
    for number in range(3):
        path = filled.path / "copies" / f"workspace-{number}.db"
        path.write_bytes(b"copy")
        age(path, days=3 - number)
    clear(filled, "copies", really=True)
    assert [path.name for path in (filled.path / "copies").iterdir()] == ["workspace-2.db"]


def test_what_cannot_be_cleared_is_told(filled):
    with pytest.raises(NotFound, match="pictures"):
        clear(filled, "pictures", really=True)
    with pytest.raises(NotFound, match="tiny"):
        clear(filled, "checkpoints", run="tine", really=True)
    with pytest.raises(InvalidInput):
        clear(filled, "checkpoints", keep_last=0, really=True)
    with pytest.raises(Forbidden):
        clear(filled.as_actor(VISITOR), "caches")


def test_the_command_shows_first_and_does_it_with_yes(filled, capsys):
    marks = add_run(filled, "long", (100, 200, 300))
    command = ["storage", "clear", "checkpoints", "--keep-last", "1", "--run", "long", "--workspace", str(filled.path)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "long at 100 pictures" in said
    assert "Nothing was changed" in said
    assert filled.store.has(marks[100])
    assert main([*command, "--yes"]) == 0
    assert "Cleared" in capsys.readouterr().out
    assert not filled.store.has(marks[100])
