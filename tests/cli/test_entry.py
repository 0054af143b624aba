"""The command line finds commands, speaks in words, and maps every error to one exit code."""

import json
import subprocess
import sys

import pytest
import typer

from sfumato import __version__, errors
from sfumato.cli import commands, entry, failures
from sfumato.cli.shared import Asked


@pytest.fixture
def broken(monkeypatch):
    """A command `break` that raises whatever a test wants."""
    app = typer.Typer()
    raised: list[BaseException] = []

    @app.command()
    def breaks() -> None:
        raise raised[0]

    monkeypatch.setitem(commands.COMMANDS, "break", commands.Entry("a_module_with_breaks", "Break.", "Test"))
    monkeypatch.setitem(sys.modules, "a_module_with_breaks", type("module", (), {"app": app}))
    return raised


def test_help_lists_every_command_with_a_line(capsys):
    assert entry.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, known in commands.COMMANDS.items():
        assert name in shown
        assert known.says.split()[0] in shown


def test_called_with_nothing_it_shows_help(capsys):
    assert entry.main([]) == 0
    assert "Usage: sfumato" in capsys.readouterr().out


def test_it_tells_its_version(capsys):
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out == f"sfumato {__version__}\n"


def test_a_misspelt_option_is_told_on_stderr_with_exit_code_2(capsys):
    assert entry.main(["--nope"]) == 2
    told = capsys.readouterr()
    assert "--nope" in told.err
    assert told.out == ""


def test_a_typed_error_is_told_in_words_with_its_hint_and_code(broken, capsys):
    broken.append(errors.NotFound("There is no dataset 'x'.", hint="Did you mean 'y'?"))
    assert entry.main(["break"]) == 3
    assert capsys.readouterr().err == "There is no dataset 'x'.\nDid you mean 'y'?\n"


@pytest.mark.parametrize("arguments", [["break", "--json"], ["--json", "break"]])
def test_with_json_an_error_is_json_wherever_the_option_stands(broken, capsys, arguments):
    broken.append(errors.Conflict("It is there already.", hint="Choose another name."))
    assert entry.main(arguments) == 5
    told = json.loads(capsys.readouterr().err)["error"]
    assert told == {
        "kind": "Conflict", "code": 5, "message": "It is there already.", "hint": "Choose another name.",
    }


def test_an_unforeseen_error_shows_no_traceback_unless_asked(broken, capsys):
    broken.append(ZeroDivisionError("division by zero"))
    assert entry.main(["break"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert entry.main(["break", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_every_kind_of_error_has_its_own_exit_code():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    codes = {kind.__name__: failures.failure(kind("said")).code for kind in kinds}
    assert len(set(codes.values())) == len(codes)


def test_shared_options_reach_the_command_from_both_sides(monkeypatch):
    app, seen = typer.Typer(), []

    @app.command()
    def look(context: typer.Context) -> None:
        seen.append(context.obj)

    monkeypatch.setitem(commands.COMMANDS, "look", commands.Entry("a_module_that_looks", "Look.", "Test"))
    monkeypatch.setitem(sys.modules, "a_module_that_looks", type("module", (), {"app": app}))
    assert entry.main(["--database", "postgresql://one", "look", "--workspace", "here", "--json"]) == 0
    asked = seen[0]
    assert isinstance(asked, Asked)
    assert (str(asked.workspace), asked.database, asked.json) == ("here", "postgresql://one", True)


def test_a_reader_that_leaves_the_pipe_is_no_error():
    code = "from sfumato.cli.entry import main; raise SystemExit(main(['--help']))"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe) as process:
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
