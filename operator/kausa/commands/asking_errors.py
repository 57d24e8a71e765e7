"""What keeps `kausa ask` from reading a cluster, in words and with what to do."""

from __future__ import annotations

import os

from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import (
    ApiUnreachableError,
    ClusterError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    UntrustedServerError,
)
from kausa.errors import KausaError
from kausa.resources.group import API_VERSION, FAILURE_DIAGNOSIS_KIND

__all__ = ["CannotAskError", "plainly"]

OTHER_CREDENTIALS = "name other credentials with --kubeconfig or --context"
FILES = "`--from FILES` needs no cluster"


class CannotAskError(KausaError):
    """The cluster cannot be asked; the message says why, and what to do."""


def plainly(error: ClusterError, credentials: Credentials) -> KausaError:
    """The error as a person reads it; the same where it says what to do already."""
    server, origin = credentials.server, credentials.origin
    if isinstance(error, NotFoundError):
        return CannotAskError(
            f"The cluster at {server} does not know {FAILURE_DIAGNOSIS_KIND} ({API_VERSION}), so "
            "there is no diagnosis to read. Install it with `kubectl apply --server-side -f "
            f"crds/` and start the operator (`kausa run`); {FILES}."
        )
    if isinstance(error, UnauthorizedError | UntrustedServerError):
        return CannotAskError(
            f"The API server {server} and the credentials of {origin} do not fit "
            f"({str(error).rstrip('.')}). Nothing was read; log in again, or {OTHER_CREDENTIALS}."
        )
    if isinstance(error, ForbiddenError):
        return CannotAskError(
            f"These credentials ({origin}) may not read what the operator found: "
            f"{str(error).rstrip('.')}. Name a namespace that you may read (-n), have the right "
            f"given to you, or {OTHER_CREDENTIALS}."
        )
    if isinstance(error, ApiUnreachableError):
        return CannotAskError(
            f"The API server {server} does not answer ({_why(error)}), so nothing was read. See "
            f"that the cluster runs and that {origin} names it, or {OTHER_CREDENTIALS}; {FILES}."
        )
    return error


def _why(error: ApiUnreachableError) -> str:
    """In the words of the system, where it has any for it."""
    cause = error.__cause__
    number = getattr(getattr(cause, "os_error", cause), "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number).lower()
    return str(error).rpartition(": ")[2].rstrip(".")
