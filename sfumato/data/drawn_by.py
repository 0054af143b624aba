"""What programs that make pictures write into them: prompt and settings of A1111, ComfyUI, InvokeAI and SwarmUI."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from sfumato.data.pictures import kind_of

LONGEST = 2_000_000  # letters of what is written, that are looked at
KEPT = 4_000  # letters of what is kept
STEPS = 30  # links of a graph that are followed
COMMENT = 0x9286  # of EXIF, where A1111 writes in JPEG and WebP
PAIR = re.compile(r'\s*([\w][\w \-/]{0,40}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
SAMPLER = ("seed", "noise_seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")


@dataclass(frozen=True)
class Drawn:
    """How a picture was made: by which program, from which words, with which settings."""

    tool: str
    prompt: str = ""
    negative: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    found: str = ""


def read_settings(data: bytes) -> Drawn | None:
    """What the file says of how it was made; None if it says nothing that is known."""
    told = _told(data)
    for name, read in READERS.items():
        text = told.get(name, "")
        if text and len(text) <= LONGEST:
            try:
                drawn = read(text)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
                continue  # written by something else under the same name
            if drawn is not None and (drawn.prompt or drawn.settings):
                return drawn
    return None


def _told(data: bytes) -> dict[str, str]:
    """Text chunks of a PNG, or what stands as a comment in EXIF, by name."""
    kind = kind_of(data)
    if kind not in ("png", "jpeg", "webp"):
        return {}
    try:
        with Image.open(io.BytesIO(data), formats=[kind.upper()]) as picture:
            found = {str(name): value for name, value in picture.info.items() if isinstance(value, str)}
            comment = picture.getexif().get_ifd(0x8769).get(COMMENT) if "exif" in picture.info else None
    except Exception:  # whatever a decoder stumbles over, it is the file's fault
        return {}
    if isinstance(comment, bytes):
        wide = comment.startswith(b"UNICODE\0")
        text = comment[8:].decode("utf-16-be" if wide and comment[8:9] == b"\0" else "utf-16-le" if wide else "utf-8",
                                  "replace")  # fmt: skip
        found.setdefault("parameters", text)
    return found


def _automatic(text: str) -> Drawn | None:
    """A1111's lines: words, "Negative prompt: ...", and one last line of settings. SwarmUI writes JSON there."""
    if text.lstrip().startswith("{"):
        said = json.loads(text)["sui_image_params"]
        return _plain("SwarmUI", said, "prompt", "negativeprompt")
    lines = text.strip().split("\n")
    last = lines[-1] if re.match(r"\s*Steps: \d", lines[-1]) else ""
    body = "\n".join(lines[:-1] if last else lines)
    if not last and "Negative prompt:" not in body:
        return None
    prompt, _, negative = body.partition("Negative prompt:")
    settings = {name.strip(): value.strip().strip('"') for name, value in PAIR.findall(last)}
    return Drawn("A1111", prompt.strip(), negative.strip(), settings, "parameters")


def _invoke(text: str) -> Drawn | None:
    return _plain("InvokeAI", json.loads(text), "positive_prompt", "negative_prompt")


def _plain(tool: str, said: Mapping[str, Any], prompt: str, negative: str) -> Drawn:
    settings = {
        str(name): str(value.get("name", value.get("model_name", "")) if isinstance(value, dict) else value)
        for name, value in said.items()
        if name not in (prompt, negative) and isinstance(value, str | int | float | dict) and value != ""
    }
    return Drawn(tool, str(said.get(prompt) or ""), str(said.get(negative) or ""), settings, "its metadata")


def _comfy(text: str) -> Drawn | None:
    """ComfyUI's graph: words are found by going back from the sampler."""
    nodes = json.loads(text.replace("NaN", "null"))
    inputs = {str(name): node["inputs"] for name, node in nodes.items() if isinstance(node.get("inputs"), dict)}
    kinds = {str(name): str(node.get("class_type", "")) for name, node in nodes.items()}
    sampler = next((one for one in inputs.values() if "positive" in one and "model" in one), None)
    if sampler is None:
        guider: dict[str, Any] = next((one for one in inputs.values() if "guider" in one), {})
        sampler = {**guider, "positive": guider.get("guider")}
    settings = {name: str(sampler[name]) for name in SAMPLER if isinstance(sampler.get(name), str | int | float)}
    for name, kind in kinds.items():
        for loaded in ("ckpt_name", "unet_name", "lora_name"):
            if isinstance(inputs.get(name, {}).get(loaded), str) and "Loader" in kind:
                settings.setdefault(loaded, inputs[name][loaded])
    positive, negative = (_words(inputs, sampler.get(side)) for side in ("positive", "negative"))
    return Drawn("ComfyUI", positive, negative, settings, "prompt")


def _words(inputs: dict[str, dict[str, Any]], link: Any) -> str:
    """The text that a link of a graph leads back to; "" if there is none."""
    waiting, seen = [link], 0
    while waiting and seen < STEPS:
        one, seen = waiting.pop(0), seen + 1
        if not (isinstance(one, list) and one and str(one[0]) in inputs):
            continue
        known = inputs[str(one[0])]
        for name in ("text", "text_g", "clip_l", "t5xxl", "value", "string", "prompt"):
            if isinstance(known.get(name), str) and known[name].strip():
                return str(known[name]).strip()
        waiting += [value for name, value in known.items() if name not in ("clip", "model", "vae")]
    return ""


READERS = {"parameters": _automatic, "invokeai_metadata": _invoke, "prompt": _comfy}
