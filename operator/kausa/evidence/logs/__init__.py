"""Reading logs: entries instead of lines, and among them the one that decides.

`LogScanner` reads a log of any length in bounded memory; `read_entries` puts the lines of a small
one together; `account_of` says in one line what an entry means. All of it is pure.
"""

from __future__ import annotations

from kausa.evidence.logs.assembly import read_entries
from kausa.evidence.logs.causes import Account, account_of
from kausa.evidence.logs.entry import Entry, Found, LogSummary, Severity
from kausa.evidence.logs.excuses import is_runtime_excuse
from kausa.evidence.logs.scanner import LogScanner
from kausa.evidence.logs.tail import TAIL_BYTES, last_lines

__all__ = [
    "TAIL_BYTES",
    "Account",
    "Entry",
    "Found",
    "LogScanner",
    "LogSummary",
    "Severity",
    "account_of",
    "is_runtime_excuse",
    "last_lines",
    "read_entries",
]
