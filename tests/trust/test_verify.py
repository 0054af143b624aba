"""Verifying tells signed here from signed elsewhere, changed and unsigned, and what is no picture in words."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sfumato.actions import Actor, Workspace
from sfumato.errors import Forbidden, InvalidInput, NotFound
from sfumato.trust.credentials import sign
from sfumato.trust.keys import anchors, keys_folder, workspace_keys
from sfumato.trust.verify import broken_chunk, verify
from tests.trust.signed import chunks, signed_bytes, signed_file


@pytest.fixture
def studio(studio_folder):
    with Workspace.open() as workspace:
        yield workspace


def changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_what_was_signed_here_says_so_with_model_day_and_claims(studio, tmp_path):
    found = verify(studio, signed_file(studio, tmp_path))
    assert (found.state, found.model, found.request, found.image) == ("signed here", "drawn", "request-1", "image-1")
    assert found.words == "disc.png: valid, signed here, unedited since. It was drawn by drawn on 2026-11-24."
    assert found.signer.startswith("Sfumato workspace ")
    assert found.problems == []


def test_another_workspace_finds_it_valid_but_does_not_know_the_signer(studio, tmp_path):
    path = signed_file(studio, tmp_path)
    with Workspace.open(tmp_path / "elsewhere") as other:
        assert verify(other, path).state == "signer unknown here"
        signed_bytes(other)  # now it has a key of its own, and knows the first one no better
        found = verify(other, path)
    assert found.state == "signer unknown here"
    assert "does not know the signer" in found.words
    assert found.signer in found.words


def test_looking_makes_no_key(studio, tmp_path):
    with Workspace.open(tmp_path / "elsewhere") as other:
        verify(other, signed_file(studio, tmp_path))
        assert anchors(keys_folder(other)) == b""


def test_one_flipped_bit_anywhere_is_found(studio, tmp_path):
    data = signed_bytes(studio)
    own = next((start, end) for kind, start, end in chunks(data) if kind == "caBX")
    assert {kind for kind, _, _ in chunks(data)} == {"IHDR", "caBX", "tEXt", "iTXt", "IDAT", "IEND"}
    places = set(range(0, len(data), 7)) | set(range(own[0], own[1], 23)) | set(range(own[0], own[0] + 12))
    path = tmp_path / "flipped.png"
    for place in sorted(places - set(range(4))):  # the first four bytes say that it is a PNG at all
        path.write_bytes(changed(data, place))
        assert verify(studio, path).state == "invalid", place


def test_a_file_cut_short_or_grown_is_invalid(studio, tmp_path):
    data = signed_bytes(studio)
    path = tmp_path / "other.png"
    for other in (data[:-1], data[: len(data) // 2], data + b"\0"):
        path.write_bytes(other)
        found = verify(studio, path)
        assert found.state == "invalid"
        assert "no longer counts" in found.words


def test_text_put_in_after_signing_is_found(studio, tmp_path):
    data = signed_bytes(studio)
    end = chunks(data)[-1][1]
    info = PngInfo()
    info.add_text("Title", "mine")
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG", pnginfo=info)
    start, stop = next((start, end) for kind, start, end in chunks(out.getvalue()) if kind == "tEXt")
    path = tmp_path / "titled.png"
    path.write_bytes(data[:end] + out.getvalue()[start:stop] + data[end:])
    assert verify(studio, path).words == (
        "titled.png: invalid, it was changed after it was signed. What its credentials say of it no longer counts."
    )


def test_what_was_saved_anew_is_unsigned_and_its_text_tells_why(studio, tmp_path):
    path = signed_file(studio, tmp_path)
    with Image.open(path) as picture:
        info = PngInfo()
        info.add_itxt("sfumato", picture.text["sfumato"])
        picture.save(tmp_path / "anew.png", pnginfo=info)
        picture.save(tmp_path / "anew.jpg")
        picture.save(tmp_path / "anew.webp")
    found = verify(studio, tmp_path / "anew.png")
    assert found.state == "unsigned"
    assert "Sfumato made it, so its credentials were lost" in found.words
    for name in ("anew.jpg", "anew.webp"):
        assert verify(studio, tmp_path / name).words == f"{name}: unsigned, nothing vouches for how it was made."


def test_a_picture_without_credentials_is_unsigned_even_if_it_is_damaged(studio, tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "plain.png")
    data = (tmp_path / "plain.png").read_bytes()
    (tmp_path / "plain.png").write_bytes(data + b"tail")
    assert broken_chunk(data + b"tail")
    assert verify(studio, tmp_path / "plain.png").state == "unsigned"


def test_a_jpeg_that_somebody_signed_is_verified_too(studio, tmp_path):
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "JPEG")
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    action = {"action": "c2pa.created", "digitalSourceType": source}
    claims = {
        "claim_generator_info": [{"name": "Camera"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    data = sign(out.getvalue(), "image/jpeg", claims, workspace_keys(tmp_path / "their-keys"))
    (tmp_path / "photo.jpg").write_bytes(data)
    found = verify(studio, tmp_path / "photo.jpg")
    assert (found.state, found.model, found.claims) == ("signer unknown here", "", {})
    (tmp_path / "photo.jpg").write_bytes(changed(data, len(data) - 10))
    assert verify(studio, tmp_path / "photo.jpg").state == "invalid"


def test_what_is_no_picture_is_told_in_words(studio, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InvalidInput, match=r"empty\.png is empty"):
        verify(studio, tmp_path / "empty.png")
    with pytest.raises(InvalidInput, match=r"text\.png is not a picture"):
        verify(studio, tmp_path / "text.png")
    with pytest.raises(InvalidInput, match="is a folder"):
        verify(studio, tmp_path)
    with pytest.raises(NotFound, match=r"There is no file .*gone\.png"):
        verify(studio, tmp_path / "gone.png")


def test_who_may_not_read_may_not_verify(studio, tmp_path):
    stranger = studio.as_actor(Actor("person/x", "x", ()))
    with pytest.raises(Forbidden):
        verify(stranger, signed_file(studio, tmp_path))
