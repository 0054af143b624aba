"""What was kept long enough goes, as the settings say; what is in use stays."""

from dataclasses import replace

from sqlalchemy import text

from sfumato.care.clearing import tidy
from sfumato.cli.entry import main
from sfumato.logs import LARGEST
from tests.care.made import age


def test_old_logs_caches_copies_and_drafts_go_and_young_ones_stay(filled):
    root = filled.path
    old = {"logs/web.2.log": 31, "cache/words-1.npz": 31, "copies/workspace-1.db": 91, "tmp/upload": 2}
    young = {"logs/web.log": 29, "cache/words-2.npz": 29, "copies/workspace-2.db": 95, "tmp/new": 0.5}
    for name, days in (old | young).items():
        (root / name).write_bytes(b"something")
        age(root / name, days=days)
    age(root / "copies/workspace-1.db", days=96)  # the newest copy stays, however old it is
    shown = tidy(filled)
    assert sorted(one.what for one in shown.things) == sorted(old)
    assert not shown.done
    tidy(filled, really=True)
    assert [name for name in old if (root / name).exists()] == []
    assert [name for name in young if not (root / name).exists()] == []
    with filled.db.read() as session:
        assert session.scalar(text("select summary from event where action = 'care.clear'")).startswith(
            "cleared 4 tidy"
        )


def test_the_settings_say_how_long(filled):
    path = filled.path / "logs" / "web.log"
    path.write_bytes(b"something")
    age(path, days=3)
    short = replace(filled, settings=filled.settings.model_copy(update={"logs_days": 2}))
    assert tidy(filled).things == []
    assert [one.what for one in tidy(short).things] == ["logs/web.log"]


def test_what_workers_printed_is_cut_while_one_writes_to_it(filled):
    path = filled.path / "logs" / "worker.log"
    with path.open("ab", buffering=0) as worker:
        worker.write(b"x" * (2 * LARGEST + 10))
        tidy(filled, really=True)
        worker.write(b"more\n")
    assert path.read_bytes() == b"more\n"
    assert path.with_name("worker.1.log").stat().st_size == LARGEST


def test_the_command_shows_first(filled, capsys):
    path = filled.path / "logs" / "web.log"
    path.write_bytes(b"something")
    age(path, days=99)
    assert main(["storage", "tidy", "--workspace", str(filled.path)]) == 0
    assert "logs/web.log" in capsys.readouterr().out
    assert path.exists()
    assert main(["storage", "tidy", "--yes", "--workspace", str(filled.path)]) == 0
    assert not path.exists()
