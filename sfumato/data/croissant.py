"""Croissant 1.1: a dataset described for machines, with what its datasheet says under the keys of responsible AI."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.data.collect import find_dataset
from sfumato.data.datasheet import Datasheet, datasheet
from sfumato.data.exports.credits import licence_url
from sfumato.data.records import DatasetVersion
from sfumato.data.versions import open_version
from sfumato.errors import NotFound
from sfumato.people.projects import show_project

CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator",
    "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform", "prov": "http://www.w3.org/ns/prov#",
}  # fmt: skip
CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
MIMES = {".jsonl": "application/jsonlines", ".tar": "application/x-tar", ".parquet": "application/vnd.apache.parquet"}
# rai: keys, and the questions of the datasheet that answer each.
RESPONSIBLE = {
    "dataCollection": ("acquired", "who"), "dataCollectionTimeframe": ("when",), "dataUseCases": ("purpose", "suited"),
    "dataLimitations": ("unsuited", "sample", "missing"), "dataBiases": ("groups", "impact"),
    "personalSensitiveInformation": ("persons", "confidential", "consent"), "dataManipulationProtocol": ("done",),
    "dataReleaseMaintenancePlan": ("keeper", "updates", "versions"), "dataImputationProtocol": (),
    "dataAnnotationProtocol": ("labels",),
}  # fmt: skip
FIELDS = {
    "file_name": "sc:Text", "text": "sc:Text", "license": "sc:Text", "author": "sc:Text", "source": "sc:Text",
    "sha256": "sc:Text", "width": "sc:Integer", "height": "sc:Integer", "split": "sc:Text", "split_reason": "sc:Text",
    "style": "sc:Text", "category": "sc:Text", "concept": "sc:Text", "consent": "sc:Text", "opt_out": "sc:Text",
    "url": "sc:Text", "weight": "sc:Float",
}  # fmt: skip
LIST_FIELDS = {"name": "sc:Text", "licence": "sc:Text"} | {
    one: FIELDS[one] for one in ("sha256", "author", "source", "split", "style", "category", "concept", "url", "weight")
}


@dataclass(frozen=True)
class Files:
    """What a description distributes: files with their SHA-256, and the pictures that lie beside them."""

    hashes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    pictures: str = ""  # a pattern
    fields: dict[str, str] = field(default_factory=dict)  # of the records that the files list, if they do


def describe(workspace: Workspace, sheet: Datasheet, files: Files) -> dict[str, Any]:
    """Files of a frozen version as JSON-LD."""
    day, minor = _frozen(workspace, name=sheet.dataset, version=sheet.version)
    creator = sheet.find("creators").answer or _team(workspace)
    purpose = sheet.find("purpose").answer
    name = f"{sheet.dataset}-{sheet.version}"
    sources = sheet.find("acquired").measured.rstrip(".").split("; ")
    told: dict[str, Any] = {
        "@context": CONTEXT, "@type": "sc:Dataset", "conformsTo": CONFORMS, "name": name,
        "description": f"{sheet.find('instances').measured} {purpose}".strip(),
        "license": _licences(sheet.licences), "url": f"urn:sha256:{sheet.content_hash}",
        "creator": {"@type": "sc:Organization", "name": creator}, "datePublished": day.isoformat(),
        "version": f"1.{minor}.0", "identifier": f"sha256:{sheet.content_hash}", "isLiveDataset": False,
        "citeAs": f"@misc{{{name}, title={{{sheet.title}}}, author={{{{{creator}}}}}, year={{{day.year}}}}}",
        "keywords": ["image generation", "images", "captions"], "inLanguage": "en",
        "prov:wasDerivedFrom": [{"@type": "prov:Entity", "prov:label": one} for one in sources],
        "distribution": _distribution(files),
    }  # fmt: skip
    if files.fields:
        told["recordSet"] = [_records(one, files.fields) for one in files.hashes]
    for key, questions in RESPONSIBLE.items():
        said = " ".join(filter(None, [part for one in questions for part in _said(sheet, one)]))
        if said:
            told[f"rai:{key}"] = said
    return told


def croissant(workspace: Workspace, *, name: str) -> dict[str, Any]:
    """NAME@VERSION in the words of Croissant 1.1, as JSON-LD; its file is the list of its pictures."""
    version = open_version(workspace, name)
    listed = f"{version.view.dataset}-{version.view.name}.jsonl"
    size = len(workspace.store.get(version.content_hash))
    files = Files({listed: version.content_hash}, {listed: size}, fields=LIST_FIELDS)
    return describe(workspace, datasheet(workspace, name=version.label), files)


def _said(sheet: Datasheet, key: str) -> tuple[str, str]:
    one = sheet.find(key)
    return one.answer, one.measured


def _team(workspace: Workspace) -> str:
    try:
        return show_project(workspace, project=workspace.project).name
    except NotFound:  # nobody has given the first project a name yet
        return "the team that froze it"


def _licences(counts: dict[str, int]) -> list[str] | str:
    found = [licence_url(name) or name for name in sorted(counts, key=lambda one: (-counts[one], one))]
    return found[0] if len(found) == 1 else found


def _distribution(files: Files) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
            "encodingFormat": MIMES.get(Path(name).suffix, "application/octet-stream"), "sha256": sha256,
            "contentSize": f"{files.sizes[name]} B",
        }
        for name, sha256 in files.hashes.items()
    ]  # fmt: skip
    if files.pictures:
        told.append({"@type": "cr:FileSet", "@id": "pictures", "name": "pictures", "encodingFormat": "image/*",
                     "includes": files.pictures})  # fmt: skip
    return told


def _records(name: str, fields: dict[str, str]) -> dict[str, Any]:
    records = f"records-{name.split('/')[0].removesuffix('.jsonl')}"
    return {
        "@type": "cr:RecordSet", "@id": records, "name": records,
        "field": [
            {"@type": "cr:Field", "@id": f"{records}/{one}", "name": one, "dataType": kind,
             "source": {"fileObject": {"@id": name}, "extract": {"column": one}}}
            for one, kind in fields.items()
        ],
    }  # fmt: skip


@query("data.croissant")
def _frozen(act: Act, *, name: str, version: str) -> tuple[date, int]:
    """NAME@VERSION in the words of Croissant 1.1: here on which day it was frozen, and how many were before it."""
    dataset = find_dataset(act.session, name)
    rows = act.session.scalars(
        select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.id)
    ).all()
    place = next(number for number, row in enumerate(rows) if row.name == version)
    return rows[place].made_at.date(), place


def as_text(told: dict[str, Any]) -> str:
    """A description as the text of a file."""
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
