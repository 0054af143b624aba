"""What a worker does for the care of a workspace."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from sfumato.actions import to_json
from sfumato.care.backup import back_up
from sfumato.care.doctor import examine
from sfumato.jobs import JobContext, Progress, job


@job("care.doctor", needs="workspace.care")
def doctor(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Examine the workspace, and mend it if that was asked for."""
    report = yield from examine(ctx.workspace, deep=bool(spec.get("deep")), mend=bool(spec.get("mend")))
    return {**to_json(report), "state": report.state}


@job("care.backup", needs="workspace.care")
def backup(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Write a backup into the workspace's folder `backups`, where the disk has room for it."""
    made = yield from back_up(ctx.workspace, Path(spec["target"]), with_keys=bool(spec.get("with_keys")))
    return {**to_json(made), "path": made.path.name}  # where the folder lies on the server is nobody's business
