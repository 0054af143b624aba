"""The key that pictures are signed with."""

from dataclasses import replace
from pathlib import Path

from sfumato.actions import Workspace
from sfumato.trust import keys
from sfumato.trust.keys import KeysView
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()


def show_keys(workspace: Workspace) -> KeysView:
    """Look at the workspace's signing key: its fingerprint, since when, until when, and how many came before."""
    return _without_place(keys.show_keys(workspace))


def rotate_keys(workspace: Workspace) -> KeysView:
    """Sign with a fresh key from now on; certificates stay, so that earlier pictures still count as ours."""
    return _without_place(keys.rotate_keys(workspace))


def _without_place(found: KeysView) -> KeysView:
    """Where the folder lies on the server is nobody's business."""
    return replace(found, folder=Path(found.folder.name))


offer(router, "GET", "/keys", show_keys, name="keys.show")
offer(router, "POST", "/keys/rotations", rotate_keys, name="keys.rotate")
