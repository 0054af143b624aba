"""Training the judge of `scorer` anew; needs torch, and npm or the packages of the two icon sets.

    python -m sfumato.evaluation.train_scorer [--packages-dir DIR] [--work DIR]

It takes a few minutes on one processor. Features lie in the work folder, so that it goes on where it was stopped.
"""

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

import sfumato
from sfumato.data.found import Found
from sfumato.data.pictures import open_picture, to_premultiplied
from sfumato.data.sources import icons
from sfumato.evaluation.degrading import SMALL, degrade
from sfumato.evaluation.scorer import FORMAT, WEIGHTS
from sfumato.features.encoders import efficientnet_lite0, minilm
from sfumato.store.files import write_whole

STYLES = ["twemoji", "emojione"]  # no generator that is measured may learn from these
LARGE = 128  # pixels before they are made small
RIDGE = 0.3  # share of the mean variance that is added to every direction
HIDDEN = 512
STEPS = 150


def read_icons(packages_dir: str, work: Path) -> list[Found]:
    """The icons that the judge learns from."""
    options = icons.Options(styles=STYLES, packages_dir=packages_dir, size=LARGE)
    return [one for one in icons.read(options, work) if isinstance(one, Found)]


def features_of(found: list[Found], variant: int, seed: int, work: Path) -> np.ndarray:
    """Features (N, 1280) of every icon, degraded in the way that seed and variant decide; kept in the work folder."""
    graph = hashlib.sha256(efficientnet_lite0.GRAPH.read_bytes()).hexdigest()[:8]
    kept = work / f"features-{graph}-{efficientnet_lite0.SIDE}-{seed}-{variant}.npy"
    if not kept.exists():
        random = np.random.default_rng((seed, variant))
        rows = []
        for one in found:
            picture = to_premultiplied(open_picture(one.data, LARGE * LARGE), LARGE)
            rows.append(degrade(picture, random, may_flip=bool(one.flip_ok)))
        draft = kept.with_suffix(".draft.npy")
        np.save(draft, efficientnet_lite0.encode(np.stack(rows)))
        draft.replace(kept)
    return np.load(kept)


def fit_pictures(features: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and projection (1280, 384) by discriminant analysis, and each name's centre (M, 384) of length one."""
    counts = np.bincount(of)[:, None]
    centres = np.zeros((len(counts), features.shape[1]))
    np.add.at(centres, of, features)
    centres /= counts
    apart = features - centres[of]
    within = apart.T @ apart / len(apart)
    within += RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    whiten = np.linalg.inv(np.linalg.cholesky(within)).T
    between = (centres - centres.mean(0)) @ whiten
    _, directions = np.linalg.eigh(between.T @ between)
    mean, project = features.mean(0), whiten @ directions[:, : -minilm.DIM - 1 : -1]
    placed = (centres - mean) @ project
    return mean, project, placed / np.linalg.norm(placed, axis=1, keepdims=True)


def fit_words(embedded: np.ndarray, centres: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """The network that takes a name's sentence features (M, 384) to its pictures' centre, by cosine."""
    import torch
    from torch import nn
    from torch.nn.functional import normalize

    torch.manual_seed(seed)
    mean = embedded.mean(0)
    given = normalize(torch.from_numpy(embedded - mean).float())
    wanted = torch.from_numpy(centres).float()
    net = nn.Sequential(nn.Linear(minilm.DIM, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, minilm.DIM))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
    for step in range(STEPS):
        loss = (1 - (normalize(net(given)) * wanted).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1} of {STEPS}: mean distance of a name from its pictures {loss.item():.3f}")
    (w, b), (v, c) = ([one.detach().numpy() for one in net[place].parameters()] for place in (0, 2))
    return {
        "words_mean": mean, "words_hidden": w.T, "words_hidden_bias": b, "words_out": v.T, "words_out_bias": c,
    }  # fmt: skip


def describe(found: list[Found], variants: int, seed: int) -> dict[str, Any]:
    """What the file says of itself: what it learnt from, by whom, under which licence, and how."""
    origins = Counter((one.style, one.source, one.source_version, one.licence, one.author) for one in found)
    keys = ("style", "source", "version", "licence", "author")
    return {
        "format": FORMAT,
        "styles": STYLES,
        "learnt_from": [{**dict(zip(keys, origin, strict=True)), "n": n} for origin, n in sorted(origins.items())],
        "captions": icons.CAPTIONS,
        "names": len({one.name for one in found}),
        "side": SMALL,
        "pictures": f"EfficientNet-lite0 at {efficientnet_lite0.SIDE} pixels, then discriminant analysis",
        "words": "all-MiniLM-L6-v2 int8, then one hidden layer",
        "variants": variants,
        "seed": seed,
        "code": sfumato.__version__,
    }


def train(packages_dir: str, work: Path, *, variants: int, seed: int) -> None:
    """Read, degrade, fit both towers, and write the weights that ship."""
    work.mkdir(parents=True, exist_ok=True)
    found = read_icons(packages_dir, work)
    names = sorted({one.name for one in found})
    places = {name: place for place, name in enumerate(names)}
    features = []
    for variant in range(variants):
        print(f"features of {len(found):,} icons, variant {variant + 1} of {variants}", flush=True)
        features.append(features_of(found, variant, seed, work))
    of = np.array([places[one.name] for one in found] * variants)
    mean, project, centres = fit_pictures(np.concatenate(features).astype(np.float64), of)
    weights = {"mean": mean, "project": project, **fit_words(minilm.encode(names), centres, seed)}
    half = {name: np.ascontiguousarray(values, np.float16) for name, values in weights.items()}
    told = json.dumps(describe(found, variants, seed), sort_keys=True)
    write_whole(WEIGHTS, save(half, {"sfumato_scorer": told}))
    print(f"wrote {WEIGHTS}, {WEIGHTS.stat().st_size:,} bytes")


def main() -> None:
    """Train the judge from the command line."""
    parser = argparse.ArgumentParser(
        description="Train the judge that measures models, and replace the one that ships."
    )
    parser.add_argument("--packages-dir", default="", help="folder of npm tarballs, instead of the registry")
    parser.add_argument("--work", type=Path, default=Path("build/scorer"), help="where features are kept meanwhile")
    parser.add_argument("--variants", type=int, default=2, help="how often each icon is degraded anew")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    train(given.packages_dir, given.work, variants=given.variants, seed=given.seed)


if __name__ == "__main__":
    main()
