"""Values that several settings have in common, refused at the start where they could never work.

What a setting holds is never in what is said of it: it may be a key.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, HttpUrl, SecretStr

__all__ = ["HeaderSecret", "ModelName", "ServerUrl"]


def _for_a_header(secret: SecretStr) -> SecretStr:
    """Without the white space around it: many a Secret is made by `echo`, which ends the line."""
    value = secret.get_secret_value().strip()
    if not value:
        raise ValueError("it is empty: leave the variable out where there is no key")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(
            "a key is sent in an HTTP header, which takes printable ASCII characters only; it has "
            "others, or several lines"
        )
    return SecretStr(value)


def _without_credentials(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError(
            "it holds a user or a password, which would be written to logs and are not sent: leave "
            "them out"
        )
    return url


HeaderSecret = Annotated[SecretStr, AfterValidator(_for_a_header)]
ServerUrl = Annotated[HttpUrl, AfterValidator(_without_credentials)]
ModelName = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")
]
"""As `spec.model` takes it."""
