"""What keeps the operator from starting.

KausaError
|- MissingResourceDefinitionsError    the cluster does not know our resources (exit code 3)
`- AccessRefusedError                 the API server does not take our credentials (exit code 4)
"""

from __future__ import annotations

from kausa.errors import KausaError

__all__ = ["AccessRefusedError", "MissingResourceDefinitionsError"]


class MissingResourceDefinitionsError(KausaError):
    """Without its resources the operator has nowhere to write."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"The cluster at {server} does not know FailureDiagnosis (kausa.dev/v1alpha1), so "
            "there is nowhere to write a diagnosis. Install it with `kubectl apply -f crds/`, "
            "then start kausa again."
        )


class AccessRefusedError(KausaError):
    """The API server is there, and does not let us in."""

    def __init__(self, *, server: str, origin: str, why: str) -> None:
        super().__init__(
            f"The API server {server} refuses the credentials of {origin} ({why}). Nothing was "
            "started; log in again, or name other credentials with --kubeconfig or --context."
        )
