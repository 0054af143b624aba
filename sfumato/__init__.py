"""Sfumato: one studio and one record for a team that makes image generation.

The names below are the library: the same actions as the command line's, for scripts and notebooks. They
are loaded when they are first used, so that `import sfumato` costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "Where", "adopt", "answer_question", "apply_plan", "average", "cancel_job", "check", "choose", "collect",
    "compare_runs", "create", "croissant", "datasheet", "diff", "diversity", "edit_captions", "evaluate", "export",
    "freeze", "get_job", "items", "keep", "keep_best", "leave_out", "list_checks", "list_datasets",
    "list_decisions", "list_findings", "list_groups", "list_jobs", "list_measurements", "list_models", "list_runs",
    "list_slices", "list_versions", "make_card", "mend_pixels", "open", "pick_diverse", "plan_balance", "recaption",
    "relicense", "rename_dataset", "resume", "rotate_keys", "run", "save_slice", "set_attributes", "set_consent",
    "set_family", "set_weights", "show_balance", "show_dataset", "show_keys", "show_model", "show_run", "trace",
    "train", "undo", "verify", "wait", "write_datasheet",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a name of the library when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'sfumato' has no attribute '{name}'")
    return getattr(importlib.import_module("sfumato.library"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
