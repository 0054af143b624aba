"""How alike two small pictures look: their pixels on white, coarsely, after principal components.

A plain measure that needs no network. Near copies are what it is for; it says little about meaning.
"""

import numpy as np

SIDE = 16
KEPT = 64


def coarse(pictures: np.ndarray) -> np.ndarray:
    """Premultiplied pictures (N, S, S, 4) uint8 as (N, 16 * 16 * 4) in [0, 1]: colours on white, and alpha."""
    values = pictures.astype(np.float32) / 255
    values[..., :3] += 1 - values[..., 3:]
    n, size = values.shape[:2]
    if size % SIDE:
        shares = overlaps(size)
        return np.einsum("ai,bj,nijc->nabc", shares, shares, values, optimize=True).reshape(n, -1)
    step = size // SIDE
    return values.reshape(n, SIDE, step, SIDE, step, 4).mean((2, 4)).reshape(n, -1)


def overlaps(size: int) -> np.ndarray:
    """How much of each of 16 equal cells every one of `size` pixels covers, (16, size) with rows that sum to 1."""
    cells = np.arange(SIDE)[:, None] * size / SIDE
    pixels = np.arange(size)[None]
    covered = np.minimum(cells + size / SIDE, pixels + 1) - np.maximum(cells, pixels)
    return (covered.clip(0) * SIDE / size).astype(np.float32)


def learn_basis(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and first principal components, and a scale that makes the median distance of strangers one."""
    values = coarse(pictures)
    mean = values.mean(0)
    _, _, components = np.linalg.svd(values - mean, full_matrices=False)
    basis = {"mean": mean, "components": components[:KEPT], "scale": np.ones(1, np.float32)}
    looks = describe(pictures, basis)
    strangers = np.random.default_rng(0).permutation(len(looks))
    apart = np.linalg.norm(looks - looks[strangers], axis=1)
    if (apart > 0).any():
        basis["scale"] = np.array([float(np.median(apart[apart > 0]))], np.float32)
    return basis


def describe(pictures: np.ndarray, basis: dict[str, np.ndarray]) -> np.ndarray:
    """Compact features (N, 64) of premultiplied pictures (N, S, S, 4) uint8."""
    return (coarse(pictures) - basis["mean"]) @ basis["components"].T / basis["scale"][0]


def nearest_distances(queries: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Distance from each query (Q, D) to its nearest row of the table (N, D), (Q)."""
    squares = (queries**2).sum(1)[:, None] + (table**2).sum(1) - 2 * queries @ table.T
    return np.sqrt(squares.clip(0)).min(1)
