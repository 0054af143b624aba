"""Options given as KEY=VALUE, read as JSON reads them: numbers, yes and no as true and false, and else texts."""

import json
from collections.abc import Iterable
from typing import Any

from sfumato.errors import InvalidInput


def given(pairs: Iterable[str]) -> dict[str, Any]:
    """Return options by their names; raises InvalidInput for what has no "="."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise InvalidInput(f"'{pair}' sets nothing.", hint="Write --set KEY=VALUE, such as --set lr=0.001.")
        try:
            found[key.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            found[key.strip().replace("-", "_")] = value
    return found
