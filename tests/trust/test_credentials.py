"""Credentials are read back as they were signed, and what they are judged by is the anchors alone."""

from sfumato.generation.metadata import manifest
from sfumato.trust.credentials import read, sign
from sfumato.trust.keys import anchors, rotate, workspace_keys
from tests.trust.signed import FACTS, chunks

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


def test_claims_are_read_back_as_they_were_signed(tmp_path):
    keys = workspace_keys(tmp_path)
    found = read(sign(PIXEL, "image/png", manifest(FACTS), keys), "image/png", keys.anchors)
    assert found.state == "signed here"
    told = found.claims["org.sfumato.generation"]
    assert (told["request"], told["image"], told["seed"], told["prompt"]) == ("request-1", "image-1", "7", "a red disc")
    assert (told["model"], told["checkpoint_sha256"], told["data_sha256"]) == ("drawn", "ab" * 32, "cd" * 32)
    made = found.claims["c2pa.actions.v2"]["actions"][0]
    assert made["action"] == "c2pa.created"
    assert made["digitalSourceType"].endswith("/trainedAlgorithmicMedia")


def test_pixels_are_left_as_they_were(tmp_path):
    data = sign(PIXEL, "image/png", manifest(FACTS), workspace_keys(tmp_path))
    kept = b"".join(data[start:end] for kind, start, end in chunks(data) if kind != "caBX")
    assert PIXEL[:8] + kept == PIXEL


def test_only_anchors_decide_who_is_known(tmp_path):
    mine, theirs = workspace_keys(tmp_path / "mine"), workspace_keys(tmp_path / "theirs")
    data = sign(PIXEL, "image/png", manifest(FACTS), theirs)
    assert read(data, "image/png", mine.anchors).state == "signer unknown here"
    assert read(data, "image/png", b"").state == "signer unknown here"
    assert read(data, "image/png", mine.anchors + theirs.anchors).state == "signed here"
    rotate(tmp_path / "theirs")
    assert read(data, "image/png", anchors(tmp_path / "theirs")).state == "signed here"


def test_what_has_none_is_unsigned():
    assert read(PIXEL, "image/png", b"").state == "unsigned"
