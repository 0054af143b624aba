"""A peer of the training benchmark: denoising-diffusion-pytorch's own `Trainer` and `GaussianDiffusion`.

Our network stands where its U-Net does. All else is what the package does by default (velocity predicted unless
`--objective` says the picture, sigmoid schedule, Adam, clipped gradients, `EMA` every tenth step), but for mirroring,
and for its data workers: with none, the files are opened in the process whose seconds are counted, and nothing is sent
between processes. Drawings are by its own DDIM, since its other sampler takes a thousand calls.
"""

import argparse
import tempfile
import time
import warnings
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from untold import Untold, as_pixels, in_parts, parameters, peer_arguments, play

CALLS = 40  # network calls of a drawing
NEVER = 10**9
OPERATORS = (
    "nms", "qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "qroi_align", "_roi_align_backward",
    "_roi_pool_backward", "_ps_roi_align_backward", "_ps_roi_pool_backward",
)  # fmt: skip


def named_operators() -> torch.library.Library:
    """Names of the operators that torchvision's build for GPUs does not find here, and that nobody calls."""
    library = torch.library.Library("torchvision", "DEF")
    for name in OPERATORS:
        library.define(f"{name}(Tensor x) -> Tensor")
    return library


def silent(*given: Any, **named: Any) -> Any:
    """The package's progress bar, which is made anew in each turn, without a word."""
    return tqdm(*given, **named | {"disable": True})


class Whole:
    """The peer's trainer, which is asked for one more step each time."""

    def __init__(self, given: argparse.Namespace, results: str, package: Any) -> None:
        torch.manual_seed(given.seed)
        self.net = Untold(given.network)
        diffusion = package.GaussianDiffusion(
            self.net, image_size=given.network["size"], timesteps=1000, sampling_timesteps=CALLS,
            objective=given.objective,
        )  # fmt: skip
        self.trainer = package.Trainer(
            diffusion, str(given.folder), train_batch_size=given.batch, train_lr=given.lr, train_num_steps=0,
            augment_horizontal_flip=False, save_and_sample_every=NEVER, calculate_fid=False, results_folder=results,
        )  # fmt: skip
        self.trainer.accelerator.print = lambda *_: None

    def step(self) -> None:
        """One step of its loop."""
        self.trainer.train_num_steps = self.trainer.step + 1
        self.trainer.train()

    def draw(self, count: int) -> dict[str, np.ndarray]:
        """Pictures by the weights as they are, and by their average."""

        def by(diffusion: Any) -> np.ndarray:
            diffusion.eval()
            return in_parts(count, lambda some: as_pixels(diffusion.sample(batch_size=some) * 2 - 1))

        return {"live": by(self.trainer.model), "average": by(self.trainer.ema.ema_model)}


def main() -> None:
    """Take turns, or run a leg."""
    parser = peer_arguments()
    parser.add_argument("--objective", choices=("pred_v", "pred_x0"), default="pred_v", help="what is predicted")
    given = parser.parse_args()
    kept = named_operators()
    from denoising_diffusion_pytorch import denoising_diffusion_pytorch as package

    package.cpu_count, package.tqdm = lambda: 0, silent
    warnings.filterwarnings("ignore", message=".*pin_memory.*")  # it asks for what only a GPU has
    with tempfile.TemporaryDirectory() as results:
        began = time.process_time()
        loop = Whole(given, results, package)
        about = {"batch": given.batch, "parameters": parameters(loop.net), "threads": torch.get_num_threads(),
                 "torch": torch.__version__, "lr": given.lr, "objective": given.objective}  # fmt: skip
        play(loop, about, given, began)
    del kept


if __name__ == "__main__":
    main()
