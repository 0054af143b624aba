"""The workspace's signing key: made on first use, kept from others' eyes, and renewed without losing the past."""

import datetime
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sfumato.db import new_id
from sfumato.store.files import write_whole

YEARS = 10


@dataclass(frozen=True)
class Keys:
    """What signing and checking need: the present key with its chain, and every anchor ever used here."""

    private_key: bytes
    chain: bytes
    anchors: bytes
    fingerprint: str


def workspace_keys(folder: Path) -> Keys:
    """The keys in a workspace's folder `keys`, made if there are none; safe for several processes at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    present = folder / "present"
    if not present.exists():
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not present.exists():
                _make(folder)
    name = present.read_text().strip()
    chain = (folder / f"{name}.chain.pem").read_bytes()
    anchors = b"".join(path.read_bytes() for path in sorted(folder.glob("*.root.pem")))
    leaf = x509.load_pem_x509_certificate(chain)
    return Keys((folder / f"{name}.key.pem").read_bytes(), chain, anchors, leaf.fingerprint(hashes.SHA256()).hex()[:16])


def rotate(folder: Path) -> Keys:
    """Sign with a fresh key from now on; old certificates stay, so that old pictures still count as ours."""
    workspace_keys(folder)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = (folder / "present").read_text().strip()
        _make(folder)
        (folder / f"{before}.key.pem").unlink(missing_ok=True)
    return workspace_keys(folder)


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
    before = os.umask(0o077)
    try:
        for part, data in parts.items():
            write_whole(folder / part, data, mode=0o600)
    finally:
        os.umask(before)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sfumato workspace"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


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
