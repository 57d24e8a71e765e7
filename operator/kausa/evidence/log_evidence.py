"""What of a log becomes evidence: the decisive entry, its cause, all that went wrong, the end."""

from __future__ import annotations

from typing import Final

from kausa.cluster.objects import Pod
from kausa.evidence.dossier import Evidence, LogEntry, LogExcerpt, Source
from kausa.evidence.logs.tail import last_lines
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import EVIDENCE_TEXT
from kausa.resources.shortening import wire_length

__all__ = ["log_evidence"]

_TAIL_BYTES: Final = 1000
_MOST_FOLDED: Final = 8
_LONGEST_FOLDED: Final = 160
_GAP: Final = "..."


def log_evidence(excerpt: LogExcerpt, *, pod: Pod) -> tuple[Evidence, ...]:
    """The pieces of evidence in one container's log, the most telling first, its end last."""
    run = "previous run" if excerpt.previous else "current run"
    source = Source(
        kind="Pod", name=pod.metadata.name, field_path=f"log[{excerpt.container}, {run}]"
    )
    if not excerpt.text.strip():
        nothing = f"container {excerpt.container} wrote nothing to its log"
        return (Evidence(kind=EvidenceKind.LOG, source=source, text=nothing),)
    end = _end(excerpt.text)
    pieces: list[Evidence] = []
    decides = excerpt.entries[0] if excerpt.entries else None
    if decides is not None and excerpt.decisive:
        shown = _whole(decides)
        if shown != end.strip():
            time = decides.last_time or decides.first_time
            pieces.append(Evidence(kind=EvidenceKind.LOG, source=source, text=shown, time=time))
        if excerpt.cause and excerpt.cause not in shown:
            pieces.append(Evidence(kind=EvidenceKind.LOG, source=source, text=excerpt.cause))
    elif excerpt.decisive and excerpt.decisive != end.strip():
        pieces.append(Evidence(kind=EvidenceKind.LOG, source=source, text=excerpt.decisive))
    if (
        len(excerpt.entries) > 1
        or any(each.count > 1 for each in excerpt.entries)
        or excerpt.before
    ):
        pieces.append(Evidence(kind=EvidenceKind.LOG, source=source, text=_folded(excerpt)))
    pieces.append(Evidence(kind=EvidenceKind.LOG, source=source, text=end))
    return tuple(pieces)


def _whole(entry: LogEntry) -> str:
    """The entry, or as many of its first lines as fit above the line with its cause."""
    if wire_length(entry.text) <= EVIDENCE_TEXT:
        return entry.text
    lines = entry.text.split("\n")
    telling = [each for each in (entry.cause, entry.message) if each and each not in lines[0]]
    ending = f"\n{_GAP}\n" + "\n".join(telling) if telling else f"\n{_GAP}"
    room = EVIDENCE_TEXT - wire_length(ending)
    kept: list[str] = []
    for line in lines:
        room -= wire_length(line) + 2
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return entry.message if entry.message else lines[0]
    return "\n".join(kept) + ending


def _folded(excerpt: LogExcerpt) -> str:
    """Errors and warnings with how often and where, one line each."""
    part = "" if excerpt.complete else "the part read of "
    text = f"{part}the log, {excerpt.lines} lines, holds:"
    for entry in excerpt.entries[:_MOST_FOLDED]:
        where = f"line {entry.line}"
        if entry.count > 1:
            where = f"{entry.count} times from {where} to {entry.last_line}"
        line = f"\n{entry.level}, {where}: {_clipped(entry.message, entry.cause)}"
        if wire_length(text) + wire_length(line) > EVIDENCE_TEXT:
            return text
        text += line
    for entry in excerpt.before:
        line = f"\nright before it began, line {entry.line}: {_clipped(entry.message, '')}"
        if wire_length(text) + wire_length(line) > EVIDENCE_TEXT:
            return text
        text += line
    return text


def _clipped(message: str, cause: str) -> str:
    said = message if not cause or cause in message else f"{message}: {cause}"
    line = " ".join(said.split())
    return line if len(line) <= _LONGEST_FOLDED else line[: _LONGEST_FOLDED - 1] + "\u2026"


def _end(text: str) -> str:
    shown = last_lines(text, size=_TAIL_BYTES)
    while wire_length(shown) > EVIDENCE_TEXT and len(shown) > 1:
        # The end decides; the resource would cut there.
        shown = last_lines(shown, size=len(shown.encode(errors="replace")) * 3 // 4)
    return shown
