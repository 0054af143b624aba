"""Our GAN's side: `train_ours.py`, whose probe tries only what a run of this recipe may compute with.

A run of `r3gan` is asked for neither bfloat16 nor a kernel of attention (`sfumato.training.jobs`). That is said here
and not in `train_ours.py`, which the long figures of equal time rest on too.
"""

from functools import partial

import train_ours

from sfumato.training.machine import probe

if __name__ == "__main__":
    train_ours.probe = partial(probe, bf16=(False,), attention=False)
    train_ours.main()
