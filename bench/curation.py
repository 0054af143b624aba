"""How fast and how well faults and copies are found, beside cleanvision and imagededup, on pictures made for it.

    python bench/curation.py [--quick] [--anyway] [--write]

Each tool goes over the same folder, turn and turn about, in a process of its own. Time is processor time with that
of all children. Recall is the share of planted copies that stand in one group with their originals.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import measure
import peers
from measure import OUT, ROOT, say
from PIL import Image
from planted import COPIES, HARD, write

CODE = (
    "sfumato/data/appearance.py", "sfumato/data/near.py", "sfumato/data/copies.py", "sfumato/data/second_look.py",
    "sfumato/data/scanning.py", "sfumato/data/reading.py", "sfumato/data/packed.py", "sfumato/data/findings.py",
    "sfumato/data/checks/*.py", "bench/curation.py", "bench/curation_ours.py", "bench/curation_peer.py",
    "bench/planted.py",
)  # fmt: skip
TARGETS = {
    "images_per_cpu_s": (400.0, True), "speedup_over_cleanvision": (9.0, True), "near_copy_100k_cpu_s": (5.0, False),
    "worst_recall_minus_best_peer": (0.0, True), "precision": (0.98, True),
}  # fmt: skip
PEERS = {"cleanvision": "cleanvision", "dhash": "imagededup", "phash": "imagededup"}
FAULTS = {
    "blurred": ("blur", "blurry"), "dark": ("dark", "dark"), "light": ("light", "light"), "grey": ("grey", "grayscale"),
    "flat": ("low_information", "low_information"), "odd_aspect": ("odd_aspect", "odd_aspect_ratio"),
    "odd_size": ("odd_size", "odd_size"),
}  # fmt: skip
NAMED = {"ours": "Sfumato, measuring", "decoding": "Pillow, decoding alone, whole"}
LONG = ("memory_20k_mb", "memory_200k_mb")


def ours(*words: str) -> dict[str, Any]:
    """What our side says to this."""
    return heard([sys.executable, str(ROOT / "bench" / "curation_ours.py"), *words], None)


def peer(name: str, folder: Path) -> dict[str, Any]:
    """What a peer says of a folder."""
    python = str(peers.ensure(PEERS[name]))
    return heard([python, str(ROOT / "bench" / "curation_peer.py"), name, str(folder)], peers.environment())


def heard(command: list[str], environment: dict[str, str] | None) -> dict[str, Any]:
    """The last line that a process says, as JSON; raises when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{command[1:]} ended with {done.returncode}: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def decoding(folder: Path) -> float:
    """Processor seconds in which Pillow decodes every picture of a folder whole: what this processor is measured by."""
    begun = time.process_time()
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            picture.convert("RGB")
    return time.process_time() - begun


def recalls(pairs: Iterable[Any], known: dict[str, dict[str, str]], kinds: Iterable[str]) -> dict[str, float]:
    """By kind, the share of planted copies that are paired with their originals."""
    found = {frozenset(pair) for pair in pairs}
    total: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    for name, one in known.items():
        if "of" in one:
            total[one["kind"]] += 1
            hit[one["kind"]] += frozenset((name, one["of"])) in found
    return {kind: round(hit[kind] / total[kind], 4) for kind in kinds}


def precision(pairs: Iterable[Any], known: dict[str, dict[str, str]]) -> float:
    """The share of pairs that are of one original, those of flat pictures left out."""
    told = [pair for pair in pairs if not {"flat"} & {known[name]["kind"] for name in pair}]
    origins = [{known[name].get("of", name) for name in pair} for pair in told]
    return round(sum(len(one) == 1 for one in origins) / len(told), 4) if told else 0.0


def faults(flags: dict[str, list[str]], known: dict[str, dict[str, str]], side: int) -> dict[str, list[int]]:
    """By fault: how many of the planted ones were found, how many there are, and how many others were told of."""
    found = {}
    for kind, names in FAULTS.items():
        told = Counter(known[name]["kind"] == kind for name in flags.get(names[side], []))
        found[kind] = [told[True], sum(one["kind"] == kind for one in known.values()), told[False]]
    return found


def compare(folder: Path, rounds: int) -> dict[str, Any]:
    """All tools over the same folder, by turns."""
    known = json.loads((folder / "planted.json").read_text(encoding="utf-8"))["files"]
    hard = {name: one for name, one in known.items() if one["kind"] in HARD}
    known = {name: one for name, one in known.items() if name not in hard}
    places = {"": folder / "pictures", "hard": folder / "with hard"}
    if not places["hard"].exists():
        shutil.copytree(folder / "hard", places["hard"])
        for one in hard.values():
            shutil.copy(folder / "pictures" / one["of"], places["hard"])
    where = {name: OUT / "curation" / f"workspace-{name or 'planted'}-{folder.name}" for name in places}
    for name, place in where.items():
        shutil.rmtree(place, ignore_errors=True)
        ours("collect", str(place), str(places[name]))
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *PEERS)}
    decoded: list[float] = []
    for _ in range(rounds):
        for name in PEERS:  # ours before each of them, since it takes so little of the time
            decoded.append(decoding(places[""]))
            turns["ours"].append(ours("scan", str(where[""])))
            turns[name].append(peer(name, places[""]))
    last = {name: heard_of[-1] for name, heard_of in turns.items()}
    n = last["ours"]["n"]
    spent = {name: [one["cpu"] for one in turns[name]] for name in PEERS}
    spent |= {"ours": [one["measuring"] for one in turns["ours"]], "decoding": decoded}
    whole = [one["measuring"] + one["checks"] for one in turns["ours"]]
    peer_s = {name: statistics.median(spent[name]) for name in PEERS}
    pass_s, whole_s = statistics.median(spent["ours"]), statistics.median(whole)
    recall = {name: recalls(last[name]["pairs"], known, COPIES) for name in last}
    best = {kind: max(recall[name][kind] for name in PEERS) for kind in COPIES}
    return {
        "images": n, "images_per_cpu_s": round(n / min(spent["ours"]), 1),  # other guests of a host only slow it down
        "images_per_cpu_s_all_checks": round(n / min(whole), 1),
        "images_per_cpu_s_fastest": {name: round(n / min(found), 1) for name, found in spent.items()},
        "images_per_cpu_s_median": {name: round(n / statistics.median(found), 1) for name, found in spent.items()},
        "images_per_cpu_s_median_all_checks": round(n / whole_s, 1),
        "speedup_over_cleanvision": round(peer_s["cleanvision"] / pass_s, 2),
        "speedup_over_cleanvision_all_checks": round(peer_s["cleanvision"] / whole_s, 2),
        "recall": recall, "recall_hard": recalls(ours("scan", str(where["hard"]))["pairs"], hard, HARD),
        "worst_recall_minus_best_peer": round(min(recall["ours"][kind] - best[kind] for kind in COPIES), 4),
        "turns": {name: len(found) for name, found in spent.items()},
        "precision": precision(last["ours"]["pairs"], known),
        "precision_peers": {name: precision(last[name]["pairs"], known) for name in PEERS},
        "faults": faults(last["ours"]["flags"], known, 0),
        "faults_cleanvision": faults(last["cleanvision"]["flags"], known, 1),
    }  # fmt: skip


