"""The one door: nothing leaves `kausa.evidence` without passing through a `Redactor`.

What is hidden is replaced by a placeholder that is the same for the same secret within one
cluster, so that "the password changed between the revisions" can still be read from evidence
that no longer holds a password. If anything goes wrong inside, the text is withheld: a missing
line of evidence costs a diagnosis, a leaked secret costs an incident.
"""

from __future__ import annotations

from kausa.evidence.redaction.placeholders import PLACEHOLDER
from kausa.evidence.redaction.redactor import WITHHELD, Redacted, RedactedText, Redactor

__all__ = ["PLACEHOLDER", "WITHHELD", "Redacted", "RedactedText", "Redactor"]
