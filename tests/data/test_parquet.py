"""Parquet as Hugging Face writes it, and with paths; without pyarrow it is told what to install."""

import json
import sys

import pytest
from sqlalchemy import select

from sfumato.data.records import Item
from sfumato.errors import InvalidInput, NotFound
from tests.data.made_pictures import encoded, picture


def items(workspace):
    with workspace.read() as session:
        return {row.key: row for row in session.scalars(select(Item).order_by(Item.key))}


@pytest.fixture
def written(tmp_path):
    """A function that writes rows as a Parquet file, with Hugging Face's names of classes."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: it comes with the extra [data]")
    from pyarrow import parquet

    def write(name, rows):
        table = arrow.Table.from_pylist(rows)
        features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
        told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
        path = tmp_path / name
        parquet.write_table(table.replace_schema_metadata(told), path)
        return path

    return write


def test_pictures_in_a_column_with_names_of_classes(workspace, written, collect):
    path = written("train-00000-of-00001.parquet", [
        {"image": {"bytes": encoded(picture()), "path": "x.png"}, "label": 1, "Titel": "a dog"},
        {"image": {"bytes": encoded(picture("blue"), "JPEG"), "path": None}, "label": 7, "Titel": "a thing"},
        {"image": {"bytes": b"no picture", "path": None}, "label": 0, "Titel": ""},
        {"image": {"bytes": None, "path": "../../etc/x.png"}, "label": 0, "Titel": ""},
        {"image": None, "label": 0, "Titel": ""},
    ])  # fmt: skip
    found = collect("parquet", path=str(path), columns=["text=Titel"], licence="MIT")
    assert (found.n, found.left_out) == (2, {"not a picture": 1, "unsafe name": 1, "unreadable": 1})
    dog = items(workspace)[f"{path.name}/0"]
    assert (dog.name, dog.category, dog.given_split, dog.licence) == ("a dog", "dog", "train", "MIT")


def test_pictures_by_their_path(workspace, written, shapes, collect):
    path = written("list.parquet", [{"path": "red-disc.png", "caption": "a ball"}])
    assert collect("parquet", path=str(path), root=str(shapes)).n == 1
    assert [one.name for one in items(workspace).values()] == ["a ball"]


def test_what_is_no_parquet_and_a_column_that_is_missing_are_told(written, tmp_path, collect):
    (tmp_path / "no.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InvalidInput, match=r"no\.parquet"):
        collect("parquet", path=str(tmp_path / "no.parquet"))
    path = written("some.parquet", [{"image": encoded(picture())}])
    with pytest.raises(InvalidInput, match="no column 'photo'"):
        collect("parquet", path=str(path), image="photo")
    with pytest.raises(InvalidInput, match="no column 'title'"):
        collect("parquet", path=str(path), columns=["text=title"])
    with pytest.raises(InvalidInput, match=r"No column of bare\.parquet is for pictures"):
        collect("parquet", path=str(written("bare.parquet", [{"text": "a"}])))


def test_without_pyarrow_it_is_told_what_to_install(tmp_path, collect, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(NotFound, match="pyarrow") as told:
        collect("parquet", path=str(tmp_path / "x.parquet"))
    assert "sfumato[data]" in told.value.hint
