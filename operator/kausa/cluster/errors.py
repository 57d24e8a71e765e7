"""What can go wrong between us and an API server.

ClusterError
|- KubeconfigError          the file is missing, malformed or names what is not there
|- ApiUnreachableError      no answer: refused, timed out, cut off
|  `- UntrustedServerError    its certificate is not one that we trust
|- LeadershipLostError     another process holds the Lease now, or it could not be renewed
|- UndecodableError         an answer that is not what Kubernetes sends
|- SnapshotError            files that cannot be read as a snapshot; says which, and what to do
|- NotRecordedError         a snapshot does not tell: nothing of that kind was recorded
`- ApiError                 an answer that says no; carries the HTTP status and reason
   |- NotFoundError         404
   |- NamespaceTerminatingError  the namespace is being deleted, or is gone (403, 404)
   |- ForbiddenError        403, and which permission is missing
   |  `- LeaseForbiddenError   leader election cannot do without it
   |- UnauthorizedError     401
   |- ConflictError         409
   |- GoneError             410, the resourceVersion or continue token has expired
   `- OverloadedError       429 and 5xx: worth another try
"""

from __future__ import annotations

from collections.abc import Collection

from kausa.errors import KausaError

__all__ = [
    "ApiError",
    "ApiUnreachableError",
    "ClusterError",
    "ConflictError",
    "ForbiddenError",
    "GoneError",
    "KubeconfigError",
    "LeadershipLostError",
    "LeaseForbiddenError",
    "NamespaceTerminatingError",
    "NotFoundError",
    "NotRecordedError",
    "OverloadedError",
    "SnapshotError",
    "UnauthorizedError",
    "UndecodableError",
    "UntrustedServerError",
    "api_error",
]


class ClusterError(KausaError):
    """Reading from or writing to the cluster failed."""


class KubeconfigError(ClusterError):
    """There are no usable credentials; the message says which file and what is wrong with it."""


class ApiUnreachableError(ClusterError):
    """The API server gave no answer."""


class UntrustedServerError(ApiUnreachableError):
    """Whoever answers has a certificate that these credentials do not trust."""


class LeadershipLostError(ClusterError):
    """This process does not lead any more, and must not write another word."""


class UndecodableError(ClusterError):
    """The API server's answer has a shape that Kubernetes does not send."""


class SnapshotError(ClusterError):
    """Files cannot be read as a snapshot; the message names the file and what to do."""


class NotRecordedError(ClusterError):
    """A snapshot does not tell whether this exists: nothing of its kind was recorded."""


class ApiError(ClusterError):
    """The API server answered with an error."""

    def __init__(self, message: str, *, status: int, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NotFoundError(ApiError):
    """The object does not exist (any more)."""


class NamespaceTerminatingError(ApiError):
    """Nothing can be made in this namespace any more: it is going, with all that is in it."""


class ForbiddenError(ApiError):
    """These credentials lack a permission; the API server's message names it."""


class LeaseForbiddenError(ForbiddenError):
    """The Lease of the leader may not be read or written; the message names the permissions."""


class UnauthorizedError(ApiError):
    """The API server does not know these credentials."""


class ConflictError(ApiError):
    """Somebody else owns this state: a field manager, or an object of that name."""


class GoneError(ApiError):
    """The resourceVersion or the continue token has expired; list again."""


class OverloadedError(ApiError):
    """The API server cannot answer now; the same request may succeed later."""


NAMESPACE_TERMINATING = "NamespaceTerminating"
_BY_STATUS: dict[int, type[ApiError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    429: OverloadedError,
}


def api_error(
    *, status: int, reason: str, message: str, causes: Collection[str] = (), kind: str = ""
) -> ApiError:
    """The most specific error for an HTTP status.

    `causes` and `kind` (a plural: what the error is about) are the details of the API server's
    Status.
    """
    if NAMESPACE_TERMINATING in causes or (status == 404 and kind == "namespaces"):
        return NamespaceTerminatingError(message, status=status, reason=reason)
    error = _BY_STATUS.get(status, OverloadedError if status >= 500 else ApiError)
    return error(message or f"HTTP {status} {reason}", status=status, reason=reason)
