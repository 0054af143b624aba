"""Our side of bench/curation.py: scans in a workspace of its own, near hashes, and memory. Each is its own process.

python curation_ours.py collect|scan WORKSPACE [FOLDER] | hashes N | memory WORKSPACE N
"""

import hashlib
import json
import resource
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

DATASET = "planted"


def spent() -> float:
    """Processor seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, kinds))


def work(workspace: Any, job: Any) -> dict[str, Any]:
    """Do a job in this process, as a worker does it, and return its result."""
    from sfumato.jobs.queue import ended_well, get_job
    from sfumato.jobs.worker import run_worker

    run_worker(workspace, only_job=job.id)
    return ended_well(get_job(workspace, job_id=job.id)).result or {}


def collect(workspace: Any, folder: str) -> dict[str, Any]:
    """Take the pictures of a folder in."""
    from sfumato.data.collect import collect as ask

    return work(workspace, ask(workspace, source="folder", into=DATASET, options={"path": folder}))


def scan(workspace: Any) -> dict[str, Any]:
    """Forget what was measured and found, measure all of it, then run all checks of pixels; what each of both took."""
    from sqlalchemy import delete, func, select

    # What the checks load is loaded before the time is taken, as with the peers.
    import sfumato.data.copies
    import sfumato.data.jobs
    import sfumato.jobs.worker  # noqa: F401
    from sfumato.data.findings import list_findings, list_groups
    from sfumato.data.records import Appearance, Finding, Item
    from sfumato.data.scan import CHECKS, check

    with workspace.write() as session:
        session.execute(delete(Finding))
        session.execute(delete(Appearance))
        n = session.scalar(select(func.count(Item.id)))
    begun = spent()
    work(workspace, check(workspace, name=DATASET, only=["corrupt"]))
    measured = spent()
    pixels = [name for name in CHECKS.names() if CHECKS.get(name).KIND == "pixels"]
    work(workspace, check(workspace, name=DATASET, only=pixels))
    done = spent()
    groups = [one for kind in ("exact_copies", "near_copies")
              for one in list_groups(workspace, name=DATASET, check=kind, limit=100_000)]  # fmt: skip
    with workspace.read() as session:
        keys = dict(session.execute(select(Item.id, Item.key)).all())
    pairs = {tuple(sorted((keys[one.item_id], keys[other.item_id])))
             for group in groups for one, other in combinations(group.members, 2)}  # fmt: skip
    flags: dict[str, list[str]] = {}
    for one in list_findings(workspace, name=DATASET, limit=100_000):
        flags.setdefault(one.check, []).append(keys[one.item_id])
    return {"n": n, "measuring": measured - begun, "checks": done - measured, "pairs": sorted(pairs), "flags": flags}


def hashes(n: int) -> dict[str, Any]:
    """Near pairs among n hashes, a fiftieth of which are copies that differ in a few bits."""
    import numpy as np

    from sfumato.data.near import pairs_within

    source = np.random.default_rng(0)
    values = source.integers(0, 2**64, n, dtype=np.uint64)
    for place in range(n // 50):
        flips = source.integers(0, 64, int(source.integers(0, 11)))
        values[n - 1 - place] = values[place] ^ np.uint64(sum(1 << int(bit) for bit in set(flips.tolist())))
    begun = time.process_time()
    one, _, _ = pairs_within(values, 10)
    return {"cpu": time.process_time() - begun, "pairs": len(one)}


def memory(workspace: Any, n: int) -> dict[str, Any]:
    """The most memory that measuring n pictures takes: small files, each with bytes of its own.

    They are laid into the store without waiting for the disk, since what is asked is not how fast that is.
    """
    from planted import encoded, plain

    from sfumato.data.collect import make_dataset
    from sfumato.data.records import Item
    from sfumato.data.scan import check
    from sfumato.db import new_id

    pictures = [encoded(plain(number).resize((64, 64))) for number in range(50)]

    def laid(place: int) -> str:
        data = pictures[place % 50] + b" %d" % place  # what follows a JPEG's end is no part of the picture
        sha256 = hashlib.sha256(data).hexdigest()
        path = workspace.store.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return sha256

    with workspace.write() as session:
        dataset_id = make_dataset(workspace, session, "many")
    for start in range(0, n, 2_000):
        with workspace.write() as session:
            session.add_all(
                Item(id=new_id(), dataset_id=dataset_id, sha256=laid(place), key=str(place), licence="MIT",
                     source="made", width=64, height=64, has_alpha=False, flip_ok=True)
                for place in range(start, min(n, start + 2_000))
            )  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(workspace, check(workspace, name="many", only=["corrupt"]))
    return {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000, "before_mb": before / 1_000}


def main() -> None:
    """Do what is asked for, and tell the result as JSON."""
    what, *given = sys.argv[1:]
    if what == "hashes":
        result = hashes(int(given[0]))
    else:
        from sfumato.actions import Workspace

        with Workspace.open(given[0]) as workspace:
            if what == "collect":
                result = collect(workspace, given[1])
            else:
                result = scan(workspace) if what == "scan" else memory(workspace, int(given[1]))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
