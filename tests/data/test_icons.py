"""Icon sets are read as npm packs them, joined to captions, and drawn with alpha."""

import io
import json
import tarfile

import numpy as np
import pytest
from sqlalchemy import select

from sfumato.data.collect import collect as ask
from sfumato.data.pictures import open_picture
from sfumato.data.records import Item
from sfumato.data.sources import icons
from sfumato.errors import InvalidInput, NotFound
from sfumato.settings import Settings
from tests.data.made_pictures import encoded, picture

APPLE = '<circle cx="8" cy="8" r="6" fill="red" fill-opacity=".5"/>'
GROUPS = {"groups": {"0": "smileys-emotion", "2": "component", "4": "food-drink", "8": "symbols"},
          "subgroups": {"40": "food-fruit", "80": "alphanum", "81": "geometric"}}  # fmt: skip
EMOJI = [
    {"hexcode": "1F34E", "label": "red apple", "group": 4, "subgroup": 40, "tags": ["fruit", "red"]},
    {"hexcode": "1F34F", "label": "green apple", "group": 4, "subgroup": 40, "tags": ["fruit"]},
    {"hexcode": "1F446-FE0F", "label": "backhand index pointing up", "group": 0, "tags": ["hand"]},
    {"hexcode": "1F520", "label": "input latin uppercase", "group": 8, "subgroup": 80},
    {"hexcode": "1F535", "label": "blue circle", "group": 8, "subgroup": 81},
]


def pack(folder, name, files):
    """Write a tarball as `npm pack` does."""
    with tarfile.open(folder / name, "w:gz") as bundle:
        for path, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(data)
            bundle.addfile(member, io.BytesIO(data))


def icon_set(title, author, licence, bodies, chars=None):
    icons = {name: body if isinstance(body, dict) else {"body": body} for name, body in bodies.items()}
    files = {
        "package.json": {"name": title, "license": licence},
        "info.json": {"author": {"name": author, "url": "https://example.org"}, "license": {"spdx": licence}},
        "icons.json": {"prefix": "x", "width": 16, "height": 16, "icons": icons},
    }
    return files | ({"chars.json": chars} if chars else {})


@pytest.fixture
def packages(tmp_path):
    """A folder with captions, a set that knows code points, one that does not, and one of ready pictures."""
    folder = tmp_path / "packages"
    folder.mkdir()
    pack(folder, "emojibase-data-17.0.0.tgz", {"meta/groups.json": GROUPS, "en/data.json": EMOJI})
    flat = {"red-apple": APPLE, "apple-again": APPLE, "pointing-up": APPLE, "abc": APPLE, "unknown": APPLE,
            "wide": {"body": APPLE, "width": 32, "left": 0}}  # fmt: skip
    chars = {"1f34e": "red-apple", "1f34e-fe0f": "apple-again", "1f446": "pointing-up", "1f520": "abc", "1f535": "wide"}
    pack(folder, "iconify-json-noto-1.2.9.tgz", icon_set("noto", "Google Inc", "Apache-2.0", flat, chars))
    named = {"greenapple": APPLE, "redapple": '<script>x</script>', "nothing": APPLE}
    pack(folder, "iconify-json-fxemoji-1.2.2.tgz", icon_set("fx", "Mozilla", "Apache-2.0", named))
    ready = {
        "package.json": {"license": "MIT", "author": "Packer <p@example.org>", "homepage": "https://h"},
        "assets/1f34e.webp": encoded(picture(), "WEBP"),
        "assets/1f520.webp": b"-",
        "assets/1f3fb.webp": b"-",
    }
    pack(folder, "lobehub-fluent-emoji-3d-1.1.0.tgz", ready)
    return folder


def rows(workspace):
    with workspace.read() as session:
        found = session.scalars(select(Item).order_by(Item.style, Item.name)).all()
    return {(item.style, item.name): item for item in found}


def test_three_kinds_of_set_become_items_with_captions_licences_authors_and_versions(workspace, packages, collect):
    found = collect("icons", packages_dir=str(packages), styles=["noto", "fxemoji", "fluent-3d"])
    items = rows(workspace)
    assert list(items) == [
        ("fluent-3d", "red apple"), ("fxemoji", "green apple"),
        ("noto", "backhand index pointing up"), ("noto", "blue circle"), ("noto", "red apple"),
    ]  # fmt: skip
    apple = items["noto", "red apple"]
    assert (apple.tags, apple.category, apple.concept) == (["fruit", "red"], "food-drink", "red apple")
    assert (apple.licence, apple.author, apple.url) == ("Apache-2.0", "Google Inc", "https://example.org")
    assert (apple.source, apple.source_version) == ("npm @iconify-json/noto", "1.2.9")
    assert (apple.flip_ok, items["noto", "backhand index pointing up"].flip_ok) == (True, False)
    packed = items["fluent-3d", "red apple"]
    assert (packed.licence, packed.author, packed.source_version) == ("MIT", "Microsoft; packed by Packer", "1.1.0")
    assert found.licences == {"Apache-2.0": 4, "MIT": 1}
    assert found.left_out == {"unsafe SVG": 1}
    assert collect.result["counts"]["unwanted"] >= 2


