"""A peer of the training benchmark: the parts of diffusers' unconditional tutorial around our network.

Its `DDPMScheduler` with a linear schedule of 1000 moments adds the noise, the network predicts it (or with `--objective
sample` the picture, which is the library's other way and not the tutorial's), `mse_loss` compares;
AdamW with the tutorial's constants, gradients clipped at 1, `get_scheduler("cosine")` after a rise, and `EMAModel` with
its warm-up. `accelerate` is left out, and so is mirroring; files are opened as torch's guide does. Drawings are by
`DPMSolverMultistepScheduler`.
"""

import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler
from diffusers.optimization import get_scheduler
from diffusers.training_utils import EMAModel
from untold import STEPS, Untold, as_pixels, endless, in_parts, parameters, peer_arguments, play

RISE = 0.05  # share of the steps over which the rate rises
TRIED = 3  # steps that tell how many there will be


class Tutorial:
    """The loop's state."""

    def __init__(self, given: argparse.Namespace, steps: int) -> None:
        torch.manual_seed(given.seed)
        self.net = Untold(given.network)
        self.batches = endless(given.folder, given.batch)
        self.noises = DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear", prediction_type=given.objective)
        weights = self.net.parameters()
        self.optimizer = torch.optim.AdamW(weights, given.lr, (0.95, 0.999), eps=1e-8, weight_decay=1e-6)
        self.rates = get_scheduler(
            "cosine", self.optimizer, num_warmup_steps=int(RISE * steps), num_training_steps=steps
        )
        self.average = EMAModel(self.net.parameters(), 0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75)

    def step(self) -> float:
        """One step, from opening the pictures to the running average."""
        x = next(self.batches)
        noise = torch.randn_like(x)
        moments = torch.randint(0, 1000, (len(x),))
        said = self.net(self.noises.add_noise(x, noise, moments), moments)
        loss = F.mse_loss(said, noise if self.noises.config.prediction_type == "epsilon" else x)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.rates.step()
        self.optimizer.zero_grad()
        self.average.step(self.net.parameters())
        return loss.item()

    def draw(self, count: int) -> dict[str, np.ndarray]:
        """Pictures by the weights as they are, and by their average."""
        found = {"live": in_parts(count, self.some)}
        self.average.store(self.net.parameters())
        self.average.copy_to(self.net.parameters())
        found["average"] = in_parts(count, self.some)
        self.average.restore(self.net.parameters())
        return found

    @torch.no_grad()
    def some(self, count: int) -> np.ndarray:
        """A few pictures, (count, S, S, 4) uint8."""
        solver = DPMSolverMultistepScheduler.from_config(self.noises.config)
        solver.set_timesteps(STEPS)
        side = self.net.net.options.size
        z = torch.randn(count, 4, side, side)
        for moment in solver.timesteps:
            z = solver.step(self.net(z, moment), moment, z).prev_sample
        return as_pixels(z)


def how_many(given: argparse.Namespace, began: float) -> int:
    """The steps that fit into a leg, by a few of a loop that is thrown away."""
    trial = Tutorial(given, 1000)
    trial.step()
    start = time.process_time()
    for _ in range(TRIED):
        trial.step()
    now = time.process_time()
    return max(int((given.seconds - (now - began)) / (now - start) * TRIED), 10)


def main() -> None:
    """Take turns, or run a leg."""
    parser = peer_arguments()
    parser.add_argument("--objective", choices=("epsilon", "sample"), default="epsilon", help="what is predicted")
    given = parser.parse_args()
    began = time.process_time()
    loop = Tutorial(given, how_many(given, began) if given.seconds else 10**6)
    about = {"batch": given.batch, "parameters": parameters(loop.net), "threads": torch.get_num_threads(),
             "torch": torch.__version__, "lr": given.lr, "objective": given.objective}  # fmt: skip
    play(loop, about, given, began)


if __name__ == "__main__":
    main()
