"""Every source: hands over the same things twice in the same order, each under a key of its own, and says why not."""

import inspect
import io
import json
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from sfumato.data.collect import SOURCES
from sfumato.data.found import Found, Later, Left
from sfumato.data.places import SERVER_PATHS
from tests.data.made_pictures import encoded, picture
from tests.data.test_icons import APPLE, EMOJI, GROUPS, icon_set, pack

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' width='10pt' height='10pt'><rect width='9' height='9'/></svg>"


def small(number: int) -> bytes:
    """A picture whose bytes differ from those of every other number."""
    return encoded(picture(side=24 + number % 40)) + b"%06d" % number * 800  # bytes after the end do no harm


def folder_of(place: Path, n: int) -> dict:
    place.mkdir(exist_ok=True)
    for number in range(n):
        (place / f"{number:05d}.png").write_bytes(small(number))
    (place / "broken.png").symlink_to("nowhere")
    return {"path": str(place)}


def zip_of(place: Path, n: int) -> dict:
    with zipfile.ZipFile(place.with_suffix(".zip"), "w") as bundle:
        for number in range(n):
            bundle.writestr(f"{number:05d}.png", small(number))
        bundle.writestr("../out.png", small(0))
    return {"path": str(place.with_suffix(".zip"))}


def tar_of(place: Path, n: int) -> dict:
    with tarfile.open(place.with_suffix(".tar"), "w") as bundle:
        for number in range(n):
            for kind, data in (("png", small(number)), ("txt", b"a thing")):
                member = tarfile.TarInfo(f"{number:05d}.{kind}")
                member.size = len(data)
                bundle.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        bundle.addfile(link)
    return {"path": str(place.with_suffix(".tar"))}


def table_of(place: Path, n: int) -> dict:
    folder_of(place, n)
    lines = [{"file_name": f"{number:05d}.png", "text": "a thing"} for number in range(n)]
    lines.append({"file_name": "../up.png"})
    (place / "table.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return {"path": str(place / "table.jsonl")}


def imagefolder_of(place: Path, n: int) -> dict:
    place.mkdir()
    folder_of(place / "train", n)
    return {"path": str(place)}


def parquet_of(place: Path, n: int) -> dict:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: it comes with the extra [data]")
    from pyarrow import parquet

    rows = [{"image": {"bytes": small(number), "path": None}, "text": "a thing"} for number in range(n)]
    rows.append({"image": {"bytes": None, "path": "../up.png"}, "text": ""})
    parquet.write_table(arrow.Table.from_pylist(rows), place.with_suffix(".parquet"))
    return {"path": str(place.with_suffix(".parquet"))}


def openclipart_of(place: Path, n: int) -> dict:
    place.mkdir()
    for number in range(n):
        (place / f"{number:05d}.svg").write_bytes(SVG)
    (place / "linked.svg").symlink_to("/etc/hostname")
    return {"path": str(place)}


def icons_of(place: Path, n: int) -> dict:
    place.mkdir()
    pack(place, "emojibase-data-17.0.0.tgz", {"meta/groups.json": GROUPS, "en/data.json": EMOJI})
    chars = {"1f34e": "red-apple", "1f520": "abc"}
    bodies = {"red-apple": APPLE, "abc": APPLE}
    pack(place, "iconify-json-noto-1.2.9.tgz", icon_set("noto", "Google Inc", "Apache-2.0", bodies, chars))
    return {"packages_dir": str(place), "styles": ["noto"]}


MADE = {
    "folder": folder_of, "generated": folder_of, "zip": zip_of, "tar": tar_of, "table": table_of,
    "imagefolder": imagefolder_of, "parquet": parquet_of, "openclipart": openclipart_of, "icons": icons_of,
    "sample": lambda place, n: {},
}  # fmt: skip


@pytest.fixture(params=SOURCES.names())
def name(request):
    """The name of one source."""
    return request.param


def whole(source, options, cache):
    """Everything that a source hands over, with what is read later read now."""
    return [one.fetch() if isinstance(one, Later) else one for one in source.read(options, cache)]


def test_it_hands_over_the_same_twice_each_under_its_own_key(name, tmp_path):
    source = SOURCES.get(name)
    options = source.Options(**MADE[name](tmp_path / "made", 7))
    found = whole(source, options, tmp_path)
    assert found == whole(source, options, tmp_path)
    assert sum(isinstance(one, Found) for one in found) >= (1 if name == "icons" else 7)
    assert all(one.data and one.licence for one in found if isinstance(one, Found))
    assert len({(one.source, one.key) for one in found}) == len(found)
    left = [one for one in found if isinstance(one, Left)]
    assert all(one.reason and one.key and one.source for one in left)
    assert left or name == "sample"
    if hasattr(source, "count"):
        assert source.count(options, tmp_path) in (len(found), len(found) - 1)


@pytest.mark.parametrize("name", sorted({*MADE} - {"icons", "sample"}))  # those two are packages of a fixed size
def test_memory_does_not_grow_with_the_pictures(name, tmp_path):
    source = SOURCES.get(name)

    def peak(n: int) -> int:
        options = source.Options(**MADE[name](tmp_path / f"made{n}", n))
        tracemalloc.start()
        for one in source.read(options, tmp_path):
            if isinstance(one, Later):
                one.fetch()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(3)  # what is made at first use
    assert peak(603) - peak(103) < 500 * 1_500, "a list of names may grow, not what is in the files"


def test_what_it_reads_of_the_server_goes_by_names_that_only_admins_may_give(name):
    said = SOURCES.get(name).Options.model_json_schema()["properties"]
    for option, about in said.items():
        if any(word in about.get("description", "") for word in ("folder", "file", "lies", "lie")):
            assert option in SERVER_PATHS or option in ("label", "columns"), f"{option} of {name}"


def test_it_says_what_it_reads(name):
    assert len(inspect.cleandoc(SOURCES.get(name).__doc__ or "")) > 30
