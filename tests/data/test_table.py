"""Tables of paths: columns by any name, pictures below one folder and nowhere else."""

import json

import pytest
from sqlalchemy import select

from sfumato.data.collect import list_datasets
from sfumato.data.records import Item, Quarantined
from sfumato.errors import InvalidInput, SfumatoError


def rows(workspace, table=Item):
    with workspace.read() as session:
        return {row.key: row for row in session.scalars(select(table).order_by(table.key))}


def test_a_csv_with_its_own_names_of_columns(workspace, shapes, tmp_path, collect):
    table = tmp_path / "list.csv"
    table.write_text(
        "Bild,Titel,licence,split,family,consent,attribute.gender\n"
        "red-disc.png,ein Ball,MIT,test,one,given,male\nred-bar.png,ein Stab,,,,perhaps,\n"
    )
    options = {"path": str(table), "root": str(shapes), "columns": ["file_name=Bild", "text=Titel"]}
    assert collect("table", **options, licence="CC0-1.0").n == 2
    ball, bar = rows(workspace)["red-disc.png"], rows(workspace)["red-bar.png"]
    assert (ball.name, ball.licence, ball.given_split) == ("ein Ball", "MIT", "test")
    assert (ball.family, ball.consent) == ("one", "given")
    assert ball.attributes == {"gender": "male"}
    assert (bar.name, bar.licence, bar.consent) == ("ein Stab", "CC0-1.0", "")
    assert bar.evidence["consent"]["value"] == "perhaps"


def test_bad_lines_and_paths_that_lead_out_are_set_aside(workspace, shapes, tmp_path, collect):
    (tmp_path / "secret.png").write_bytes((shapes / "red-bar.png").read_bytes())
    (shapes / "way.png").symlink_to(tmp_path / "secret.png")
    lines = [
        json.dumps({"path": "red-disc.png"}), "{broken", json.dumps({"path": "../secret.png"}), "[1]",
        json.dumps({"path": "/etc/hostname"}), json.dumps({"text": "no file"}), json.dumps({"path": "gone.png"}),
        json.dumps({"path": "red-disc.png", "text": "again"}), json.dumps({"path": "way.png"}),
    ]  # fmt: skip
    (shapes / "list.jsonl").write_text("\n".join(lines))
    found = collect("table", path=str(shapes / "list.jsonl"))
    assert found.n == 1
    assert found.left_out == {"unreadable": 4, "unsafe name": 3, "named twice": 1}
    assert rows(workspace, Quarantined)["list.jsonl line 3"].reason == "unsafe name"


def test_columns_are_pairs(collect, shapes):
    (shapes / "list.csv").write_text("file_name\nred-disc.png\n")
    with pytest.raises(InvalidInput, match="does not map"):
        collect("table", path=str(shapes / "list.csv"), columns=["Title"])


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("name;file_name\na;red-disc.png\n", [], "No column of list.csv is for pictures"),
        ("Titel\na\n", [], "No column of list.csv is for pictures"),
        ("file_name\nred-disc.png\n", ["text=Titel"], "has no column 'Titel'"),
        ("file_name\nred-disc.png\n", ["caprion=file_name"], "Did you mean 'caption'"),
        ("file_name,text\nred-disc.png,caf\xe9\n", [], "is no text in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_meant_so_is_told_and_leaves_no_dataset(workspace, shapes, collect, text, columns, said):
    (shapes / "list.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(SfumatoError) as wrong:
        collect("table", path=str(shapes / "list.csv"), columns=columns)
    assert said in f"{wrong.value.message} {wrong.value.hint}"
    assert list_datasets(workspace) == []
