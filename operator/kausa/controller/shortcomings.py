"""What a diagnosis had to do without, in the log: a missing permission once, all else each time."""

from __future__ import annotations

from collections.abc import Callable

from kausa.controller.report import Report
from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.recollection import Recollection
from kausa.evidence.dossier import Dossier
from kausa.telemetry.logs import get_logger

__all__ = ["Shortcomings"]

_logger = get_logger("kausa.controller.shortcomings")


class Shortcomings:
    """Remembers which permissions were said."""

    def __init__(self, *, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._said_permissions: set[str] = set()

    def say(
        self,
        report: Report,
        dossier: Dossier,
        recollection: Recollection | None,
        consultation: Consultation,
    ) -> bool:
        """Log what was missing; whether anything was."""
        for gap in dossier.gaps:
            if gap.permission and gap.permission not in self._said_permissions:
                self._said_permissions.add(gap.permission)
                _logger.warning(
                    "Evidence is missing for want of a permission",
                    what=gap.what,
                    grant=gap.permission,
                )
        said = [recollection.unavailable if recollection else None, consultation.unavailable]
        for reason, message in (each for each in said if each):
            _logger.warning(
                "Diagnosed without all help",
                name="/".join(report.key),
                reason=reason,
                why=self._redact(message),
            )
        return bool(dossier.gaps) or any(said)