def test_tones_and_genders_are_declared_where_they_are_asked_for(workspace, tmp_path, collect):
    waving = {"hexcode": "1F44B", "label": "waving hand", "group": 0, "tags": ["hello"], "skins": [
        {"hexcode": "1F44B-1F3FB", "label": "waving hand: light skin tone", "tone": 1},
        {"hexcode": "1F44B-1F3FF", "label": "waving hand: dark skin tone", "tone": 5},
    ]}  # fmt: skip
    cook = {"hexcode": "1F469", "label": "woman", "group": 0, "gender": 0, "skins": [
        {"hexcode": "1F469-1F3FB-1F3FF", "label": "women: light and dark", "tone": [1, 5]},
    ]}  # fmt: skip
    pack(tmp_path, "emojibase-data-17.0.0.tgz", {"meta/groups.json": GROUPS, "en/data.json": [waving, cook]})
    chars = {"1f44b": "hand", "1f44b-1f3fb": "hand-light", "1f44b-1f3ff": "hand-dark", "1f469-1f3fb-1f3ff": "two"}
    bodies = {name: APPLE for name in chars.values()}
    pack(tmp_path, "iconify-json-noto-1.2.9.tgz", icon_set("noto", "Google Inc", "Apache-2.0", bodies, chars))
    assert collect("icons", packages_dir=str(tmp_path), styles=["noto"]).n == 1
    assert collect("icons", packages_dir=str(tmp_path), styles=["noto"], tones=True, into="toned").n == 4
    with workspace.read() as session:
        found = session.scalars(select(Item).where(Item.family != "").order_by(Item.key)).all()
    assert {item.key: item.attributes for item in found} == {
        "hand": {}, "hand-light": {"skin tone": "light"}, "hand-dark": {"skin tone": "dark"},
        "two": {"skin tone": "light and dark", "gender": "female"},
    }  # fmt: skip
    assert {item.family for item in found} == {"emoji 1f44b", "emoji 1f469"}
    assert {item.concept for item in found} == {"waving hand", "woman"}


def test_icons_are_drawn_with_alpha_at_the_size_that_is_asked_for(workspace, packages, collect):
    collect("icons", packages_dir=str(packages), styles=["noto"], size=64)
    items = rows(workspace)
    apple = np.asarray(open_picture(workspace.store.get(items["noto", "red apple"].sha256), 10_000))
    assert apple.shape == (64, 64, 4)
    assert apple[0, 0, 3] == 0
    assert abs(int(apple[32, 32, 3]) - 128) <= 1
    assert items["noto", "red apple"].has_alpha
    wide = items["noto", "blue circle"]
    assert (wide.width, wide.height) == (64, 32)


def test_ready_pictures_are_kept_byte_for_byte(workspace, packages, collect):
    collect("icons", packages_dir=str(packages), styles=["fluent-3d"])
    assert workspace.store.get(rows(workspace)["fluent-3d", "red apple"].sha256) == encoded(picture(), "WEBP")


def test_collecting_again_changes_nothing_and_the_folder_may_be_a_setting(workspace, packages, collect):
    from dataclasses import replace

    collect("icons", packages_dir=str(packages), styles=["noto"])
    set_once = Settings(workspace=workspace.path, packages_dir=packages)
    collect("icons", styles=["noto"], where=replace(workspace, settings=set_once))
    assert collect.result["say"].startswith("Nothing changed")


def test_a_package_that_is_not_there_is_told(workspace, packages, collect):
    with pytest.raises(NotFound, match=r"iconify-json-noto-v1-1\.2\.5\.tgz is not in"):
        collect("icons", packages_dir=str(packages), styles=["noto-v1"])


def test_without_npm_and_without_a_folder_it_is_told_what_to_install(workspace, collect, monkeypatch):
    monkeypatch.setenv("PATH", str(workspace.path))
    with pytest.raises(NotFound, match="npm is not installed") as told:
        collect("icons", styles=["noto"])
    assert "packages_dir" in told.value.hint


def test_an_unknown_set_is_told(workspace, packages, collect):
    with pytest.raises(InvalidInput, match="no icon set 'comic'"):
        collect("icons", packages_dir=str(packages), styles=["comic"])
    with pytest.raises(InvalidInput, match="size"):
        ask(workspace, source="icons", into="mine", options={"size": 5})


def test_the_corpus_is_five_sets_of_free_licences():
    assert list(icons.SETS) == ["fluent-flat", "fluent-3d", "noto", "noto-v1", "fxemoji"]
    assert icons.Options().styles == list(icons.SETS)