def flat_memory() -> dict[str, Any]:
    """The most memory of measuring 20,000 and 200,000 pictures."""
    found = {}
    for key, n in zip(LONG, (20_000, 200_000), strict=True):
        place = OUT / "curation" / f"memory-{n}"
        shutil.rmtree(place, ignore_errors=True)
        found[key] = round(ours("memory", str(place), str(n))["mb"], 1)
        shutil.rmtree(place, ignore_errors=True)
    return found


def for_people(result: dict[str, Any]) -> str:
    """The result as tables and sentences."""
    fastest, usual = result["images_per_cpu_s_fastest"], result["images_per_cpu_s_median"]
    all_checks = result["images_per_cpu_s_all_checks"], result["images_per_cpu_s_median_all_checks"]
    rows = [["pictures per processor second", "fastest turn", "median turn"]]
    rows += [[NAMED.get(name, name), f"{fastest[name]:g}", f"{usual[name]:g}"] for name in ("ours", *PEERS, "decoding")]
    rows.insert(2, ["Sfumato, measuring and all checks", *(f"{one:g}" for one in all_checks)])
    recall = result["recall"]
    copies = [["found of planted copies", *COPIES], *([name, *(f"{one[kind]:.2f}" for kind in COPIES)]
              for name, one in recall.items())]  # fmt: skip
    told = [["found/planted, others told of", *FAULTS]]
    for name, key in (("ours", "faults"), ("cleanvision", "faults_cleanvision")):
        told.append([name, *("{}/{}, {}".format(*result[key][kind]) for kind in FAULTS)])
    hard = ", ".join(f"{kind} {share:.2f}" for kind, share in result["recall_hard"].items())
    memory = [f"{result[key]:g} MB" if result.get(key) else "not measured" for key in LONG]
    return "\n".join([
        measure.origin(result), "",
        f"{result['images']:,} pictures. Measuring is **{result['speedup_over_cleanvision']:g} times** as fast as "
        f"cleanvision's checks, with all of our checks {result['speedup_over_cleanvision_all_checks']:g} times. Near "
        f"pairs among 100,000 hashes take {result['near_copy_100k_cpu_s']:.2f} processor seconds. Precision of pairs "
        f"outside of flat pictures: {result['precision']:.3f}. Harder copies: {hard}. Most memory of measuring "
        f"20,000 pictures: {memory[0]}; 200,000: {memory[1]}. Verdict: {result['reason']}.", "",
        measure.table(rows), "", measure.table(copies), "", measure.table(told),
    ])  # fmt: skip


def main() -> int:
    """Measure, judge, say it to people, and end with one line of JSON."""
    given = measure.arguments(__doc__.splitlines()[0]).parse_args()
    code = measure.code_hash(CODE)
    for name in set(PEERS.values()):
        peers.ensure(name)
    share = 0.15 if given.quick else 1.0
    folder = write(OUT / "curation" / f"planted-{share:g}", share)
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("curation", code, others, anyway=given.anyway) | {"quick": given.quick}
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, TARGETS, f"other processes take {others:.2f} cores")
    watch = measure.Others()
    say("By turns over the same folder.")
    found = compare(folder, 1 if given.quick else 3)
    found["near_copy_100k_cpu_s"] = round(ours("hashes", "100000")["cpu"], 3)
    found |= {} if given.quick else flat_memory()
    others = watch.cores()
    result = begun | measure.stamped("curation", code, others, anyway=given.anyway) | found
    if given.quick:
        result = measure.with_kept(result, "curation", LONG)
    judged = {
        key: measure.verdict(result[key], target, others, at_least=good) for key, (target, good) in TARGETS.items()
    }
    missed = [f"{key} is {why}" for key, (good, why) in judged.items() if good is False]
    unsaid = [why for good, why in judged.values() if good is None]
    result["verdict"] = None if unsaid else not missed
    result["reason"] = unsaid[0] if unsaid else "; ".join(missed) or "every figure meets its target"
    if given.write and result["counts"] and not given.quick:
        measure.keep("curation", result)
        measure.write_section("curation", for_people(result))
    return measure.finish(result, for_people(result))


if __name__ == "__main__":
    sys.exit(main())
