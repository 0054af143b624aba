"""The signing key: made once, hidden from others, renewed without losing what was signed before."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from sfumato.actions import Actor, Workspace
from sfumato.actions.records import Event
from sfumato.errors import Damaged, Forbidden
from sfumato.trust.keys import keys_folder, rotate, rotate_keys, show_keys, workspace_keys
from sfumato.trust.verify import verify
from tests.trust.signed import signed_file


@pytest.fixture
def studio(studio_folder):
    with Workspace.open() as workspace:
        yield workspace


def names(folder: Path) -> list[str]:
    return sorted(path.name.split(".", 1)[-1] for path in folder.iterdir() if path.name != ".lock")


def test_the_first_use_makes_one_key_that_only_its_owner_may_read(tmp_path):
    folder = tmp_path / "keys"
    keys = workspace_keys(folder)
    assert workspace_keys(folder) == keys
    assert names(folder) == ["chain.pem", "key.pem", "present", "root.pem"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.suffix == ".pem"} == {0o600}


def test_processes_that_sign_first_at_the_same_time_share_one_key(tmp_path):
    code = "import sys; from pathlib import Path; from sfumato.trust.keys import workspace_keys as k; "
    code += "print(k(Path(sys.argv[1])).fingerprint)"
    root = str(Path(__file__).parents[2])
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "keys")], stdout=subprocess.PIPE, cwd=root)
        for _ in range(2)
    ]
    first, second = (process.communicate()[0] for process in both)
    assert first == second != b""
    assert names(tmp_path / "keys") == ["chain.pem", "key.pem", "present", "root.pem"]


def test_after_renewal_earlier_pictures_still_verify_as_signed_here(studio, tmp_path):
    before = signed_file(studio, tmp_path)
    earlier = show_keys(studio)
    later = rotate_keys(studio)
    assert later.fingerprint != earlier.fingerprint
    assert (earlier.earlier, later.earlier) == (0, 1)
    assert verify(studio, before).state == "signed here"
    (tmp_path / "new").mkdir()
    after = verify(studio, signed_file(studio, tmp_path / "new"))
    assert (after.state, after.signer) == ("signed here", later.signer)


def test_renewal_forgets_the_earlier_secret_and_leaves_an_event(studio):
    for _ in range(3):
        keys = rotate_keys(studio)
    folder = keys_folder(studio)
    assert len(list(folder.glob("*.key.pem"))) == 1
    assert len(list(folder.glob("*.root.pem"))) == 4  # the first renewal found none and made one to begin with
    with studio.read() as session:
        said = session.scalars(select(Event.summary).where(Event.action == "keys.rotate")).all()
    assert len(said) == 3
    assert said[-1] == f"signs with the key {keys.fingerprint} from now on"


def test_a_crash_before_the_new_key_is_named_leaves_the_old_one_in_use(tmp_path, monkeypatch):
    from sfumato.trust import keys

    folder = tmp_path / "keys"
    before = workspace_keys(folder)
    write_whole = keys.write_whole

    def crash(target, *rest, **options):
        if target.name == "present":
            raise KeyboardInterrupt
        write_whole(target, *rest, **options)

    monkeypatch.setattr(keys, "write_whole", crash)
    with pytest.raises(KeyboardInterrupt):
        rotate(folder)
    monkeypatch.undo()
    assert workspace_keys(folder).fingerprint == before.fingerprint
    rotate(folder)
    assert len(list(folder.glob("*.key.pem"))) == 1


def test_showing_makes_no_key_and_shows_no_secret(studio):
    assert show_keys(studio).fingerprint == ""
    assert names(keys_folder(studio)) == []
    workspace_keys(keys_folder(studio))
    shown = show_keys(studio)
    assert "PRIVATE" not in repr(shown)
    assert len(shown.fingerprint) == 16
    assert shown.valid_until > "2050"


def test_only_who_holds_the_permission_renews(studio):
    designer = studio.as_actor(Actor("person/pia", "pia", ("prompt designer",)))
    with pytest.raises(Forbidden, match=r"keys\.write"):
        rotate_keys(designer)
    advisor = studio.as_actor(Actor("person/ria", "ria", ("responsible-AI advisor",)))
    assert rotate_keys(advisor).fingerprint


def test_a_key_that_is_gone_is_told_with_what_to_do(studio, tmp_path):
    before = signed_file(studio, tmp_path)
    folder = keys_folder(studio)
    next(folder.glob("*.key.pem")).unlink()
    with pytest.raises(Damaged, match="backup"):
        workspace_keys(folder)
    (folder / "present").unlink()
    workspace_keys(folder)
    assert verify(studio, before).state == "signed here"
