"""Content Credentials (C2PA 2.x): signing pictures, and reading what others signed, without any network."""

import functools
import io
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from sfumato.trust.keys import Keys

State = Literal["signed here", "signer unknown here", "invalid", "unsigned"]
HARMLESS = "signingCredential.untrusted"  # a signer whom this workspace does not know; the state says so


@dataclass(frozen=True)
class Credentials:
    """What a file's credentials say, and whether they hold; `claims` are assertions by their label."""

    state: State
    signer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@functools.lru_cache(maxsize=4)
def _context(anchors: bytes) -> Any:
    import c2pa

    return c2pa.Context.from_dict(
        {
            **({"trust": {"user_anchors": anchors.decode()}} if anchors else {}),
            "verify": {"remote_manifest_fetch": False, "verify_trust": True},
            "builder": {"thumbnail": {"enabled": False}},
        }
    )


def sign(data: bytes, mime: str, manifest: dict[str, Any], keys: Keys) -> bytes:
    """Return the file with a signed manifest in it; nothing may be changed in it afterwards."""
    import c2pa

    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(alg=b"es256", sign_cert=keys.chain, private_key=keys.private_key, ta_url=None)
    )
    out = io.BytesIO()
    with c2pa.Builder(json.dumps(manifest), context=_context(keys.anchors)) as builder:
        builder.sign(signer, mime, io.BytesIO(data), out)
    return out.getvalue()


def read(data: bytes, mime: str, anchors: bytes) -> Credentials:
    """Check a file's credentials against the roots of this workspace."""
    import c2pa

    try:
        reader = c2pa.Reader.try_create(mime, io.BytesIO(data), context=_context(anchors))
    except c2pa.C2paError as problem:
        return Credentials("invalid", problems=[str(problem)])
    if reader is None:
        return Credentials("unsigned")
    with reader:
        told = json.loads(reader.json())
        state = str(reader.get_validation_state())
    active = told.get("manifests", {}).get(told.get("active_manifest", ""), {})
    codes = [entry.get("code", "") for entry in told.get("validation_status", [])]
    problems = [code for code in codes if code and code != HARMLESS]
    claims = {one["label"]: one.get("data", {}) for one in active.get("assertions", [])}
    signature = active.get("signature_info", {})
    signer = str(signature.get("common_name") or signature.get("issuer") or "")
    if problems or state.endswith("Invalid"):
        return Credentials("invalid", signer, claims, problems)
    return Credentials("signed here" if state.endswith("Trusted") else "signer unknown here", signer, claims)
