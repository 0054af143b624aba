"""The library of other people's models, loaded only by a run that learns on one of them."""

import importlib
import os
from importlib.util import find_spec
from typing import Any

from sfumato.errors import Unsupported

NEEDED = "pip install 'sfumato[diffusers]'"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


def library() -> Any:
    """The module diffusers, told to read nothing from a network; raises Unsupported, saying what to install."""
    if find_spec("diffusers") is None or find_spec("transformers") is None:
        raise Unsupported("Learning on this model needs diffusers, which is not installed here.", hint=NEEDED)
    for name in OFFLINE:
        os.environ.setdefault(name, "1")
    found = importlib.import_module("diffusers")
    for talker in (found, importlib.import_module("transformers")):
        talker.utils.logging.set_verbosity_error()
        talker.utils.logging.disable_progress_bar()
    return found
