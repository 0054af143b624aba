"""Pictures show in the terminal in the best way that it has, and not at all in a pipe."""

import base64
import io

import pytest
from PIL import Image
from rich.console import Console

from sfumato.cli import pictures


@pytest.fixture
def apple(tmp_path):
    path = tmp_path / "apple.png"
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((220, 20, 30, 255), (8, 8, 24, 24))
    picture.save(path)
    return path


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1", "TMUX": "/run/1"}, "blocks"),
        ({"TERM": "dumb"}, "none"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "none"),
    ],
)
def test_the_way_follows_the_terminal(environment, way):
    assert pictures.protocol(environment, terminal=True) == way
    assert pictures.protocol(environment, terminal=False) == "none"


def test_a_pipe_gets_no_pictures(apple):
    held = io.StringIO()
    pictures.show([apple], Console(file=held))
    assert held.getvalue() == ""


def test_half_blocks_show_the_colours(apple, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("TMUX", "NO_COLOR", "KITTY_WINDOW_ID", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    held = io.StringIO()
    pictures.show([apple, apple], Console(file=held, force_terminal=True, color_system="truecolor", width=80))
    shown = held.getvalue()
    assert shown.count("▀") > 200
    assert "38;2;220;20;30" in shown


def test_kitty_and_iterm_carry_the_picture_itself(apple):
    row = pictures.row([apple], side=64, gap=0)
    sent = pictures.kitty(row)
    data = "".join(part.split(";", 1)[1].removesuffix("\x1b\\") for part in sent.split("\x1b_G")[1:])
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (64, 64)
    assert base64.b64decode(pictures.iterm(row).rsplit(":", 1)[1][:-1]).startswith(b"\x89PNG")


def test_sixels_draw_each_band_of_six_rows(apple):
    sent = pictures.sixel(pictures.row([apple], side=64, gap=0))
    assert sent.startswith('\x1bPq"1;1;64;64')
    assert sent.count("-") == 11
    assert sent.endswith("\x1b\\")
