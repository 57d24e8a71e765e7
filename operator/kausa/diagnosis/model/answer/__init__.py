"""The schema of an answer and what is left of one after checking."""

from __future__ import annotations

from kausa.diagnosis.model.answer.checking import Checked, check_answer
from kausa.diagnosis.model.answer.schema import answer_schema

__all__ = ["Checked", "answer_schema", "check_answer"]
