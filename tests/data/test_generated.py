"""Generated pictures bring their prompt as caption and their settings as evidence, whichever program wrote them."""

import io
import json

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from sfumato.data.drawn_by import read_settings
from sfumato.data.records import Item
from tests.data.made_pictures import encoded, picture

INFOTEXT = """a red apple, <lora:fruit:0.8>
on a table
Negative prompt: blurry, text
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1234, Size: 512x512, Model: dream, \
Lora hashes: "fruit: ab, x: cd", Version: v1.9"""
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "cfg": 8.0, "sampler_name": "euler",
          "scheduler": "normal", "denoise": 1.0, "model": ["4", 0], "positive": ["9", 0], "negative": ["7", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["10", 0], "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["4", 1]}},
    "9": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["6", 0], "strength": 1.0}},
    "10": {"class_type": "PrimitiveString", "inputs": {"value": "a quiet harbour"}},
}  # fmt: skip
INVOKE = {"positive_prompt": "a fox", "negative_prompt": "dog", "seed": 7, "steps": 30, "model": {"name": "sdxl"}}
SWARM = {"sui_image_params": {"prompt": "a whale", "negativeprompt": "", "seed": 3}}


def png(**chunks):
    told = PngImagePlugin.PngInfo()
    for name, text in chunks.items():
        told.add_itxt(name, text)
    out = io.BytesIO()
    picture().save(out, "PNG", pnginfo=told)
    return out.getvalue()


def jpeg(text):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode("utf-16-be")
    out = io.BytesIO()
    picture().convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_four_programs_and_their_ways(workspace, tmp_path, collect):
    files = {
        "a1111.png": png(parameters=INFOTEXT), "a1111.jpg": jpeg(INFOTEXT), "plain.png": encoded(picture("gold")),
        "comfy.png": png(prompt=json.dumps(GRAPH), workflow="{}"), "swarm.png": png(parameters=json.dumps(SWARM)),
        "invoke.png": png(invokeai_metadata=json.dumps(INVOKE)), "own.png": png(parameters=INFOTEXT),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "own.txt").write_text("my own words")
    assert collect("generated", path=str(tmp_path), licence="CC0-1.0", style="mine").n == 7
    with workspace.read() as session:
        found = {row.key: row for row in session.scalars(select(Item))}
    for key in ("a1111.png", "a1111.jpg"):
        one = found[key]
        assert one.name == "a red apple, <lora:fruit:0.8> on a table"
        assert one.evidence["negative prompt"]["value"] == "blurry, text"
        settings = one.evidence["settings"]["value"]
        assert (settings["Seed"], settings["Sampler"], settings["Version"]) == ("1234", "Euler a", "v1.9")
        assert settings["Lora hashes"] == "fruit: ab, x: cd"
    comfy = found["comfy.png"]
    assert (comfy.name, comfy.evidence["negative prompt"]["value"]) == ("a quiet harbour", "ugly")
    assert {"seed": "5", "ckpt_name": "dream.safetensors"}.items() <= comfy.evidence["settings"]["value"].items()
    assert comfy.evidence["made by"] == {"value": "ComfyUI", "found": "ComfyUI prompt"}
    assert (found["invoke.png"].name, found["invoke.png"].evidence["settings"]["value"]["model"]) == ("a fox", "sdxl")
    assert found["swarm.png"].name == "a whale"
    assert found["own.png"].name == "my own words"
    assert found["own.png"].evidence["prompt"]["value"].startswith("a red apple")
    assert (found["plain.png"].name, found["plain.png"].evidence, found["plain.png"].style) == ("", {}, "mine")
    assert found["plain.png"].licence == "CC0-1.0"


@pytest.mark.parametrize("chunks", [
    {"parameters": "just some words"}, {"prompt": "{broken"}, {"prompt": "[]"}, {"prompt": '{"1": 5}'},
    {"prompt": "[" * 50_000}, {"invokeai_metadata": "7"}, {"parameters": "{}"},
    {"prompt": json.dumps({"1": {"inputs": {"positive": ["1", 0], "model": 1, "x": ["1", 0]}}})},
])  # fmt: skip
def test_what_is_written_by_something_else_is_no_prompt(chunks):
    drawn = read_settings(png(**chunks))
    assert drawn is None or not drawn.prompt


def test_what_is_no_picture_has_no_settings():
    for data in (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", encoded(picture())[:50]):
        assert read_settings(data) is None
