"""Which Services a diagnosis says do not answer, so that what fails behind them can be found."""

from __future__ import annotations

import re

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.application.told import hear
from kausa.evidence.dossier import Dossier
from kausa.evidence.references import NO_ENDPOINT

__all__ = ["Place", "services_missed"]

Place = tuple[str, str]
"""Namespace and name."""


def services_missed(dossier: Dossier, diagnosis: Diagnosis) -> tuple[Place, ...]:
    """The Services that the cause names as out of reach; none where it is about something else.

    What a program tried to reach counts where the cause names that very host; a Service without
    endpoints, which some object names, where the cause speaks of it by kind and name.
    """
    if not diagnosis.determined or dossier.symptom is None:
        return ()
    said = f"{diagnosis.summary} {diagnosis.root_cause}"
    found: dict[Place, None] = {}
    heard = hear(dossier)
    if heard is not None and heard.told.get("service") and heard.told.get("host", "\0") in said:
        found[heard.told["service_namespace"], heard.told["service"]] = None
    for each in dossier.references:
        if (each.kind, each.problem) == ("Service", NO_ENDPOINT) and _names(said, each.name):
            found[each.namespace or dossier.owner.namespace, each.name] = None
    return tuple(found)


def _names(said: str, service: str) -> bool:
    return re.search(rf"\bService {re.escape(service)}(?![\w.-]*\w)", said) is not None
