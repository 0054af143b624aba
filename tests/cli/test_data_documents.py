"""From the command line a version is exported and documented, and a dataset's balance is seen and mended."""

import csv
import json

from sfumato.cli import entry


def test_a_version_is_exported_with_its_documents(frozen, tmp_path, capsys):
    assert entry.main(["data", "export", frozen, str(tmp_path / "out"), "--to", "imagefolder"]) == 0
    assert capsys.readouterr().out.startswith("Wrote 12 pictures of shapes@")
    assert {"LICENCES.txt", "datasheet.md", "croissant.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert entry.main(["data", "export", frozen, str(tmp_path / "out"), "--to", "imagefolder"]) == 5
    assert "holds something already" in capsys.readouterr().err
    assert entry.main(["data", "export", frozen, str(tmp_path / "x"), "--to", "imagefoldr"]) == 3
    assert "Did you mean 'imagefolder'?" in capsys.readouterr().err

    assert entry.main(["data", "table", "shapes", "--out", str(tmp_path / "red.csv"), "--words", "red"]) == 0
    with (tmp_path / "red.csv").open(newline="") as stream:
        assert [row["name"][:3] for row in csv.DictReader(stream)] == ["red"] * 3

    assert entry.main(["data", "croissant", frozen, "--out", str(tmp_path / "croissant.json")]) == 0
    told = json.loads((tmp_path / "croissant.json").read_text())
    assert (tmp_path / told["distribution"][0]["contentUrl"]).exists()


def test_a_chart_is_written_as_vega_lite_that_says_what_it_shows(frozen, tmp_path, capsys):
    assert entry.main(["data", "chart", "shapes", "licence", "--out", str(tmp_path / "a.json")]) == 0
    told = json.loads((tmp_path / "a.json").read_text())
    assert [(one["value"], one["pictures"]) for one in told["data"]["values"]] == [("MIT", 12)]
    assert capsys.readouterr().out.startswith("Wrote “Licence” to ")
    assert entry.main(["data", "chart", "shapes", "licence"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert entry.main(["data", "chart", "shapes", "licens"]) == 3
    assert "Did you mean 'licence'?" in capsys.readouterr().err


def test_a_datasheet_is_shown_answered_and_written(frozen, tmp_path, capsys):
    assert entry.main(["data", "answer", "shapes", "purpose", "To try it."]) == 0
    assert entry.main(["data", "answer", "shapes", "purpose", "Another.", "--revision", "0"]) == 5
    assert entry.main(["data", "datasheet", "shapes"]) == 0
    shown = capsys.readouterr().out
    assert "To try it." in shown
    assert "12 MIT" in shown
    assert entry.main(["data", "datasheet", frozen, "--out", str(tmp_path / "sheet.html")]) == 0
    assert "To try it." in (tmp_path / "sheet.html").read_text()
    assert entry.main(["data", "datasheet", frozen, "--out", str(tmp_path / "sheet.doc")]) == 2


def test_a_balance_is_shown_planned_applied_and_taken_back(frozen, capsys):
    over = ["--over", "licence", "--everything"]
    assert entry.main(["data", "balance", "shapes", *over]) == 0
    assert "declare MIT" in capsys.readouterr().out
    assert entry.main(["data", "plan", "shapes", *over]) == 2
    assert "one group alone" in capsys.readouterr().err
    assert entry.main(["data", "plan", "shapes", "--over", "tone"]) == 3
    capsys.readouterr()
