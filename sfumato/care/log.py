"""Reading what the studio wrote down of its work."""

from typing import Any

from sfumato.actions import Act, query
from sfumato.errors import NotFound
from sfumato.logs import read_lines


@query("care.log", needs="workspace.care", doors=("api", "cli"))
def read_log(act: Act, *, error: str = "", last: int = 20) -> list[dict[str, Any]]:
    """The last lines of the workspace's logs, or all that were written of one error; raises NotFound for its id."""
    found = read_lines(act.workspace.path / "logs", error=error, last=0 if error else last)
    if error and not found:
        raise NotFound(
            f"There is no line of an error '{error}' in the logs.",
            hint=f"Logs stay {act.workspace.settings.logs_days} days. Check how it is written.",
        )
    return found
