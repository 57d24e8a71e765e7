"""What keeps the operator from starting, or one resource from being diagnosed.

KausaError
|- MissingResourceDefinitionsError    the cluster does not know our resources (exit code 3)
|- AccessRefusedError                 the API server does not take our credentials (exit code 4)
|- DiagnosisFailedError               a defect of ours while one resource was diagnosed
`- UpstreamPendingError               what an object follows from is not recorded yet; try again
"""

from __future__ import annotations

from kausa.errors import KausaError

__all__ = [
    "AccessRefusedError",
    "DiagnosisFailedError",
    "MissingResourceDefinitionsError",
    "UpstreamPendingError",
]


class MissingResourceDefinitionsError(KausaError):
    """Without its resources the operator has nowhere to write."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"The cluster at {server} does not know FailureDiagnosis (kausa.dev/v1alpha1), so "
            "there is nowhere to write a diagnosis. Install it with "
            "`kubectl apply --server-side -f crds/`, then start kausa again."
        )


class AccessRefusedError(KausaError):
    """The API server is there, and does not let us in."""

    def __init__(self, *, server: str, origin: str, why: str) -> None:
        super().__init__(
            f"The API server {server} refuses the credentials of {origin} ({why}). Nothing was "
            "started; log in again, or name other credentials with --kubeconfig or --context."
        )


class DiagnosisFailedError(KausaError):
    """Something happened that nobody thought of; it was logged with its traceback."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} could not be diagnosed because of a defect in Kausa.")


class UpstreamPendingError(KausaError):
    """The failure that this one follows from will be recorded in a moment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The failure of {name} is not recorded yet.")
