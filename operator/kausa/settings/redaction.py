"""What is hidden in every text before anybody else sees it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from kausa.settings.surroundings import default_state_folder

__all__ = ["RedactionSettings"]


class RedactionSettings(BaseSettings):
    """Secrets are always hidden; these say what else is, and how it can be told apart."""

    redaction_key_path: Path = Field(
        default_factory=lambda: default_state_folder() / "redaction.key"
    )
    """A secret of this installation, made at the first start: it makes one secret's placeholder the
    same every time, and keeps others from guessing what a placeholder stands for."""

    redact_emails: bool = False
    """Hide e-mail addresses too; they are no secrets, and often what a diagnosis rests on."""

    redact_addresses: bool = False
    """Hide IP addresses too; loopback and unspecified addresses always stay."""
