"""Whose words count: the container that fails, or those of a Pod that fails as a whole."""

from __future__ import annotations

from kausa.cluster.objects import ContainerStatus, Terminated
from kausa.diagnosis.rules.accounts import is_well
from kausa.evidence.dossier import Dossier

__all__ = ["failing_container", "is_settled", "last_end", "speakers"]


def speakers(dossier: Dossier) -> tuple[str, ...]:
    """The names of the containers whose words explain the failure, the likeliest first."""
    symptom = dossier.symptom
    if symptom is not None and symptom.container is not None:
        return (symptom.container,)
    statuses = dossier.pod.status.all_container_statuses
    failing = tuple(each.name for each in statuses if _fails(each))
    if failing:
        return failing
    named = tuple(each.name for each in statuses) or tuple(log.container for log in dossier.logs)
    return tuple(dict.fromkeys(named))


def failing_container(dossier: Dossier) -> str | None:
    """The container that the failure is about: as the symptom says, or the one that fails."""
    symptom = dossier.symptom
    if symptom is not None and symptom.container is not None:
        return symptom.container
    statuses = dossier.pod.status.all_container_statuses
    failing = [each.name for each in statuses if _fails(each)]
    failing += [each.name for each in statuses if not each.ready and each.name not in failing]
    if failing:
        return failing[0]
    named = dossier.pod.spec.containers or ()
    return named[0].name if len(named) == 1 else None


def is_settled(dossier: Dossier) -> bool:
    """Whether the Pod has finished well, or runs with all containers ready."""
    return dossier.pod.status.phase == "Succeeded" or is_well(dossier)


def last_end(status: ContainerStatus | None) -> Terminated | None:
    """How its last run ended, where it did."""
    if status is None:
        return None
    return status.state.terminated or status.last_state.terminated


def _fails(status: ContainerStatus) -> bool:
    ended = last_end(status)
    return ended is not None and ended.exit_code != 0
