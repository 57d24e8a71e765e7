r"""Reads a log of any length in one pass and bounded memory, and keeps what tells most.

Nearly all lines of a log are like lines before them. So each line is reduced to its skeleton
(`bytes.translate` drops digits, the letters of hexadecimal numbers and the marks of times), and
every skeleton is looked at once. A chunk of which all skeletons are known to be boring costs no
work per line in Python. The price: lines that differ only in what a skeleton lacks share their
fate, so where numbers decide (an exit code, `3 errors`) or words of the letters a to f (`bad`,
`dead`), they become part of the skeleton.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from kausa.evidence.logs.assembly import Assembler
from kausa.evidence.logs.entry import LINE_BYTES, Entry, LogSummary, Severity
from kausa.evidence.logs.open_entry import OpenEntry
from kausa.evidence.logs.prefixes import bare, shortened
from kausa.evidence.logs.severity import numbers_matter
from kausa.evidence.logs.shapes import Kind, Role, kind_of
from kausa.evidence.logs.skeletons import Known, Skeletons, mark_of
from kausa.evidence.logs.summary import summary_of
from kausa.evidence.logs.tail import Tail
from kausa.evidence.logs.templates import Template, Templates

__all__ = ["LogScanner"]

_LONGEST_REST: Final = 4 * LINE_BYTES
_SLICE_BYTES: Final = 256 * 1024
_HEAD_BYTES: Final = 512


class LogScanner:
    """Feed it the chunks of one log, then finish it. Never raises, whatever the bytes."""

    __slots__ = (
        "_above", "_assembler", "_counts", "_dropping", "_fatal", "_held", "_line",
        "_opened_by", "_partial", "_rest", "_size", "_skeletons", "_tail", "_templates",
        "_waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        self._assembler = Assembler()
        self._skeletons = Skeletons()
        self._templates = Templates()
        self._tail = Tail()
        self._counts: Counter[Severity] = Counter()
        self._fatal: Entry | None = None
        self._above: Kind | None = None
        """What the last boring entry began with: what is indented below may belong to it."""
        self._line = 0
        self._size = 0
        self._rest = b""
        self._held = b""
        self._dropping = False
        self._partial = b""
        self._opened_by: Known | None = None
        """What is known of the first line of the open entry."""
        self._waiting: tuple[Known, Template, bytes, int] | None = None
        """A line like one that was a whole entry before, and whether more follows is not known."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the log, cut anywhere."""
        for start in range(0, len(chunk), _SLICE_BYTES):
            self._feed(chunk[start : start + _SLICE_BYTES])

    def _feed(self, chunk: bytes) -> None:
        self._size += len(chunk)
        chunk = self._held + chunk
        self._held = b""
        if b"\0" in chunk:
            chunk = chunk.translate(None, b"\0")
        if b"\r" in chunk:
            if chunk.endswith(b"\r"):
                # Its newline may be in the next chunk.
                chunk, self._held = chunk[:-1], b"\r"
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._tail.feed(chunk)
        text = self._rest + chunk
        lines = text.split(b"\n")
        self._rest = lines.pop()
        if self._dropping and lines:
            # The end of a line that was too long; its beginning was read already.
            self._dropping = False
            del lines[0]
        if self._dropping:
            self._rest = b""
        elif len(self._rest) > _LONGEST_REST:
            lines.append(self._rest)
            self._rest, self._dropping = b"", True
        if lines:
            self._read(lines, text=text)

    def finish(self) -> LogSummary:
        """What the log comes to. Feed nothing after."""
        if self._held:
            self._held = b""
        if self._rest:
            self._read([self._rest], text=self._rest)
        self._go_on_with_waiting()
        if self._partial:
            self._add(self._partial, kind_of(self._partial), mark=b"", number=self._line)
        closed = self._assembler.finish()
        if closed is not None:
            self._record(closed)
        return summary_of(
            self._templates.all(),
            self._skeletons,
            counts=self._counts,
            fatal=self._fatal,
            tail=self._tail.text(),
            lines=self._line,
            size=self._size,
        )

    def _read(self, lines: list[bytes], *, text: bytes) -> None:
        skeletons = self._skeletons.of(lines, text=text)
        if self._is_idle() and self._waiting is None and self._skip_boring(skeletons):
            return
        number = self._line
        get = self._skeletons.get
        for line, skeleton in zip(lines, skeletons, strict=True):
            number += 1
            self._line = number
            known = get(skeleton)
            if known is None or known.varying:
                known = self._look(line, skeleton, number)
            if known.is_start and not self._partial and self._closes():
                self._begin(line, known, number)
            elif known.boring and self._waiting is None and self._is_idle():
                known.count += 1
            else:
                if self._waiting is not None:
                    self._go_on_with_waiting()
                self._slowly(line, known, number)

    def _closes(self) -> bool:
        """Whether the beginning of an entry closes the open one, where one is open; if so, do."""
        opened = self._assembler.open
        if opened is None:
            return True
        if not opened.is_single:
            return False
        self._assembler.finish()
        self._record(opened)
        return True

    def _is_idle(self) -> bool:
        return self._assembler.open is None and not self._partial

    def _skip_boring(self, skeletons: list[bytes]) -> bool:
        """Count the lines and be done with them, where all are known to be boring."""
        known = self._skeletons.all_boring(skeletons)
        if known is None:
            return False
        self._line += len(skeletons)
        self._assembler.skip(stamped=all(each.kind.stamped for each in known))
        self._above = self._skeletons.last_start(skeletons) or self._above
        return True

    def _begin(self, line: bytes, known: Known, number: int) -> None:
        """An entry begins while none is open: what waited has been one line, and is counted."""
        self._assembler.skip(stamped=known.kind.stamped)
        if self._waiting is not None:
            before, template, last_line, last_number = self._waiting
            self._waiting = None
            self._counts[before.kind.severity] += 1
            template.seen(line=last_number, head=last_line[:_HEAD_BYTES])
        if known.boring:
            known.count += 1
            self._above = known.kind
            return
        template_of = known.template if known.generation == self._templates.generation else None
        if template_of is None:
            self._slowly(line, known, number)
        else:
            # Nearly always the next line begins another entry, and nothing need be put together.
            self._waiting = (known, template_of, line, number)
            self._above = None

    def _go_on_with_waiting(self) -> None:
        """More may belong to what waited: put it together after all."""
        if self._waiting is not None:
            known, _, line, number = self._waiting
            self._waiting = None
            self._slowly(line, known, number)

    def _look(self, line: bytes, skeleton: bytes, number: int) -> Known:
        """Learn a skeleton, or tell apart those that share it."""
        known = self._skeletons.get(skeleton)
        varying = known is not None and known.varying
        if varying:
            skeleton += b"\0" + numbers_matter(bare(line).line)
            known = self._skeletons.get(skeleton)
        elif known is None and b"\0" not in skeleton:
            known = self._skeletons.get_alike(line, skeleton)
        if known is not None:
            return known
        found = bare(shortened(line, LINE_BYTES))
        kind = kind_of(found.line)
        known = Known(
            kind,
            partial=found.partial,
            line=number,
            sample=found.line,
            varying=kind.varying and not varying,
        )
        return self._skeletons.learn(skeleton, line, known, alone=varying or b"\0" in skeleton)

    def _slowly(self, line: bytes, known: Known, number: int) -> None:
        found = bare(shortened(line, LINE_BYTES))
        kind = known.kind
        if self._partial or found.partial:
            self._partial = (self._partial + found.line)[: 2 * LINE_BYTES]
            if found.partial:
                return
            whole, self._partial = shortened(self._partial, LINE_BYTES), b""
            self._opened_by = None
            self._add(whole, kind_of(whole), mark=mark_of(whole), number=number)
            return
        if kind.role is Role.INDENTED and self._belongs_above():
            known.count += 1
            return
        mark = known.mark or mark_of(found.line)
        opened = self._add(found.line, kind, mark=mark, number=number)
        if opened:
            self._opened_by = known
            if known.boring:
                self._assembler.open = None
                known.count += 1
            self._above = kind if known.boring and known.is_start else None

    def _belongs_above(self) -> bool:
        above = self._above
        return self._assembler.open is None and above is not None and above.levelled

    def _add(self, line: bytes, kind: Kind, *, mark: bytes, number: int) -> bool:
        """Give a line to the assembler; whether it begins an entry."""
        before = self._assembler.open
        closed = self._assembler.add(line, kind, number=number, mark=mark)
        if closed is not None:
            self._record(closed)
        return self._assembler.open is not None and self._assembler.open is not before

    def _record(self, opened: OpenEntry) -> None:
        severity = opened.severity
        self._counts[severity] += 1
        if severity is Severity.INFO:
            return
        marks = (severity, opened.first_mark, opened.mark) if opened.foldable else None
        template = self._templates.known(marks)
        if template is None:
            template = self._templates.learn(marks, opened.close())
        template.seen(line=opened.line, head=opened.head)
        if severity is Severity.FATAL:
            self._fatal = opened.close()
        elif opened.size == 1 and self._opened_by is not None and self._opened_by.is_start:
            self._opened_by.template = template
            self._opened_by.generation = self._templates.generation
