"""The sample that ships with Sfumato: a few hundred icons of emoji-styles, so that nothing need be fetched."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sfumato.data.found import Found, Left

SHIPPED = Path(__file__).parent.parent / "sample" / "emoji-sample.zip"


class Options(BaseModel):
    """There is nothing to choose."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def read(options: Options, cache: Path) -> Iterator[Found | Left]:
    """Yield every icon of the sample with its own origin."""
    with zipfile.ZipFile(SHIPPED) as bundle:
        for line in bundle.read("metadata.jsonl").decode().split("\n"):
            said = json.loads(line)
            yield Found(data=bundle.read(said["key"]), **said)
