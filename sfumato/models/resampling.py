"""Making pictures larger and smaller by classic filters; colours are always multiplied by alpha before."""

import numpy as np
from PIL import Image


def lanczos(pictures: np.ndarray, times: int) -> np.ndarray:
    """Planes (..., H, W) of any range `times` as large, float32, by a Lanczos filter of three lobes (Duchon 1979)."""
    *many, height, width = pictures.shape
    planes = np.ascontiguousarray(pictures, np.float32).reshape(-1, height, width)
    size = width * times, height * times
    grown = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS)) for plane in planes]
    return np.stack(grown).reshape(*many, height * times, width * times)


def area(pictures: np.ndarray, times: int) -> np.ndarray:
    """Planes (..., H, W) averaged over squares of `times` x `times` pixels, float32."""
    *many, height, width = pictures.shape
    cells = pictures.astype(np.float32).reshape(*many, height // times, times, width // times, times)
    return cells.mean((-3, -1))
