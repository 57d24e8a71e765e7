"""Which trouble decides, among all of a log.

The entry that ended the program decides over whatever else went wrong. Without one, what is severe,
names what it is about, came at the end or came once weighs more; what is printed all the time while
the program runs is noise, however bad it sounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from kausa.evidence.logs.entry import Severity
from kausa.evidence.logs.templates import Template

__all__ = ["is_end", "ranked", "score"]

_BASE: Final = {Severity.FATAL: 100.0, Severity.ERROR: 60.0, Severity.WARNING: 25.0}
_SURVIVED: Final = 66.0
"""What a fatal entry weighs where the program went on for long."""
_SHORT: Final = 500
"""Lines of a log too short to tell noise by frequency."""


def is_end(template: Template, *, lines: int) -> bool:
    """Whether a fatal entry stands close enough to the end to be the end."""
    behind = lines - template.last_line
    return template.severity is Severity.FATAL and behind <= max(200, lines // 20)


def score(template: Template, *, lines: int) -> float:
    """How telling a template is; `lines` is the length of the log."""
    weight = _BASE.get(template.severity, 0.0)
    if template.severity is Severity.FATAL and not is_end(template, lines=lines):
        weight = _SURVIVED
    weight += 6.0 * template.strength + (8.0 if template.specific else 0.0)
    behind = lines - template.last_line
    if behind <= max(30, lines // 50):
        weight += 15.0 + 5.0 * template.last_line / max(lines, 1)
    if lines > _SHORT:
        weight -= min(20.0, 5.0 * math.log10(max(template.count, 1)))
        spread = template.last_line - template.first_line
        if template.count > 20 and spread > 0.6 * lines:
            weight -= 25.0
    return weight


def ranked(templates: Iterable[Template], *, lines: int) -> Sequence[Template]:
    """The templates, the most telling first; of equals the earlier, which others follow from."""
    return sorted(templates, key=lambda each: (-score(each, lines=lines), each.first_line))
