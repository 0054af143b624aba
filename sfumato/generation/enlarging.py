"""Making a drawn picture larger before it leaves."""

import numpy as np
from PIL import Image as Picture


def enlarge(picture: np.ndarray, times: int) -> np.ndarray:
    """A straight-alpha picture (H, W, 4) `times` as large, resampled by Lanczos with colours under their alpha."""
    if times == 1:
        return picture
    alpha = picture[..., 3:].astype(np.float32) / 255
    planes = np.concatenate([picture[..., :3] * alpha, alpha * 255], -1)
    size = picture.shape[1] * times, picture.shape[0] * times
    grown = np.stack(
        [np.asarray(Picture.fromarray(planes[..., c]).resize(size, Picture.Resampling.LANCZOS)) for c in range(4)], -1
    ).clip(0, 255)
    colour = np.where(grown[..., 3:] > 0.5, grown[..., :3] / (grown[..., 3:].clip(0.5) / 255), 0)
    return (np.concatenate([colour.clip(0, 255), grown[..., 3:]], -1) + 0.5).astype(np.uint8)
