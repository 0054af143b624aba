"""Schemas of plug-ins' options as they were written down, so that showing a form imports no plug-in."""

import inspect
import json
from functools import cache
from pathlib import Path
from typing import Any

import sfumato
from sfumato.catalog import Catalog

WRITTEN = Path(sfumato.__file__).parent / "cli" / "options.json"


@cache
def written() -> dict[str, dict[str, Any]]:
    """The schemas by package and plug-in."""
    found: dict[str, dict[str, Any]] = json.loads(WRITTEN.read_text(encoding="utf-8"))
    return found


def names(package: str) -> list[str]:
    """The plug-ins of a package, none of them imported."""
    return Catalog(package, ("Options",)).names()


@cache
def schema(package: str, name: str) -> dict[str, Any]:
    """The schema of a plug-in's options, and what it is for; raises NotFound with the nearest name."""
    known = written().get(package, {})
    if name in known:
        return dict(known[name])
    module = Catalog(package, ("Options",)).get(name)
    says = inspect.cleandoc(module.__doc__ or "").split("\n\n")[0]
    return {**module.Options.model_json_schema(), "description": says}
