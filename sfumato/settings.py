"""Settings, read from the environment once and passed on; nothing else reads the environment."""

import os
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sfumato.errors import InvalidInput


class Settings(BaseModel):
    """What a person may set outside of a command; every field has a default that works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workspace: Path = Field(description="SFUMATO_WORKSPACE: the folder that holds everything")
    database_url: str | None = Field(None, repr=False, description="SFUMATO_DATABASE_URL: PostgreSQL instead of SQLite")
    project: str | None = Field(None, description="SFUMATO_PROJECT: the project that commands work in, by name or id")
    max_pixels: int = Field(64_000_000, ge=1, description="SFUMATO_MAX_PIXELS: larger pictures are refused")
    busy_milliseconds: int = Field(
        15_000, ge=0, description="SFUMATO_BUSY_MILLISECONDS: how long to wait for a database that another holds"
    )
    free_mb: int = Field(
        500, ge=0, description="SFUMATO_FREE_MB: with less room on the disk nothing long is begun, in megabytes"
    )
    logs_days: int = Field(30, ge=1, description="SFUMATO_LOGS_DAYS: how long old logs stay")
    copies_days: int = Field(90, ge=1, description="SFUMATO_COPIES_DAYS: how long copies before an upgrade stay")
    caches_days: int = Field(30, ge=1, description="SFUMATO_CACHES_DAYS: how long unused caches stay")
    diffusers_python: Path | None = Field(
        None, description="SFUMATO_DIFFUSERS_PYTHON: a python that has diffusers, where this one has not"
    )
    litert_python: Path | None = Field(
        None, description="SFUMATO_LITERT_PYTHON: a python that has litert-torch, to write models for small devices"
    )
    tensorflow_python: Path | None = Field(
        None, description="SFUMATO_TENSORFLOW_PYTHON: a python that has TensorFlow, to draw with models made there"
    )
    packages_dir: Path | None = Field(None, description="SFUMATO_PACKAGES_DIR: npm tarballs kept locally")

    def as_environment(self) -> dict[str, str]:
        """The same settings as environment variables, to hand them on to a process that works for this one."""
        return {f"SFUMATO_{name.upper()}": str(value) for name, value in self if value is not None}


def read_settings() -> Settings:
    """Read the settings from environment variables; raises InvalidInput and names the wrong one."""
    found = {
        name: os.environ[f"SFUMATO_{name.upper()}"]
        for name in Settings.model_fields
        if os.environ.get(f"SFUMATO_{name.upper()}")
    }
    found.setdefault("workspace", platformdirs.user_data_dir("sfumato"))
    try:
        return Settings(**found)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = f"SFUMATO_{str(first['loc'][0]).upper()}"
        raise InvalidInput(f"{name} cannot be used: {first['msg']}.", hint="Correct or unset it.") from problem
