"""A workspace is opened where it was asked for, made if need be, and what stands in the way is told."""

import os

import pytest

from sfumato.actions import Workspace
from sfumato.catalog import Catalog
from sfumato.errors import InvalidInput, NotFound, SfumatoError
from sfumato.settings import Settings, read_settings


def test_a_workspace_is_made_with_its_folders_and_found_again(settings):
    with Workspace.open(settings=settings) as workspace:
        name = workspace.store.put(b"kept")
    with Workspace.open(settings.workspace, create=False) as again:
        assert again.store.get(name) == b"kept"
        assert again.actor.roles == ("admin",)
    assert (settings.workspace / "keys").stat().st_mode & 0o077 == 0


def test_one_that_must_be_there_and_is_not_is_told_and_not_made(tmp_path, settings):
    with pytest.raises(NotFound):
        Workspace.open(tmp_path / "gone", create=False)
    assert not (tmp_path / "gone").exists()


def test_a_file_in_the_way_is_told(tmp_path, settings):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidInput):
            Workspace.open(path)
    assert (tmp_path / "file").read_text() == "mine"


def test_settings_come_from_the_environment_and_a_wrong_one_is_named(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("SFUMATO_MAX_PIXELS", "1000")
    monkeypatch.setenv("SFUMATO_PACKAGES_DIR", str(tmp_path))
    found = read_settings()
    assert (found.max_pixels, found.packages_dir, found.workspace) == (1000, tmp_path, settings.workspace)
    monkeypatch.setenv("SFUMATO_MAX_PIXELS", "many")
    with pytest.raises(InvalidInput, match="SFUMATO_MAX_PIXELS"):
        read_settings()


def test_settings_are_handed_on_to_other_processes_and_show_no_password(monkeypatch, tmp_path):
    given = Settings(workspace=tmp_path, database_url="postgresql://alice:secret@host/db", max_pixels=77)
    assert "secret" not in repr(given)
    for name, value in given.as_environment().items():
        monkeypatch.setenv(name, value)
    assert read_settings() == given


def test_without_a_setting_the_workspace_is_in_the_persons_own_data(settings, monkeypatch, tmp_path):
    monkeypatch.delenv("SFUMATO_WORKSPACE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path in read_settings().workspace.parents


def test_plug_ins_are_the_files_of_a_folder_and_a_misspelt_one_is_answered_with_the_nearest(tmp_path, monkeypatch):
    folder = tmp_path / "plugged" / "colours"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "red.py").write_text("HUE = 0")
    (folder / "broken.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    known = Catalog("plugged.colours", ("HUE",))
    assert known.names() == ["broken", "red"]
    assert known.get("red").HUE == 0
    with pytest.raises(NotFound, match="Did you mean 'red'"):
        known.get("rde")
    with pytest.raises(InvalidInput, match="does not define SHADE"):
        Catalog("plugged.colours", ("HUE", "SHADE")).get("red")


def test_a_folder_that_cannot_be_made_is_told(settings):
    with pytest.raises(SfumatoError, match="cannot"):
        Workspace.open(f"{os.devnull}/workspace", settings=settings)
