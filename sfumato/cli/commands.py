"""The table of commands: where each lives and what it is for, so that help need import none of them."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One command or group of the first level."""

    module: str
    says: str
    panel: str


COMMANDS: dict[str, Entry] = {
    "data": Entry("sfumato.cli.data", "Collect pictures with their origin, and freeze versions.", "Models"),
    "train": Entry("sfumato.cli.train", "Train models, and look after runs.", "Models"),
    "models": Entry("sfumato.cli.models", "See models, what they learnt from, and their cards.", "Models"),
    "jobs": Entry("sfumato.cli.jobs", "See and stop what runs.", "Work"),
    "worker": Entry("sfumato.cli.worker", "Work jobs off until told to stop.", "Work"),
}
