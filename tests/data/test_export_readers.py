"""Exports are read by the libraries that they are made for, each in an environment of its own.

SFUMATO_READERS names a folder with one virtual environment for each: `tensorflow` (pip install tensorflow-cpu), and
`croissant` (pip install mlcroissant datasets webdataset pillow).
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from sfumato.data.croissant import as_text, croissant
from sfumato.data.versions import open_version

pytestmark = pytest.mark.slow
READERS = Path(os.environ.get("SFUMATO_READERS", "/nowhere"))  # read before a test forgets all settings
TENSORFLOW = """
import glob, json, sys, tensorflow as tf
seen = []
for path in glob.glob(sys.argv[1] + "/*.tfrecord-*"):
    for raw in tf.data.TFRecordDataset(path):
        one = tf.train.Example.FromString(raw.numpy()).features.feature
        said = {key: one[key].bytes_list.value[0].decode() for key in ("text", "license", "sha256", "split")}
        data = one["image/encoded"].bytes_list.value[0]
        if one["image/format"].bytes_list.value[0] != b"webp":
            height, width, _ = tf.io.decode_image(data).shape
            assert [width, height] == [one["image/" + side].int64_list.value[0] for side in ("width", "height")]
        assert one["weight"].float_list.value[0] == 1.0
        assert one["tags"].WhichOneof("kind") == "bytes_list"
        seen.append(said)
print(json.dumps(seen))
"""
DATASETS = """
import json, sys, datasets
datasets.disable_progress_bars()
seen = []
for split, rows in datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[1] + "-cache").items():
    for row in rows:
        image = row.get("image") or row.get("png") or row.get("jpg") or row.get("webp")
        facts = row.get("json") or row
        assert image.size == (facts["width"], facts["height"]), split
        seen.append({key: facts[key] for key in ("text", "license", "sha256", "split")})
print(json.dumps(seen))
"""
WEBDATASET = """
import glob, json, sys, webdataset
seen = []
for sample in webdataset.WebDataset(sorted(glob.glob(sys.argv[1] + "/*.tar")), shardshuffle=False).decode("pil"):
    facts = sample["json"]
    image = next(sample[kind] for kind in ("png", "jpg", "webp") if kind in sample)
    assert image.size == (facts["width"], facts["height"])
    assert sample["txt"] == facts["text"]
    seen.append({key: facts[key] for key in ("text", "license", "sha256", "split")})
print(json.dumps(seen))
"""
RECORDS = """
import json, sys, mlcroissant
found = mlcroissant.Dataset(jsonld=sys.argv[1])
seen = []
for records in found.metadata.record_sets:
    for row in found.records(records.uuid):
        said = {key.partition("/")[2]: one.decode() if isinstance(one, bytes) else one for key, one in row.items()}
        seen.append({key: said[key] for key in ("text", "license", "sha256", "split")})
print(json.dumps(seen))
"""


def python(name):
    """The Python of a reader's environment."""
    found = READERS / name / "bin" / "python"
    if not found.exists():
        pytest.skip(f"no environment '{name}' in the folder SFUMATO_READERS: its library is large, and no dependency")
    return found


def read(name, code, *arguments):
    """What a reader printed last, as JSON."""
    environment = {"PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "HOME": "/tmp"}
    done = subprocess.run(
        [python(name), "-c", code, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def expected(workspace, label):
    lines = open_version(workspace, label).items
    return sorted((line.name, line.licence, line.sha256, line.split) for line in lines)


def told(rows):
    return sorted((row["text"], row["license"], row["sha256"], row["split"]) for row in rows)


@pytest.mark.parametrize(("form", "name", "code"), [
    ("tfrecord", "tensorflow", TENSORFLOW), ("imagefolder", "croissant", DATASETS), ("parquet", "croissant", DATASETS),
    ("webdataset", "croissant", WEBDATASET),
])  # fmt: skip
def test_its_own_library_reads_all_of_it(workspace, frozen, send, form, name, code):
    python(name)
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="the library pyarrow is missing: pip install 'sfumato[data]'")
    folder, _ = send(frozen, form)
    assert told(read(name, code, folder)) == expected(workspace, frozen.label)


@pytest.mark.parametrize("form", ["imagefolder", "webdataset", "tfrecord"])
def test_mlcroissant_accepts_the_description_of_each_export(workspace, frozen, send, form):
    validate = python("croissant").with_name("mlcroissant")
    folder, _ = send(frozen, form)
    done = subprocess.run(
        [validate, "validate", "--jsonld", folder / "croissant.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower(), done.stderr
    if form == "imagefolder":
        assert told(read("croissant", RECORDS, folder / "croissant.json")) == expected(workspace, frozen.label)


def test_mlcroissant_accepts_the_description_of_a_version(workspace, frozen, tmp_path):
    validate = python("croissant").with_name("mlcroissant")
    described = croissant(workspace, name=frozen.label)
    (tmp_path / "croissant.json").write_text(as_text(described), encoding="utf-8")
    listed = tmp_path / described["distribution"][0]["name"]
    listed.write_bytes(workspace.store.get(frozen.content_hash))
    done = subprocess.run(
        [validate, "validate", "--jsonld", tmp_path / "croissant.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    code = RECORDS.replace("license", "licence").replace('"text"', '"name"')
    rows = read("croissant", code, tmp_path / "croissant.json")
    assert {row["sha256"] for row in rows} == {line.sha256 for line in open_version(workspace, frozen.label).lines}
