"""The workspace's signing key: made on first use, kept from others' eyes, and renewed without losing the past."""

import datetime
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sfumato.actions import Act, Workspace, action, query
from sfumato.db import new_id
from sfumato.errors import Damaged, Forbidden
from sfumato.store.files import write_whole

YEARS = 30  # without a timestamp from elsewhere, a signature counts for as long as its certificate


@dataclass(frozen=True)
class Keys:
    """What signing and checking need: the present key with its chain, and every anchor ever used here."""

    private_key: bytes
    chain: bytes
    anchors: bytes
    fingerprint: str


@dataclass(frozen=True)
class KeysView:
    """What may be shown of a workspace's keys: no secret is in it."""

    folder: Path
    fingerprint: str = ""
    signer: str = ""
    made_at: str = ""
    valid_until: str = ""
    earlier: int = 0


@query("keys.show")
def show_keys(act: Act) -> KeysView:
    """Look at the workspace's signing key: its fingerprint, since when, until when, and how many came before."""
    folder = keys_folder(act.workspace)
    present = folder / "present"
    if not present.exists():
        return KeysView(folder)
    return _view(folder, present.read_text().strip())


@action("keys.rotate", needs="keys.write")
def rotate_keys(act: Act) -> KeysView:
    """Sign with a fresh key from now on; certificates stay, so that earlier pictures still count as ours."""
    folder = keys_folder(act.workspace)
    keys = rotate(folder)
    act.says(f"signs with the key {keys.fingerprint} from now on", subject=f"key/{keys.fingerprint}")
    return _view(folder, (folder / "present").read_text().strip())


def keys_folder(workspace: Workspace) -> Path:
    """Where a workspace keeps its keys."""
    return workspace.path / "keys"


def _view(folder: Path, name: str) -> KeysView:
    leaf = x509.load_pem_x509_certificate(_read(folder / f"{name}.chain.pem"))
    return KeysView(
        folder,
        fingerprint_of(leaf),
        str(leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
        leaf.not_valid_before_utc.isoformat(timespec="seconds"),
        leaf.not_valid_after_utc.isoformat(timespec="seconds"),
        len(list(folder.glob("*.root.pem"))) - 1,
    )


def fingerprint_of(certificate: x509.Certificate) -> str:
    """The beginning of a certificate's SHA-256, enough to tell keys apart."""
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]


def workspace_keys(folder: Path) -> Keys:
    """The keys in a workspace's folder `keys`, made if there are none; safe for several processes at once."""
    present = folder / "present"
    if not present.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder):
            if not present.exists():
                _make(folder)
    name = present.read_text().strip()
    chain = _read(folder / f"{name}.chain.pem")
    leaf = x509.load_pem_x509_certificate(chain)
    return Keys(_read(folder / f"{name}.key.pem"), chain, anchors(folder), fingerprint_of(leaf))


def anchors(folder: Path) -> bytes:
    """The roots of every key that this workspace ever signed with; empty if it has never signed."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.root.pem")))


def rotate(folder: Path) -> Keys:
    """Make a fresh key the present one and forget the secret of the one before; its certificates stay."""
    workspace_keys(folder)
    with _locked(folder):
        earlier = list(folder.glob("*.key.pem"))
        _make(folder)
        for secret in earlier:
            secret.unlink()
    return workspace_keys(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as missing:
        raise Damaged(
            f"The workspace's signing key is incomplete: {path.name} is not there.",
            hint="Put the folder 'keys' back from a backup. Without one, remove its file 'present': the next "
            "picture makes a fresh key, and earlier pictures still verify.",
        ) from missing
    except PermissionError as refused:
        raise Forbidden(
            "You may not read this workspace's signing key.", hint="Sign as the person who made the workspace."
        ) from refused


def _make(folder: Path) -> None:
    """Write a root, a leaf and its key, then name them as the present ones; the name comes last."""
    name = new_id()
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"Sfumato workspace {name[-8:]} root")
    subject = _name(f"Sfumato workspace {name[-8:]}")
    usage = {"digital_signature": False, "key_cert_sign": False, "crl_sign": False}
    root = (
        _certificate(issuer, issuer, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(**usage | {"key_cert_sign": True, "crl_sign": True}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _certificate(subject, issuer, leaf_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(**usage | {"digital_signature": True}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    parts = {
        f"{name}.key.pem": leaf_key.private_bytes(pem, *plain),
        f"{name}.chain.pem": leaf.public_bytes(pem),
        f"{name}.root.pem": root.public_bytes(pem),
        "present": name.encode(),
    }
    for part, data in parts.items():
        write_whole(folder / part, data, mode=0o600)


def _name(common: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "Sfumato workspace"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365 * YEARS))
    )


def _usage(*, digital_signature: bool, key_cert_sign: bool, crl_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=crl_sign,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
