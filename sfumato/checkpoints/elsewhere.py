"""Models that other people's libraries draw with, each by an engine of its own that needs no training card."""

from sfumato.checkpoints import folders, tensorflow
from sfumato.checkpoints.header import Header

ENGINES = {folders.ARCHITECTURE: "diffusers_folder", tensorflow.ARCHITECTURE: "tensorflow_model"}


def engine_of(header: Header) -> str:
    """The engine that draws with such a model, "" for one of Sfumato's own networks."""
    return ENGINES.get(header.architecture, "")
