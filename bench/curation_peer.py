"""The peers' side of bench/curation.py: one tool goes over one folder, and tells what it took and found.

python curation_peer.py cleanvision|dhash|phash FOLDER. It needs the peer's environment, and nothing of ours.
"""

import json
import os
import resource
import sys
import types
from itertools import combinations
from typing import Any


def spent() -> float:
    """Processor seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, kinds))


def cleanvision(folder: str) -> dict[str, Any]:
    """All nine checks of cleanvision, with two processes."""
    from cleanvision import Imagelab

    lab = Imagelab(data_path=folder, verbose=False)
    begun = spent()
    lab.find_issues(n_jobs=2, verbose=False)
    took = spent() - begun
    sets = [one for kind in ("exact_duplicates", "near_duplicates") for one in lab.info[kind]["sets"]]
    pairs = [[os.path.basename(name) for name in pair] for one in sets for pair in combinations(one, 2)]
    flags = {
        kind: [os.path.basename(name) for name in lab.issues.index[lab.issues[f"is_{kind}_issue"]]]
        for kind in ("blurry", "dark", "light", "grayscale", "low_information", "odd_aspect_ratio", "odd_size")
    }  # fmt: skip
    return {"cpu": took, "pairs": pairs, "flags": flags}


def imagededup(folder: str, kind: str) -> dict[str, Any]:
    """One of imagededup's hashes at its usual distance, with two processes."""
    for place, name in (("methods.cnn", "CNN"), ("utils.models", "CustomModel")):
        network: Any = types.ModuleType(f"imagededup.{place}")  # it is not tried, and would ask for torchvision
        setattr(network, name, object)
        sys.modules[f"imagededup.{place}"] = network
    from imagededup import methods

    method = {"dhash": methods.DHash, "phash": methods.PHash}[kind](verbose=False)
    begun = spent()
    encoded = method.encode_images(image_dir=folder, num_enc_workers=2)
    encoding = spent() - begun
    found = method.find_duplicates(encoding_map=encoded, max_distance_threshold=10, num_dist_workers=0)
    pairs = {tuple(sorted((one, other))) for one, others in found.items() for other in others}
    return {"cpu": spent() - begun, "encoding": encoding, "pairs": sorted(pairs), "flags": {}}


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints does not mix with the answer
    tool, where = sys.argv[1:3]
    print(json.dumps(cleanvision(where) if tool == "cleanvision" else imagededup(where, tool)), file=out, flush=True)
