"""What an examination finds, and what all its checks work with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Table

from sfumato.actions import Workspace
from sfumato.jobs import Progress

DAY = 86_400.0
LEVELS = ("note", "trouble", "damage")
CODES = {"sound": 0, "trouble": 10, "damage": 11}


@dataclass(frozen=True)
class Finding:
    """One thing that was found: by which check, what, how bad, and whether it was mended or what to do."""

    check: str
    level: str  # note: nothing need be done; trouble: something should be; damage: something is lost or broken
    what: str
    todo: str = ""
    mended: bool = False


@dataclass(frozen=True)
class Report:
    """What an examination found; sound when neither trouble nor damage is left."""

    findings: list[Finding]
    looked_at: dict[str, int]
    deep: bool
    mend: bool

    @property
    def left(self) -> list[Finding]:
        """What is neither mended nor a mere note."""
        return [one for one in self.findings if one.level != "note" and not one.mended]

    @property
    def state(self) -> str:
        """sound, trouble or damage: the worst that is left."""
        levels = {one.level for one in self.left}
        return "damage" if "damage" in levels else "trouble" if levels else "sound"

    @property
    def code(self) -> int:
        """The exit code that says the same."""
        return CODES[self.state]


@dataclass
class Examination:
    """A workspace under examination: what checks need, and what they have found so far."""

    workspace: Workspace
    deep: bool
    mend: bool
    tables: dict[str, Table]
    findings: list[Finding] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    def note(self, check: str, what: str, todo: str = "") -> None:
        """Add something that nothing need be done about."""
        self.findings.append(Finding(check, "note", what, todo))

    def trouble(self, check: str, what: str, todo: str = "", *, mended: bool = False) -> None:
        """Add something that should be looked after."""
        self.findings.append(Finding(check, "trouble", what, "" if mended else todo, mended))

    def damage(self, check: str, what: str, todo: str = "", *, mended: bool = False) -> None:
        """Add something that is lost or broken."""
        self.findings.append(Finding(check, "damage", what, "" if mended else todo, mended))


Check = Callable[[Examination], Iterator[Progress]]
MEND = "Run `sfumato doctor --mend`."
RESTORE = "Take it from a backup: `sfumato restore` into another folder, and copy it from there."


def some(names: list[str], most: int = 3) -> str:
    """The first few of many, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
