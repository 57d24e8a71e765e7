"""What keeps the operator from starting.

KausaError
`- MissingResourceDefinitionsError    the cluster does not know our resources (exit code 3)
"""

from __future__ import annotations

from kausa.errors import KausaError

__all__ = ["MissingResourceDefinitionsError"]


class MissingResourceDefinitionsError(KausaError):
    """Without its resources the operator has nowhere to write."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"The cluster at {server} does not know FailureDiagnosis (kausa.dev/v1alpha1), so "
            "there is nowhere to write a diagnosis. Install it with `kubectl apply -f crds/`, "
            "then start kausa again."
        )
