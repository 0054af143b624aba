"""The folder is the registry: plug-ins are the files of a folder, or a package's entry points."""

import importlib
import pkgutil
import sys
from functools import lru_cache
from importlib import metadata
from types import ModuleType

from sfumato.errors import InvalidInput, unknown


@lru_cache(maxsize=64)
def _installed(group: str, where: tuple[str, ...]) -> tuple[metadata.EntryPoint, ...]:
    """What packages offer to a group, read once: a package that is installed later is seen after a restart.

    Reading the metadata of all packages anew takes 20 ms each time. `where` is what the answer hangs on.
    """
    return tuple(metadata.entry_points(group=group))


class Catalog:
    """The plug-ins of one package, listed without importing any of them."""

    def __init__(self, package: str, needs: tuple[str, ...]) -> None:
        self.package = package
        self.needs = needs

    def _places(self) -> dict[str, str]:
        folder = importlib.import_module(self.package)
        places = {found.name: f"{self.package}.{found.name}" for found in pkgutil.iter_modules(folder.__path__)}
        for point in _installed(self.package, tuple(sys.path)):
            if point.name in places:
                raise InvalidInput(f"Two plug-ins of {self.package} are called '{point.name}'.")
            places[point.name] = point.value
        return places

    def names(self) -> list[str]:
        """Names of all plug-ins, sorted, none of them imported."""
        return sorted(self._places())

    def get(self, name: str) -> ModuleType:
        """Import the plug-in `name`; raises NotFound, or InvalidInput if it lacks what the kind needs."""
        places = self._places()
        if name not in places:
            raise unknown(self.package.rsplit(".", 1)[-1].removesuffix("s"), name, places)
        module = importlib.import_module(places[name])
        missing = [need for need in self.needs if not hasattr(module, need)]
        if missing:
            raise InvalidInput(f"The plug-in {places[name]} does not define {', '.join(missing)}.")
        return module
