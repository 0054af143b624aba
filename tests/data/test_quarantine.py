"""What cannot be taken is set aside with its reason and counted; it never ends the collecting."""

import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from sfumato.data.drawing import Drawer
from sfumato.data.found import Found, Left
from sfumato.data.intake import look_at
from sfumato.data.pictures import Unusable, draw_svg, open_picture
from sfumato.data.records import Quarantined
from tests.data.made_pictures import encoded, picture, png_that_claims

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" {}>{}<circle cx="5" cy="5" r="4" fill="red"/></svg>'
UNSAFE = {
    "script": SVG.format("", "<script>alert(1)</script>"),
    "event": SVG.format('onload="go()"', ""),
    "reference": SVG.format("", '<image href="https://example.org/a.png" width="9" height="9"/>'),
    "file": SVG.format("", '<image href="/etc/passwd" width="9" height="9"/>'),
    "style": SVG.format("", "<style>@import 'https://example.org/a.css';</style>"),
    "url": SVG.format('style="fill:url(https://example.org/a.svg#b)"', ""),
    "bomb": '<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + SVG.format("", "<text>&b;</text>"),
    "page": SVG.format("", "<foreignObject><body/></foreignObject>"),
}


@pytest.fixture
def bad(tmp_path):
    """A folder with one good picture and one of everything that goes wrong, and the reason expected of each."""
    folder = tmp_path / "bad"
    folder.mkdir()
    whole = encoded(picture(side=200), "JPEG")
    files = {
        "good.png": (encoded(picture()), None),
        "good.svg": (SVG.format("", "").encode(), None),
        "empty.png": (b"", "empty"),
        "text.png": (b"This is a letter.", "not a picture"),
        "photo.png": (whole, "wrongly named"),
        "truncated.jpg": (whole[: len(whole) // 2], "corrupt"),
        "corrupt.png": (encoded(picture())[:60] + b"\xff" * 60, "corrupt"),
        "cut.png": (b"\x89PNG\r\n\x1a\n", "corrupt"),
        "huge.png": (png_that_claims(30_000, 30_000), "too large"),
        "nothing.png": (png_that_claims(0, 5), "corrupt"),
        "broken.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><g>", "corrupt"),
        **{f"{name}.svg": (text.encode(), "unsafe SVG") for name, text in UNSAFE.items()},
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    (folder / "gone.png").symlink_to(folder / "nowhere")
    (folder / "folder.png").mkdir()
    (folder / "notes.txt").write_text("not counted: no picture by its name")
    return folder, {name: reason for name, (_, reason) in files.items() if reason} | {"gone.png": "unreadable"}


def test_each_bad_file_is_counted_with_its_reason_and_the_good_ones_are_taken(workspace, bad, collect):
    folder, expected = bad
    found = collect(path=str(folder))
    assert found.n == 2
    with workspace.read() as session:
        rows = session.scalars(select(Quarantined)).all()
    assert {row.key: row.reason for row in rows} == expected
    assert all(row.detail for row in rows)
    assert found.left_out == {reason: list(expected.values()).count(reason) for reason in set(expected.values())}
    assert sum(found.left_out.values()) == collect.result["counts"]["quarantined"]
    assert collect(path=str(folder)).left_out == found.left_out


def test_a_picture_too_large_is_refused_before_it_is_decoded(workspace):
    began = time.process_time()
    left = look_at(Found("huge.png", png_that_claims(30_000, 30_000)), 64_000_000)
    assert isinstance(left, Left)
    assert (left.reason, "30000 × 30000" in left.detail) == ("too large", True)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "BMP", "JPEG", "PNG"])
def test_the_limit_holds_for_every_kind(kind):
    data = encoded(Image.new("RGB", (40, 30)), kind)
    assert open_picture(data, 1200).size == (40, 30)
    with pytest.raises(Unusable, match="too large"):
        open_picture(data, 1199)


