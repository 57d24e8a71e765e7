"""Asking the API server whether it would take a patch: a dry run, with the operator's own rights.

By default the operator may not patch anything, and then nothing is asked: the fix says so. Whoever
wants the answers grants `patch` (hack/rbac-dry-run.yaml), which the API server cannot limit to dry
runs; the client can send nothing else (`KubernetesClient.dry_run`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from kausa.cluster.errors import (
    ApiError,
    ClusterError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    OverloadedError,
    UnauthorizedError,
)
from kausa.cluster.kinds import path_of
from kausa.diagnosis.finding import Diagnosis, Fix, Patch
from kausa.resources.diagnosis import DryRun

__all__ = ["DryRunClient", "DryRuns", "not_asked"]

DEADLINE_SECONDS = 3.0
_NO_RIGHT = ("cannot patch resource", "cannot get resource")
"""What the API server's own authorisation says; an admission plugin refuses in its own words."""
_NO_DRY_RUN = "does not support dry run"


class DryRunClient(Protocol):
    """The one request that this needs."""

    async def dry_run(
        self, path: str, patch: Mapping[str, Any], *, timeout_seconds: float = DEADLINE_SECONDS
    ) -> None:
        """Have the patch checked; raises a ClusterError where it is refused or not answered."""


class DryRuns:
    """Checks the patches of a diagnosis, all at once, within a deadline."""

    def __init__(
        self,
        *,
        client: DryRunClient,
        redact: Callable[[str], str],
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._client = client
        self._redact = redact
        self._deadline_seconds = deadline_seconds

    async def check(self, diagnosis: Diagnosis) -> Diagnosis:
        """The diagnosis, each of its patches with what the API server said of it; never raises a
        ClusterError.
        """
        if not any(fix.patch is not None for fix in diagnosis.fixes):
            return diagnosis
        fixes = await asyncio.gather(*(self._checked(fix) for fix in diagnosis.fixes))
        return replace(diagnosis, fixes=tuple(fixes))

    async def _checked(self, fix: Fix) -> Fix:
        if fix.patch is None:
            return fix
        outcome, message = await self._ask(fix.patch)
        # The API server quotes the values that it does not like.
        return replace(fix, dry_run=outcome, dry_run_message=self._redact(message))

    async def _ask(self, patch: Patch) -> tuple[DryRun, str]:
        path = path_of(api_version=patch.api_version, kind=patch.kind)
        if path is None:
            return DryRun.NOT_RUN, f"the URL of {patch.kind} is not known"
        try:
            await self._client.dry_run(
                path.object(name=patch.name, namespace=patch.namespace or None),
                patch.body,
                timeout_seconds=self._deadline_seconds,
            )
        except ForbiddenError as error:
            if any(words in str(error) for words in _NO_RIGHT):
                return DryRun.NOT_RUN, _without_right(patch, plural=path.plural)
            return DryRun.FAILED, str(error)
        except NotFoundError:
            return DryRun.NOT_RUN, f"{patch.kind} {patch.name} is not there any more"
        except (OverloadedError, ConflictError, UnauthorizedError) as error:
            return DryRun.NOT_RUN, str(error)
        except ApiError as error:
            outcome = DryRun.NOT_RUN if _NO_DRY_RUN in str(error) else DryRun.FAILED
            return outcome, str(error)
        except ClusterError as error:
            return DryRun.NOT_RUN, str(error)
        return DryRun.PASSED, ""


def _without_right(patch: Patch, *, plural: str) -> str:
    group = patch.api_version.rpartition("/")[0]
    where = f" in namespace {patch.namespace}" if patch.namespace else ""
    what = f"{plural}.{group}" if group else plural
    return f"Kausa may not patch {what}{where}, which a dry run needs (hack/rbac-dry-run.yaml)"


def not_asked(diagnosis: Diagnosis, *, why: str) -> Diagnosis:
    """The diagnosis where nobody can be asked, such as offline: each patch says why."""
    return replace(
        diagnosis,
        fixes=tuple(
            replace(fix, dry_run_message=why) if fix.patch is not None else fix
            for fix in diagnosis.fixes
        ),
    )
