"""What is written into a picture besides its pixels, in the forms that other tools read."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import sfumato

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SAMPLER_NAMES = {"dpmpp_2m": "DPM++ 2M", "euler": "Euler", "heun": "Heun"}
UPSCALERS = {"lanczos": "Lanczos", "enlarger": "Sfumato enlarger x4"}


@dataclass(frozen=True)
class Facts:
    """All that is known of one picture when it leaves; `prompt` is empty when it must stay private."""

    request_id: str
    image_id: str
    prompt: str
    seed: int
    sampler: str
    steps: int
    guidance: float
    width: int
    height: int
    model: str
    checkpoint_sha256: str
    data_hash: str
    background: str
    made_at: str
    enlarged_by: str = ""  # "lanczos", or "enlarger" and the SHA-256 of its weights


def infotext(facts: Facts) -> str:
    """The `parameters` text of AUTOMATIC1111's web interface; values with commas or colons are quoted."""
    said: dict[str, Any] = {
        "Steps": facts.steps,
        "Sampler": SAMPLER_NAMES.get(facts.sampler, facts.sampler),
        "CFG scale": facts.guidance,
        "Seed": facts.seed,
        "Size": f"{facts.width}x{facts.height}",
        "Model hash": facts.checkpoint_sha256[:10],
        "Model": facts.model,
        "Version": f"Sfumato {sfumato.__version__}",
    }
    if facts.enlarged_by:
        said["Upscaler"] = UPSCALERS[facts.enlarged_by.split()[0]]
    last = ", ".join(f"{key}: {_quoted(value)}" for key, value in said.items())
    return f"{facts.prompt}\n{last}" if facts.prompt else last


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text) if re.search(r"[,:\n]", text) else text


def own_chunk(facts: Facts) -> str:
    """Our own JSON, by which a picture finds its record again."""
    return json.dumps({name: value for name, value in vars(facts).items() if value != ""}, sort_keys=True)


def xmp(facts: Facts) -> str:
    """XMP with IPTC's digital source type and AI fields (IPTC Photo Metadata 2025.1)."""
    fields = {
        "DigitalSourceType": GENERATED,
        "AISystemUsed": f"Sfumato, model {facts.model}",
        "AISystemVersionUsed": sfumato.__version__,
    }
    if facts.prompt:
        fields["AIPromptInformation"] = facts.prompt
    told = "".join(f"<Iptc4xmpExt:{name}>{escape(value)}</Iptc4xmpExt:{name}>" for name, value in fields.items())
    space = quoteattr("http://iptc.org/std/Iptc4xmpExt/2008-02-29/")
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt={space}>{told}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )


def manifest(facts: Facts) -> dict[str, Any]:
    """The claims to be signed: made by a trained model, which one, from which request."""
    salted = hashlib.sha256(f"{facts.image_id}:{facts.prompt}".encode()).hexdigest() if facts.prompt else ""
    agent = {"name": "Sfumato", "version": sfumato.__version__}
    told = {
        "request": facts.request_id,
        "image": facts.image_id,
        "seed": str(facts.seed),
        "model": facts.model,
        "checkpoint_sha256": facts.checkpoint_sha256,
        "data_sha256": facts.data_hash,
        "prompt_sha256_salted": salted,
    }
    if facts.enlarged_by:
        told["enlarged_by"] = facts.enlarged_by
    if facts.prompt:
        told["prompt"] = facts.prompt
    return {
        "claim_generator_info": [agent],
        "title": facts.image_id,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "when": facts.made_at,
                            "digitalSourceType": GENERATED,
                            "softwareAgent": agent,
                        }
                    ]
                },
            },
            {"label": "org.sfumato.generation", "data": told},
        ],
    }
