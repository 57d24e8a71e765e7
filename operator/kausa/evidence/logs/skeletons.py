"""What was learned of lines, by their skeletons; bounded."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from kausa.evidence.logs.entry import LINE_BYTES, Entry, Severity
from kausa.evidence.logs.prefixes import bare
from kausa.evidence.logs.shapes import Kind, Role, kind_of
from kausa.evidence.logs.templates import Template

__all__ = ["Known", "Skeletons", "mark_of"]

MOST_SKELETONS: Final = 8192
_DROPPED: Final = b"0123456789abcdef-.:"
_HIDDEN: Final = (b"bad", b"dead")
"""Words that a skeleton would lose, and that decide. Of `Bad` and `Dead` a capital is left."""
_TOKEN: Final = re.compile(rb"(?<![\w+/=-])(?=[\w+/-]{0,256}\d)[\w+/-]{8,256}")
_ALIKE: Final = b"\1"
_SAMPLE_BYTES: Final = 512
_MARK_BYTES: Final = 512
_BORING_ROLES: Final = frozenset(
    {Role.START, Role.PLAIN, Role.INDENTED, Role.FRAME, Role.BLANK, Role.CLOSING}
)
_STARTS: Final = frozenset({Role.START, Role.PLAIN})
_QUIET: Final = re.compile(
    rb"(?:^|[^\w\"])(?:TRACE|DEBUG|DBG|VERBOSE|INFO|INF|NOTICE|level=\"?(?:trace|debug|info))(?=[\s\]|:\"])"
    rb"|\"(?:level|severity|lvl)\":\s?\"(?:trace|debug|info|notice|TRACE|DEBUG|INFO|NOTICE)\""
)
_MOST_LENGTHS: Final = 16
_RARE: Final = 2
_LEAST_LINES: Final = 200
_NEAR_LINES: Final = 25
_MOST_BEFORE: Final = 3
_BLANK: Final = Kind(Role.BLANK)


class Known:
    """What is known of all lines with one skeleton."""

    __slots__ = (
        "boring",
        "count",
        "generation",
        "is_start",
        "kind",
        "line",
        "mark",
        "sample",
        "template",
        "varying",
    )

    def __init__(
        self, kind: Kind, *, partial: bool, line: int, sample: bytes, varying: bool = False
    ) -> None:
        self.kind = kind
        self.varying = varying
        """Its numbers must be looked at, for another line with this skeleton may be worse."""
        self.is_start = kind.role in _STARTS
        self.boring = (
            not partial
            and not varying
            and kind.severity is Severity.INFO
            and kind.role in _BORING_ROLES
        )
        self.mark = b"" if self.boring else mark_of(sample)
        self.template: Template | None = None
        """The template of entries that are no more than such a line."""
        self.generation = -1
        """When that was so: the template may have been given up since."""
        self.count = 0
        self.line = line
        self.sample = sample if self.boring and len(sample) <= _SAMPLE_BYTES else b""


class Skeletons:
    """The skeletons of one log."""

    __slots__ = ("_forgotten", "_known", "_quiet", "_quiet_one", "get")

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}
        self._forgotten = 0
        self._quiet: dict[int, set[bytes]] = {}
        """By their length, the beginnings of skeletons that reach to a level of no interest."""
        self._quiet_one: Known | None = None
        self.get = self._known.get

    @staticmethod
    def of(lines: list[bytes], *, text: bytes) -> list[bytes]:
        """The skeleton of each line; all of them stand in `text`.

        Searching the text for a word takes 0.8 ns a byte, searching line by line twice that, and
        either is most of what a boring line costs.
        """
        skeletons = [line.translate(None, _DROPPED) for line in lines]
        for word in _HIDDEN:
            if word in text:
                skeletons = [
                    skeleton + b"\0" + word if word in line else skeleton
                    for line, skeleton in zip(lines, skeletons, strict=True)
                ]
        return skeletons

    def all_boring(self, skeletons: list[bytes]) -> list[Known] | None:
        """Count them all and return what is known of them, or None where one needs a look."""
        counted = Counter(skeletons)
        found = [self._known.get(each) for each in counted]
        known = [each for each in found if each is not None and each.boring]
        if len(known) < len(counted):
            return None
        for each, count in zip(known, counted.values(), strict=True):
            each.count += count
        return known

    def last_start(self, skeletons: list[bytes]) -> Kind | None:
        """The kind of the last line that begins an entry, among the last of them."""
        for skeleton in reversed(skeletons[-_NEAR_LINES:]):
            known = self._known.get(skeleton)
            if known is not None and known.is_start:
                return known.kind
        return None

    def get_alike(self, line: bytes, skeleton: bytes) -> Known | None:
        """What is known of a boring line that differs in long words with digits only (ids).

        In a log in which hardly two lines are alike, a level of no interest is enough.
        """
        if self._forgotten and self._quiet_one is not None:
            for length, beginnings in self._quiet.items():
                if skeleton[:length] in beginnings:
                    return self._quiet_one
        known = self._known.get(_alike(line))
        return known if known is not None and known.boring else None

    def learn(self, skeleton: bytes, line: bytes, known: Known, *, alone: bool) -> Known:
        """Remember what is known of a skeleton, and of those like it unless it stands alone."""
        if len(self._known) >= MOST_SKELETONS:
            self._forget()
        if len(skeleton) <= LINE_BYTES:
            # A varying skeleton is kept too, to say that its numbers must be looked at.
            self._known[skeleton] = known
            if known.boring and not alone:
                self._known[_alike(line)] = known
                self._learn_quiet(line, known)
        return known

    def _learn_quiet(self, line: bytes, known: Known) -> None:
        if not known.kind.levelled or len(self._quiet) >= _MOST_LENGTHS:
            return
        found = _QUIET.search(line, 0, _MARK_BYTES)
        if found is None:
            return
        beginning = line[: found.end()]
        # What follows must not change the verdict, whatever it is.
        kind = kind_of(bare(beginning).line + b" panic: fatal error: cannot")
        if line.lstrip()[:1] == b"{" or (kind.levelled and kind.severity is Severity.INFO):
            skeleton = beginning.translate(None, _DROPPED)
            self._quiet.setdefault(len(skeleton), set()).add(skeleton)
            self._quiet_one = self._quiet_one or known

    def boring_entries(self) -> int:
        """How many entries were boring."""
        alive = {id(each): each for each in self._known.values()}
        if self._quiet_one is not None:
            alive[id(self._quiet_one)] = self._quiet_one
        return self._forgotten + sum(each.count for each in alive.values() if _is_entry(each))

    def rare_before(self, onsets: list[int], *, lines: int) -> list[Entry]:
        """The boring entries that came once or twice, right before a trouble began.

        Where rare lines are common, or nearly all of the log is trouble, they tell nothing.
        """
        if lines < _LEAST_LINES:
            return []
        alive = {id(each): each for each in self._known.values()}.values()
        rare = [each for each in alive if each.count <= _RARE and each.sample and _is_entry(each)]
        if len(rare) * 20 > lines or self._forgotten:
            return []
        near = {
            each.line: each
            for onset in onsets
            for each in rare
            if 0 < onset - each.line <= _NEAR_LINES and each.line > _NEAR_LINES
        }
        latest = sorted(near.values(), key=lambda each: each.line)[-_MOST_BEFORE:]
        return [
            Entry(lines=(each.sample,), line=each.line, severity=Severity.INFO) for each in latest
        ]

    def _forget(self) -> None:
        """Give up what was seen once; where that is not enough, all that is boring."""
        before = {id(each): each for each in self._known.values()}
        kept = {key: each for key, each in self._known.items() if each.count > 1 or not each.boring}
        if len(kept) > MOST_SKELETONS // 2:
            kept = {key: each for key, each in kept.items() if each.boring and each.count > _RARE}
        if len(kept) > MOST_SKELETONS // 2:
            kept = {}
        for each in kept.values():
            before.pop(id(each), None)
        if self._quiet_one is not None:
            before.pop(id(self._quiet_one), None)
        self._forgotten += sum(each.count for each in before.values() if _is_entry(each))
        self._known.clear()
        self._known.update(kept)


def mark_of(line: bytes) -> bytes:
    """What lines that say the same have in common, to fold them by."""
    return _TOKEN.sub(b"", line[:_MARK_BYTES]).translate(None, _DROPPED)


def _is_entry(known: Known) -> bool:
    return known.boring and known.is_start


def _alike(line: bytes) -> bytes:
    return _ALIKE + _TOKEN.sub(b"", line[:LINE_BYTES]).translate(None, _DROPPED)
