"""From a question as a person asks it to filters, a time range and sub-questions.

Regular expressions and heuristics, no model: it takes less than a millisecond, is linear in the
length of the question, never raises, and tells of each thing why it was taken.
"""

from kausa.recall.query.analysis import QueryAnalysis, SubQuestion, analyse
from kausa.recall.query.clues import Clue

__all__ = ["Clue", "QueryAnalysis", "SubQuestion", "analyse"]