def test_photographs_stand_upright_and_grey_of_16_bits_is_read():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    import io

    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif)
    assert open_picture(out.getvalue(), 10_000).size == (30, 40)
    deep = Image.fromarray(np.full((4, 4), 65535, np.uint16))
    assert open_picture(encoded(deep), 10_000).getpixel((0, 0)) == (255, 255, 255, 255)


@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE)
def test_an_svg_that_could_run_or_fetch_something_is_refused(text):
    with pytest.raises(Unusable, match="unsafe SVG"):
        draw_svg(text, 32)


def test_an_svg_is_drawn_with_alpha_and_may_refer_to_itself_and_to_what_it_holds():
    inner = '<defs><linearGradient id="g"/></defs><rect width="2" height="2" style="fill:url(#g)"/><use href="#g"/>'
    drawn = draw_svg(SVG.format("", inner), 40)
    assert drawn.size == (40, 40)
    assert drawn.getpixel((20, 20)) == (255, 0, 0, 255)
    assert drawn.getpixel((39, 39))[3] == 0


def bombs():
    layers = "".join(f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 9))
    doubled = f'<defs><g id="a0"><rect width="1" height="1"/></g>{layers}</defs><use href="#a8"/>'
    noise = '<filter id="f"><feTurbulence baseFrequency="0.1" numOctaves="100000000"/></filter>'
    deep = "<g>" * 200_000 + "</g>" * 200_000
    return [SVG.format("", doubled), SVG.format('filter="url(#f)"', noise), SVG.format("", deep)]


@pytest.mark.parametrize("side", ["24pt", "32px", "32", "0.5in", "1cm", "12mm", "2pc", "3em"])
def test_an_svg_whose_size_is_told_in_other_units_is_drawn(side):
    told = f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}">'
    drawn = draw_svg(f'{told}<rect width="100%" height="100%" fill="red"/></svg>', 40)
    assert (drawn.size, drawn.getpixel((1, 1)), drawn.getpixel((38, 38))) == ((40, 40), *[(255, 0, 0, 255)] * 2)


def test_an_svg_that_never_ends_or_crashes_is_given_up_and_the_next_is_drawn():
    with Drawer(seconds=0.5) as drawer:
        for bomb in bombs():
            with pytest.raises(Unusable, match=r"too complex|corrupt"):
                drawer.draw(bomb, 32)
        drawer.seconds = 60
        assert drawer.draw(SVG.format("", ""), 32) == draw_svg(SVG.format("", ""), 32)
        with pytest.raises(Unusable, match="corrupt: it cannot be drawn"):
            drawer.draw("<svg", 32)
        served = drawer.process
        drawer.draw(SVG.format("", ""), 16)
        assert drawer.process is served
    assert served.poll() is not None


def test_a_machine_that_is_busy_with_other_things_takes_no_time_from_a_drawing():
    with Drawer(seconds=60) as drawer:
        drawer.draw(SVG.format("", ""), 16)
        drawer.seconds = 1
        drawer.process.send_signal(signal.SIGSTOP)
        goes_on = threading.Timer(1.5, drawer.process.send_signal, [signal.SIGCONT])
        goes_on.start()
        assert drawer.draw(SVG.format("", ""), 32).size == (32, 32)
        goes_on.join()


@given(st.binary(max_size=200), st.sampled_from(["", "png", "jpg", "gif", "webp", "bmp"]))
def test_no_bytes_whatever_end_in_anything_but_a_picture_or_a_reason(data, kind):
    starts = {"png": encoded(picture())[:50], "jpg": encoded(picture(), "JPEG")[:300], "gif": b"GIF89a",
              "webp": b"RIFF\x20\0\0\0WEBPVP8 ", "bmp": b"BM"}  # fmt: skip
    looked = look_at(Found(f"x.{kind}", starts.get(kind, b"") + data), 10_000)
    assert isinstance(looked, Left) is not hasattr(looked, "row")
