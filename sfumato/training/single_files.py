"""Taking in a single file of weights by the settings of a folder of the same class: both are on record."""

import hashlib
import tempfile
from pathlib import Path

import sfumato
from sfumato.actions import Workspace
from sfumato.checkpoints import single_file_peer
from sfumato.checkpoints.adding import check_licence
from sfumato.checkpoints.folders import ARCHITECTURE, keep_folder, look_into
from sfumato.checkpoints.foreign import BYTES, recognise
from sfumato.checkpoints.header import Header, described_of
from sfumato.checkpoints.peers import DIFFUSERS, OFFLINE, Peer, diffusers_python
from sfumato.errors import InvalidInput, Unsupported
from sfumato.training.weights import hash_of

CLASSES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
ADOPTED = "adopted"


def take_in_like(workspace: Workspace, source: Path, like: Path, licence: str, maker: str) -> tuple[str, Header]:
    """Write a single file as a folder like another one, and keep it; returns the hash of what is kept, and its header.

    Raises InvalidInput where no licence is said, for a pickle and for what is no file, Unsupported for other classes
    and without diffusers, Damaged where the file does not hold what the folder's settings ask for.
    """
    about = {"file": source.name, "licence": check_licence(licence), "maker": " ".join(maker.split())}
    if source.is_dir():
        raise InvalidInput(f"{source.name} is a folder already.", hint="Leave out --like.")
    found, settings = recognise(source), look_into(like)
    if settings.pipeline not in CLASSES:
        raise Unsupported(
            f"diffusers reads no single file as a {settings.pipeline}.", hint=f"It does for: {', '.join(CLASSES)}."
        )
    kinds = {entry["dtype"] for name, entry in described_of(source).items() if name != "__metadata__"}
    half = max(BYTES.get(kind, 0) for kind in kinds) <= BYTES["F16"] if kinds else False
    about |= {"sha256": hash_of(source), "like": like.name, "like_sha256": _settings_hash(settings.files)}
    with tempfile.TemporaryDirectory(dir=workspace.path / "tmp", prefix="folder-") as made:
        memory = 2 * found.float32_bytes / 1e9
        script, python = Path(single_file_peer.__file__), diffusers_python()
        peer = Peer(python, script, Path(made), "diffusers", DIFFUSERS, memory, OFFLINE)
        try:
            peer.ask({"file": str(source.absolute()), "like": str(like.absolute()), "half": half})
            peer.hear()
        finally:
            peer.close()
        whole = look_into(Path(made))
        header = Header(
            architecture=ARCHITECTURE, options=whole.facts(), recipe=ADOPTED, recipe_options=about,
            data={"undisclosed": True, "licence": about["licence"]}, code=sfumato.__version__,
        )  # fmt: skip
        return keep_folder(workspace.store, whole.files, header), header


def _settings_hash(files: dict[str, Path]) -> str:
    """The SHA-256 of all files of a folder but its weights, by name."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        if path.suffix != ".safetensors":
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
