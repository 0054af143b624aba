"""The documents that go along with an export: what it is, its datasheet, and its description for machines."""

import json
from pathlib import Path
from typing import Any

from sfumato.actions import Workspace
from sfumato.data.croissant import FIELDS, Files, as_text, describe
from sfumato.data.datasheet import datasheet
from sfumato.data.exports.outgoing import plain
from sfumato.data.sheets import plain as as_it_is
from sfumato.data.sheets import written
from sfumato.data.versions import FrozenVersion

PATTERNS = {
    "imagefolder": "{split}/**", "parquet": "data/{split}-*.parquet", "webdataset": "*-{split}-*.tar",
    "tfrecord": "*-{split}.tfrecord-*",
}  # fmt: skip
READ = {
    "imagefolder": 'datasets.load_dataset("imagefolder", data_dir="FOLDER", split="train")',
    "parquet": 'datasets.load_dataset("FOLDER", split="train")',
    "webdataset": 'webdataset.WebDataset("FOLDER/NAME-train-{000000..NNNNNN}.tar")',
    "tfrecord": 'tensorflow.data.TFRecordDataset(tensorflow.io.gfile.glob("FOLDER/*-train.tfrecord-*"))',
}


def write_documents(workspace: Workspace, folder: Path, version: FrozenVersion, told: dict[str, Any]) -> None:
    """Write README.md, datasheet.md, datasheet.html and croissant.json into the folder of an export."""
    sheet = datasheet(workspace, name=version.label)
    (folder / "datasheet.md").write_text(written(sheet, ".md"), encoding="utf-8")
    (folder / "datasheet.html").write_text(written(sheet, ".html"), encoding="utf-8")
    form, names = told["form"], told["files"]
    sizes = {name: (folder / name).stat().st_size for name in names}
    pictures = form == "imagefolder"
    files = Files(names, sizes, "*/*/*" if pictures else "", FIELDS if pictures else {})
    (folder / "croissant.json").write_text(as_text(describe(workspace, sheet, files)), encoding="utf-8")
    (folder / "README.md").write_text(_read_me(told, sheet.licences), encoding="utf-8")


def _read_me(told: dict[str, Any], licences: dict[str, int]) -> str:
    """How the export is read, what it has and what was left out; its head is what Hugging Face's hub reads."""
    form, splits = told["form"], [plain(one) for one in sorted(told["splits"])]
    head = ["---", "configs:", "- config_name: default", "  data_files:"]
    for split in splits:
        head += [f"  - split: {split.replace('-', '_')}", f"    path: {json.dumps(PATTERNS[form].format(split=split))}"]
    head += ["license: other" if len(licences) != 1 else f"license: {json.dumps(next(iter(licences)).lower())}", "---"]
    left = "; ".join(f"{n:,} {as_it_is(reason)}" for reason, n in sorted(told["left_out"].items()))
    counts = ", ".join(f"{n:,} {split}" for split, n in sorted(told["splits"].items()))
    body = [
        f"# {as_it_is(told['version'])}", "", f"{told['n']:,} pictures: {as_it_is(counts)}.",
        f"Left out of the version: {left}." if left else "Nothing of the version was left out.", "",
        *([f"A slice of it: {as_it_is(json.dumps(told['where'], ensure_ascii=False))}", ""] if told["where"] else []),
        f"    {READ[form]}", "",
        "LICENCES.txt names who made the pictures and under which licence; datasheet.md says what they are; "
        "croissant.json says the same to machines.",
    ]  # fmt: skip
    return "\n".join([*head, "", *body]) + "\n"
