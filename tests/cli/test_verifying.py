"""`sfumato verify` answers in words and by its exit code; `sfumato keys` shows and renews the key."""

import json

import pytest
from PIL import Image

from sfumato.actions import Workspace
from sfumato.cli import entry
from tests.trust.signed import signed_bytes, signed_file


@pytest.fixture
def files(studio_folder, tmp_path):
    """One file of each state: signed here, by another workspace, changed, and never signed."""
    with Workspace.open() as workspace:
        ours = signed_file(workspace, tmp_path)
        data = bytearray(signed_bytes(workspace))
    with Workspace.open(tmp_path / "elsewhere") as other:
        (tmp_path / "theirs.png").write_bytes(signed_bytes(other))
    data[-30] ^= 1
    (tmp_path / "changed.png").write_bytes(data)
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    return {"ours": ours, **{name: tmp_path / f"{name}.png" for name in ("theirs", "changed", "plain")}}


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("ours", 0, "valid, signed here"), ("theirs", 10, "does not know the signer"), ("plain", 11, "unsigned"),
        ("changed", 12, "invalid, it was changed after it was signed"),
    ],
)  # fmt: skip
def test_each_state_has_its_words_and_its_exit_code(files, capsys, name, code, words):
    assert entry.main(["verify", str(files[name])]) == code
    assert words in capsys.readouterr().out


def test_of_several_files_the_gravest_counts_and_each_has_a_line(files, capsys):
    assert entry.main(["verify", str(files["ours"]), str(files["theirs"])]) == 10
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert entry.main(["verify", *map(str, files.values())]) == 12
    capsys.readouterr()
    assert entry.main(["verify", str(files["ours"]), "gone.png", "--json"]) == 3
    assert [one["state"] for one in json.loads(capsys.readouterr().out)] == ["signed here", "unreadable"]


def test_with_json_it_gives_state_signer_and_claims(files, capsys):
    assert entry.main(["verify", str(files["ours"]), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["state"], found["model"], found["claims"]["seed"]) == ("signed here", "drawn", "7")


def test_what_is_no_picture_ends_with_its_own_code(files, tmp_path, capsys):
    (tmp_path / "text.png").write_text("words")
    assert entry.main(["verify", str(tmp_path / "text.png")]) == 2
    assert "is not a picture" in capsys.readouterr().err
    assert entry.main(["verify", str(tmp_path / "gone.png")]) == 3
    assert "There is no file" in capsys.readouterr().err


def test_the_help_documents_the_codes(capsys):
    assert entry.main(["verify", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(code in shown for code in ("10", "11", "12"))


def test_keys_are_shown_and_renewed(files, capsys):
    assert entry.main(["keys", "show", "--json"]) == 0
    before = json.loads(capsys.readouterr().out)
    assert entry.main(["keys", "rotate"]) == 0
    assert "earlier keys  1" in capsys.readouterr().out
    assert entry.main(["keys", "show", "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert after["fingerprint"] != before["fingerprint"]
    assert entry.main(["verify", str(files["ours"])]) == 0


def test_before_the_first_picture_there_is_no_key(studio_folder, capsys):
    assert entry.main(["keys", "show"]) == 0
    assert capsys.readouterr().out == "There is no key yet. The first picture makes one.\n"
