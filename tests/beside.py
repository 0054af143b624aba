"""Imported by processes that a test starts: the model that comes along is the one of the tests there too."""

import os
from pathlib import Path

from sfumato.checkpoints import models

models.EMBEDDED = Path(os.environ["EMBEDDED_OF_TESTS"])
