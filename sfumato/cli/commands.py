"""The table of commands: where each lives and what it is for, so that help need import none of them."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One command or group of the first level."""

    module: str
    says: str
    panel: str


COMMANDS: dict[str, Entry] = {
    "studio": Entry("sfumato.cli.studio", "Open the studio in the browser, with its workers.", "Pictures"),
    "welcome": Entry("sfumato.cli.welcome", "Meet Sfumato: four pictures, and what they are made from.", "Pictures"),
    "create": Entry("sfumato.cli.create", "Draw pictures of a sentence, and sign them.", "Pictures"),
    "verify": Entry("sfumato.cli.verify", "Say whether pictures are signed and unchanged.", "Pictures"),
    "trace": Entry("sfumato.cli.trace", "What a picture was made from, and whether you may use it.", "Pictures"),
    "images": Entry("sfumato.cli.images", "Pictures that were drawn here: erase one.", "Pictures"),
    "data": Entry("sfumato.cli.data", "Collect pictures with their origin, and freeze versions.", "Models"),
    "train": Entry("sfumato.cli.train", "Train models, and look after runs.", "Models"),
    "models": Entry("sfumato.cli.models", "See models, what they learnt from, and their cards.", "Models"),
    "evaluate": Entry("sfumato.cli.evaluate", "Measure a model on what it has seen and what was held out.", "Models"),
    "review": Entry("sfumato.cli.review", "Approve, reject and rate pictures, and see what others said.", "People"),
    "asks": Entry("sfumato.cli.asks", "Ask a role or a person for something, and answer with evidence.", "People"),
    "comments": Entry("sfumato.cli.comments", "Say something on any record.", "People"),
    "projects": Entry("sfumato.cli.projects", "See, make, rename and put away projects.", "People"),
    "people": Entry("sfumato.cli.people", "Who works here, in which roles, and with which tokens.", "People"),
    "jobs": Entry("sfumato.cli.jobs", "See and stop what runs.", "Work"),
    "keys": Entry("sfumato.cli.keys", "See and renew the key that pictures are signed with.", "Work"),
    "doctor": Entry("sfumato.cli.doctor", "Examine the workspace, and mend what is safe.", "Care"),
    "backup": Entry("sfumato.cli.backup", "Write a copy of the whole workspace.", "Care"),
    "restore": Entry("sfumato.cli.restore", "Make a workspace of a backup.", "Care"),
    "storage": Entry("sfumato.cli.storage", "See what takes the room, and make some.", "Care"),
    "logs": Entry("sfumato.cli.logs", "See what was logged, and find an error by its id.", "Care"),
    "worker": Entry("sfumato.cli.worker", "Work jobs off until told to stop.", "Work"),
}
