"""What the rail shows and what the app is put together from: found in the folders, in no table."""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

from sfumato.web.addresses import Router


@dataclass(frozen=True)
class Desk:
    """A place on the rail: its title, address and icon, whose own desk it is, and what one needs to use it."""

    name: str
    title: str
    path: str
    icon: str
    order: int = 50
    roles: tuple[str, ...] = ()
    needs: str = "record.read"
    says: str = ""


@dataclass(frozen=True)
class Page:
    """What a page says of itself: its title, its desk, the way to it as (text, address), and its keys."""

    title: str
    desk: str = ""
    crumbs: tuple[tuple[str, str], ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    here: str = ""


@dataclass(frozen=True)
class Found:
    """What the folders hold: routers by the name of their module, and the desks in their order."""

    routers: dict[str, Router]
    desks: tuple[Desk, ...]


def modules_of(package: str) -> list[ModuleType]:
    """Import every module of a package that has a router, in order of name."""
    folder = importlib.import_module(package)
    names = sorted(found.name for found in pkgutil.iter_modules(folder.__path__))
    found = [importlib.import_module(f"{package}.{name}") for name in names]
    given = [module for module in found if hasattr(module, "router")]
    strange = [module.__name__ for module in given if not isinstance(module.router, Router)]
    if strange:
        raise TypeError(f"{', '.join(strange)}: take the router from sfumato.web.addresses.")
    return given


def find(package: str) -> Found:
    """Find what a package of pages or of the API holds."""
    modules = modules_of(package)
    desks = [module.DESK for module in modules if isinstance(getattr(module, "DESK", None), Desk)]
    routers = {module.__name__.rpartition(".")[2]: module.router for module in modules}
    return Found(routers, tuple(sorted(desks, key=lambda desk: (desk.order, desk.name))))
