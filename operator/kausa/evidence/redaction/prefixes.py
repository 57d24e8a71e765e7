"""What runtimes and loggers write in front of every line: times, streams, levels, threads.

A text of many lines that went through a logger carries it on each of them, so that what belongs
together is torn apart. Whoever reads over a line break reads over this as well.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PREFIX", "prefix_end"]

_TIME: Final = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,10}(?:Z|[ ]?[+-]\d\d:?\d\d)?"
_KLOG: Final = r"[IWEF]\d{4} \d\d:\d\d:\d\d[\d.]{0,10}[ ]{1,8}\d{1,8} [\w./-]{1,64}:\d{1,6}\] ?"
PREFIX: Final = (
    rf"(?:{_TIME}[ \t](?:std(?:out|err) [FP] )?|{_KLOG}|\[{_TIME}\][ \t])"
    r"(?:\[?(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\]?:?[ \t]{1,4}"
    r"(?:\[[\w.-]{1,64}\][ \t])?)?"
)
"""An expression for the front of a line."""
_PREFIX: Final = re.compile(PREFIX)


def prefix_end(text: str, start: int) -> int:
    """Where the words of the line that starts here begin."""
    found = _PREFIX.match(text, start)
    return start if found is None else found.end()
