"""Parquet, Arrow and pandas, read back by their own libraries."""

import json

import pytest

from sfumato.data.tables import items
from sfumato.data.versions import open_version
from tests.data.sent import CAPTIONS

pytest.importorskip("pyarrow", reason="the library pyarrow is missing: pip install 'sfumato[tables]'")


def test_parquet_has_the_pictures_within_and_tells_hugging_face_so(workspace, frozen, send):
    import pyarrow.parquet as pq

    folder, result = send(frozen, "parquet")
    kept = {line.sha256: workspace.store.get(line.sha256) for line in open_version(workspace, frozen.label).items}
    seen = set()
    for path in (folder / "data").glob("*.parquet"):
        table = pq.read_table(path)
        told = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert told["image"] == {"_type": "Image"}
        assert set(told) == set(table.column_names)
        for row in table.to_pylist():
            assert row["split"] == path.name.partition("-")[0]
            if not row["drawn_from"]:
                assert row["image"]["bytes"] == kept[row["sha256"]]
            seen.add(row["sha256"])
    assert seen == set(kept)
    assert result["n"] == 36


def test_a_table_becomes_arrow_and_parquet(workspace, frozen, tmp_path):
    import pyarrow.parquet as pq

    table = items(workspace, "mine")
    arrow = table.to_arrow()
    assert (arrow.num_rows, arrow.column("width").type) == (36, "int64")
    assert set(arrow.column("name").to_pylist()) >= set(CAPTIONS)
    back = pq.read_table(table.write(tmp_path / "items.parquet"))
    assert back.equals(arrow)


def test_a_table_becomes_a_data_frame(workspace, frozen):
    pytest.importorskip("pandas", reason="the library pandas is missing: pip install 'sfumato[tables]'")
    frame = items(workspace, frozen.label).to_pandas()
    assert len(frame) == 36
    assert frame.groupby("license").size()["MIT"] == 12
