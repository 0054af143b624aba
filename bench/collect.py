"""How fast small pictures come in from a folder: read, decoded, hashed, kept on the disk, and written down as rows.

    python bench/collect.py [--quick] [--anyway] [--write]

Half are JPEG and half PNG, of 128 × 128 pixels, each with a caption beside it, made before the clock starts. A worker
of its own collects them into an empty workspace, as `sfumato data collect` has it do. 300,000 pictures are not
waited for: their minutes follow from the rate of the second half, when the dataset is no longer small.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
import psutil
from measure import say
from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.collect import collect
from sfumato.jobs.queue import get_job, handed_on
from sfumato.settings import Settings

CODE = ("sfumato/data/*.py", "sfumato/data/sources/folder.py", "sfumato/store/files.py", "bench/collect.py")
FIGURES = ("images_per_s", "minutes_for_300k")
MINUTES = 10  # for 300,000 pictures on two cores
FULL, QUICK = 20_000, 4_000


def draw(folder: Path, n: int) -> None:
    """Make n pictures of soft noise, a thousand to a folder, with captions."""
    source = np.random.default_rng(0)
    for number in range(n):
        place = folder / f"{number // 1000:03d}"
        place.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(source.integers(0, 255, (8, 8, 3), np.uint8))
        picture = small.resize((128, 128), Image.Resampling.BICUBIC)
        if number % 2:
            picture.save(place / f"{number:06d}.jpg", quality=85)
        else:
            picture.save(place / f"{number:06d}.png", compress_level=3)
        (place / f"{number:06d}.txt").write_text(f"thing {number}")


def run(folder: Path, n: int, where: Path) -> dict[str, Any]:
    """Collect the folder with a worker of its own; its rate, that of the second half, and its memory on the way."""
    settings = Settings(workspace=where, database_url=None)
    with Workspace.open(settings=settings) as workspace:
        job = collect(workspace, source="folder", into="mine", options={"path": str(folder)})
        command = [sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(where), "--job", job.id]
        start = time.perf_counter()
        half, memory = 0.0, {"half": 0, "end": 0}
        with subprocess.Popen(command, env=handed_on(workspace)) as worker:
            watched = psutil.Process(worker.pid)
            while worker.poll() is None:
                time.sleep(0.1)
                done = float((get_job(workspace, job_id=job.id).progress or {}).get("done", 0))
                try:
                    used = watched.memory_info().rss
                except psutil.Error:
                    break
                memory["end" if half else "half"] = max(memory["end" if half else "half"], used)
                if not half and done >= n / 2:
                    half, at_half = time.perf_counter(), done
        took = time.perf_counter() - start
        counts = (get_job(workspace, job_id=job.id).result or {})["counts"]
    if counts != {"new": n}:
        raise RuntimeError(f"Not all came in: {json.dumps(counts)}")
    rate = (n - at_half) / (start + took - half) if half else n / took
    return {
        "pictures": n, "seconds": round(took, 2), "images_per_s": round(n / took, 1),
        "images_per_s_second_half": round(rate, 1), "minutes_for_300k": round(300_000 / rate / 60, 2),
        "rss_mb_first_half": round(memory["half"] / 1e6), "rss_mb_second_half": round(memory["end"] / 1e6),
    }  # fmt: skip


def for_people(result: dict[str, Any]) -> str:
    """The result as the page has it."""
    good, reason = measure.verdict(result["minutes_for_300k"], MINUTES, result["others_cores"], at_least=False)
    said = "met" if good else "not met" if good is not None else "none"
    return (
        f"{measure.origin(result)}\n\n{result['pictures']:,} pictures from a folder: **{result['images_per_s']:,.0f} a "
        f"second**, {result['images_per_s_second_half']:,.0f} in the second half; 300,000 would take "
        f"{result['minutes_for_300k']:.1f} minutes. Memory of the worker: {result['rss_mb_first_half']} MB in the "
        f"first half, {result['rss_mb_second_half']} MB in the second. Target {said}: {reason}."
    )


def main() -> int:
    """Measure, print, and on demand write the page's section."""
    given: argparse.Namespace = measure.arguments((__doc__ or "").splitlines()[0]).parse_args()
    code = measure.code_hash(CODE, settings=QUICK if given.quick else FULL)
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("collect", code, others, anyway=given.anyway) | {"quick": given.quick}
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, FIGURES, f"other processes take {others:.2f} cores")
    n = QUICK if given.quick else FULL
    with tempfile.TemporaryDirectory() as where:
        say(f"Making {n:,} pictures.")
        draw(Path(where) / "pictures", n)
        say("Collecting them.")
        watch = measure.Others()
        found = run(Path(where) / "pictures", n, Path(where) / "workspace")
        others = watch.cores()
    result = begun | measure.stamped("collect", code, others, anyway=given.anyway) | found
    good, reason = measure.verdict(found["minutes_for_300k"], MINUTES, others, at_least=False)
    result |= {"verdict": good, "reason": reason}
    if given.write and result["counts"] and not given.quick:
        measure.keep("collect", result)
        measure.write_section("collect", for_people(result))
    return measure.finish(result, for_people(result))


if __name__ == "__main__":
    sys.exit(main())
