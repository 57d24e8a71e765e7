"""The settings of a command that a person runs, and what is told of variables that are none.

It is told before the settings are read: where one is then missing, a misspelt name says why.
"""

from __future__ import annotations

import os

import click

from kausa.settings import Settings
from kausa.settings.unknown import find_unknown

__all__ = ["given_settings"]


def given_settings(command: str, **overrides: object) -> Settings:
    """Read the settings for `command`, such as "kausa ask"; to be called once.

    Standard output may be read as JSON, so what is told goes to standard error.

    Raises:
        SettingsError: a value cannot be used.
    """
    unknown = find_unknown(os.environ)
    if unknown is not None:
        click.echo(f"{command}: {unknown}", err=True)
    return Settings.from_environment(**overrides)
