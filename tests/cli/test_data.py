"""Pictures are collected, looked at and frozen from the command line."""

import json
import zipfile

from sfumato.cli import entry


def test_a_folder_becomes_a_dataset_and_a_version(studio_folder, shapes, capsys):
    assert entry.main(["data", "collect", str(shapes), "--into", "shapes"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("12 new")
    assert "Left out: 1 not a picture." in said
    assert entry.main(["data", "collect", "folder", "--path", str(shapes), "--into", "shapes"]) == 0
    assert "Nothing changed" in capsys.readouterr().out

    assert entry.main(["data", "freeze", "shapes", "--json"]) == 0
    version = json.loads(capsys.readouterr().out)
    assert (version["n"], version["is_new"]) == (12, True)
    assert entry.main(["data", "freeze", "shapes"]) == 0
    assert capsys.readouterr().out.startswith(f"Nothing has changed since shapes@{version['name']}")

    assert entry.main(["data", "list"]) == 0
    assert "shapes" in capsys.readouterr().out
    assert entry.main(["data", "show", "shapes"]) == 0
    shown = capsys.readouterr().out
    assert "12 MIT" in shown
    assert version["name"] in shown


def test_an_empty_workspace_says_how_to_begin(studio_folder, capsys):
    assert entry.main(["data", "list"]) == 0
    assert "sfumato data collect sample" in capsys.readouterr().out


def test_misspelt_names_are_answered_with_the_nearest(studio_folder, shapes, capsys):
    assert entry.main(["data", "collect", "foldre", "--into", "shapes"]) == 3
    assert "Did you mean 'folder'?" in capsys.readouterr().err
    assert entry.main(["data", "collect", str(shapes), "--into", "shapes"]) == 0
    capsys.readouterr()
    assert entry.main(["data", "freeze", "shpaes"]) == 3
    assert "Did you mean 'shapes'?" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told_in_words(studio_folder, tmp_path, capsys):
    assert entry.main(["data", "collect", "folder", "--path", str(tmp_path / "gone"), "--into", "x"]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_the_path_of_a_file_stands_for_the_source_that_reads_such(studio_folder, shapes, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as bundle:
        for path in shapes.glob("*.png"):
            bundle.write(path, path.name)
    assert entry.main(["data", "collect", str(tmp_path / "some.zip"), "--into", "zipped"]) == 0
    assert capsys.readouterr().out.startswith("12 new")
    (shapes / "list.csv").write_text(f"file_name\n{min(path.name for path in shapes.glob('*.png'))}\n")
    assert entry.main(["data", "collect", str(shapes / "list.csv"), "--into", "listed"]) == 0
    assert "new" in capsys.readouterr().out


def test_a_dataset_is_renamed_put_away_and_taken_out_again(studio_folder, shapes, capsys):
    assert entry.main(["data", "collect", str(shapes), "--into", "shapes"]) == 0
    assert entry.main(["data", "rename", "shapes", "forms"]) == 0
    assert "It is called forms now." in capsys.readouterr().out
    assert entry.main(["data", "show", "shapes"]) == 0
    assert "was called" in capsys.readouterr().out
    assert entry.main(["data", "archive", "forms"]) == 0
    capsys.readouterr()
    assert entry.main(["data", "list"]) == 0
    out = capsys.readouterr().out
    assert "forms" not in out
    assert "All that there are (1) are put away. `sfumato data list --archived` shows them." in out
    assert entry.main(["data", "list", "--archived"]) == 0
    assert "put away" in capsys.readouterr().out
    assert entry.main(["data", "collect", str(shapes), "--into", "forms"]) == 5
    assert "sfumato data unarchive forms" in capsys.readouterr().err
    assert entry.main(["data", "unarchive", "shapes"]) == 0
    assert "forms is in use again." in capsys.readouterr().out
