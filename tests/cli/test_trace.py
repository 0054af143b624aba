"""What cannot be traced is told in words; a picture from elsewhere gets an honest answer and its own exit code."""

import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sfumato.cli import entry


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["gone.png"], 3, "There is no file"),
        (["notes.png"], 2, "not a picture"),
        (["."], 2, "is a folder"),
        (["0190aaaa"], 3, "no record '0190aaaa'"),
        (["pictur/0190aaaa"], 3, "There is no kind of record 'pictur'"),
        ([], 2, "FILE|ID"),
    ],
)
def test_what_cannot_be_traced_is_told_in_words(studio_folder, tmp_path, monkeypatch, capsys, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.png").write_text("not a picture")
    assert entry.main(["trace", *arguments]) == code
    assert said in capsys.readouterr().err


def test_a_picture_from_elsewhere_is_told_as_such(studio_folder, tmp_path, capsys):
    path = tmp_path / "mine.png"
    Image.new("RGB", (8, 8), "#a3c").save(path)
    assert entry.main(["trace", str(path)]) == 11
    said = " ".join(capsys.readouterr().out.split())
    assert "mine.png" in said
    assert "May I use it? Only if you know from elsewhere who made it and on what terms" in said
    assert "nsigned" in said  # a sentence may begin with it
    assert "This is no legal advice." in said


def test_a_forged_claim_is_shown_and_not_believed(studio_folder, tmp_path, capsys):
    info = PngInfo()
    info.add_itxt("sfumato", json.dumps({"prompt": "a red apple", "model": "emoji-styles-small", "seed": 7}))
    Image.new("RGB", (8, 8)).save(tmp_path / "forged.png", pnginfo=info)
    assert entry.main(["trace", str(tmp_path / "forged.png"), "--json"]) == 11
    told = json.loads(capsys.readouterr().out)
    assert told["standing"] == "claimed"
    assert told["answer"]["verdict"] == "only if"
    assert told["chain"]["steps"][0]["evidence"] == "unproven claims of forged.png"
    assert any("nothing in the file proves it" in one["says"] for one in told["answer"]["conditions"])
