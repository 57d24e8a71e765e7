"""All settings in one class, and what is said of a value that cannot be used.

The parts are classes of their own only to be read one at a time; nobody makes one of them.
"""

from __future__ import annotations

from typing import Self

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from kausa.errors import SettingsError
from kausa.settings.memory import MemorySettings
from kausa.settings.model import ModelSettings
from kausa.settings.recalling import EmbedderSettings, RankingSettings
from kausa.settings.redaction import RedactionSettings
from kausa.settings.watching import WatchingSettings
from kausa.settings.working import LoggingSettings, WorkingSettings

__all__ = ["Settings"]


# The fields of the last base come first, so the parts stand here in reverse.
class Settings(
    WorkingSettings,
    ModelSettings,
    RankingSettings,
    EmbedderSettings,
    RedactionSettings,
    MemorySettings,
    LoggingSettings,
    WatchingSettings,
):
    """The operator's settings; frozen, so that what was logged at the start stays true."""

    model_config = SettingsConfigDict(
        env_prefix="KAUSA_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """Read `KAUSA_*`, with what the command line says on top.

        Raises:
            SettingsError: a value cannot be used; the message names the variable.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    problems = [
        f"KAUSA_{_variable(problem['loc'])}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return "A setting cannot be used, nothing was started. " + "; ".join(problems) + "."


def _variable(location: tuple[int | str, ...]) -> str:
    """The name of a setting's variable; which part of a list was wrong is in the message."""
    return "_".join(part for part in location if isinstance(part, str)).upper()
