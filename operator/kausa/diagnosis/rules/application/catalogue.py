"""All ideas in the order in which they are tried: what names a cause before what hints at one.

Where two patterns fit one message the earlier wins: an authority that is unknown before a
connection that fails, a port that may not be bound before a permission that is denied, a name that
cannot be resolved before the timeout of the lookup.
"""

from __future__ import annotations

from kausa.diagnosis.rules.application.access import ACCESS_IDEAS
from kausa.diagnosis.rules.application.answers import ANSWER_IDEAS
from kausa.diagnosis.rules.application.commands import COMMAND_IDEAS
from kausa.diagnosis.rules.application.faults import FAULT_IDEAS
from kausa.diagnosis.rules.application.files import FILE_IDEAS
from kausa.diagnosis.rules.application.idea import Idea
from kausa.diagnosis.rules.application.limits import LIMIT_IDEAS
from kausa.diagnosis.rules.application.modules import MODULE_IDEAS
from kausa.diagnosis.rules.application.reach import REACH_IDEAS
from kausa.diagnosis.rules.application.runtime_memory import RUNTIME_MEMORY_IDEAS
from kausa.diagnosis.rules.application.schema import SCHEMA_IDEAS
from kausa.diagnosis.rules.application.syntax import SYNTAX_IDEAS
from kausa.diagnosis.rules.application.trust import TRUST_IDEAS
from kausa.diagnosis.rules.application.variables import VARIABLE_IDEAS

__all__ = ["IDEAS"]

IDEAS: tuple[Idea, ...] = (
    *TRUST_IDEAS,
    *ACCESS_IDEAS,
    *SCHEMA_IDEAS,
    *LIMIT_IDEAS,
    *RUNTIME_MEMORY_IDEAS,
    *REACH_IDEAS,
    *VARIABLE_IDEAS,
    *MODULE_IDEAS,
    *COMMAND_IDEAS,
    *FILE_IDEAS,
    *SYNTAX_IDEAS,
    *ANSWER_IDEAS,
    *FAULT_IDEAS,
)
