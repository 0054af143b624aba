"""Draws with a folder of diffusers in a process, and where need be in an environment, of its own.

It is run by its path and imports nothing of Sfumato. On standard input comes one JSON object a line, {"caption",
"seeds", "steps", "guidance", "size", "out"}; on standard output go {"loaded": ...}, {"place", "step"} after each step,
{"place", "file"} for each picture, {"done": true}, or {"problem": ...}.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any

TOKENS = 300  # at most, for a text encoder that reads as many


def load(folder: str) -> Any:
    """The pipeline of a folder, in float32; only safetensors are read, and no code that lies in it is run."""
    torch, diffusers = import_module("torch"), import_module("diffusers")
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    pipe = diffusers.DiffusionPipeline.from_pretrained(
        folder, torch_dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe: Any, asked: dict[str, Any], place: int, say: Any) -> None:
    """Draw one picture of a request and write it as an array (S, S, 3) of values in [0, 1]."""
    torch, numpy = import_module("torch"), import_module("numpy")
    seen = {"step": 0}

    def stepped(*_: Any) -> dict[str, Any]:
        seen["step"] += 1
        say({"place": place, "step": seen["step"]})
        return {}

    given: dict[str, Any] = {"num_inference_steps": asked["steps"], "guidance_scale": asked["guidance"]}
    if "PixArt" in type(pipe).__name__:
        given |= {"use_resolution_binning": False, "clean_caption": False, "callback": stepped}
        given["max_sequence_length"] = min(TOKENS, pipe.tokenizer.model_max_length)
    else:
        given["callback_on_step_end"] = stepped
    generator = torch.Generator("cpu").manual_seed(asked["seeds"][place])
    drawn = pipe(asked["caption"], height=asked["size"], width=asked["size"], generator=generator, output_type="np",
                 **given).images[0]  # fmt: skip
    file = os.path.join(asked["out"], f"{place}.npy")
    numpy.save(file, drawn.astype(numpy.float32))
    say({"place": place, "file": file})


def main() -> None:
    """Load the folder, then draw what is asked for until there is no more."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes where complaints go

    def say(told: dict[str, Any]) -> None:
        out.write(json.dumps(told) + "\n")

    try:
        pipe = load(sys.argv[1])
        say({"loaded": type(pipe).__name__})
        for line in sys.stdin:
            asked = json.loads(line)
            for place in range(len(asked["seeds"])):
                draw(pipe, asked, place, say)
            say({"done": True})
    except Exception as problem:  # whatever it is, the other side has to say it in words
        say({"problem": f"{type(problem).__name__}: {problem}"[:500]})
        sys.exit(1)


if __name__ == "__main__":
    main()
