"""A second look at two pictures: whether their pixels agree once one is laid over the other."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageOps

from sfumato.actions import Workspace
from sfumato.data.drawing import Drawer
from sfumato.data.pictures import Unusable
from sfumato.data.scoring import opaque
from sfumato.errors import NotFound

SIDE = 32
SHARES = (1.0, 0.85, 0.7)  # of a side, for a middle that was cropped out


def agreement(workspace: Workspace, one: str, other: str) -> float:
    """The highest correlation of their grey values, -1 to 1, over crops of either and the mirror image; 0 if unseen."""
    first, second = _views(workspace, one), _views(workspace, other)
    if not len(first) or not len(second):
        return 0.0
    whole, mirrored = first[0], _mirrored(first[0])
    onto = max(float((second @ whole).max()), float((second @ mirrored).max()))
    back = max(float((first @ second[0]).max()), float((first @ _mirrored(second[0])).max()))
    return min(max(onto, back), 1.0)


def _mirrored(view: np.ndarray) -> np.ndarray:
    return view.reshape(SIDE, SIDE)[:, ::-1].ravel()


@lru_cache(maxsize=4_096)
def _views(workspace: Workspace, sha256: str) -> np.ndarray:
    """Grey values of a picture and of its middles, each of mean nought and length one, (crops, SIDE * SIDE)."""
    try:
        with Drawer() as drawer:
            data = workspace.store.get(sha256)
            picture = opaque(data, workspace.settings.max_pixels, 4 * SIDE, drawer.draw)
    except (NotFound, Unusable):
        return np.zeros((0, SIDE * SIDE), np.float32)
    views = []
    for share in SHARES:
        cut = [round(side * (1 - share) / 2) for side in picture.size]
        middle = ImageOps.grayscale(picture).crop((cut[0], cut[1], picture.width - cut[0], picture.height - cut[1]))
        grey = np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32).ravel()
        grey -= grey.mean()
        views.append(grey / max(float(np.linalg.norm(grey)), 1e-6))
    return np.stack(views)
