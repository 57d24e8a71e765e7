"""What a container said: its last words first, then what it complained of before, then Events.

The order is the order of trust: the first cause of the last fatal entry says more than the entry,
and that more than an error which the program survived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from kausa.diagnosis.rules.accounts import events
from kausa.diagnosis.rules.application.last_words import says_why
from kausa.diagnosis.rules.application.subjects import last_end, speakers
from kausa.evidence.dossier import Dossier, LogEntry, LogExcerpt
from kausa.evidence.logs.overcome import gets_over_it
from kausa.resources.evidence import EvidenceKind

__all__ = ["Saying", "Trust", "is_overcome", "log_citations", "sayings"]

LONGEST = 4000
MOST_LINES = 40
LAST_LINES = 6
MOST_ENTRIES = 12
_COMPLAINS = re.compile(
    r"\b(?:error|err|fatal|panic|critical|exception|fail|failed|failure|cannot|can't|could ?n[o']t|"
    r"unable|denied|refused|no such|not found|missing|invalid|timed? ?out|unauthorized|forbidden|"
    r"killed|abort|aborted|waiting|bad address|unavailable|crash|not set|unknown)\b",
    re.I,
)
_HARMLESS_LEVEL = re.compile(
    r"\b(?:level|lvl|severity)\W{1,4}(?:info|debug|trace)\b|^\W{0,3}\[?(?:INFO|DEBUG|TRACE)\b|"
    r"^[^a-z]{0,40}\b(?:INFO|DEBUG|TRACE)\b"
)
_FATAL = frozenset({"fatal", "error"})
_KUBELETS_OWN = frozenset(
    {
        "BackOff", "Unhealthy", "ProbeWarning", "ProbeError", "FailedScheduling", "FailedMount",
        "FailedAttachVolume", "FailedCreatePodSandBox", "Evicted", "Preempted", "Pulling", "Pulled",
        "NodeNotReady", "FailedKillPod", "FailedSync", "NetworkNotReady", "ImagePullBackOff",
        "ErrImagePull", "FailedPostStartHook", "FailedPreStopHook", "OOMKilling", "SystemOOM",
        "Created", "Started", "Scheduled", "SuccessfulCreate", "FailedCreate",
        "BackoffLimitExceeded",
        "ExceededGracePeriod", "InspectFailed", "TaintManagerEviction",
        "FailedToRetrieveImagePullSecret",
    }
)  # fmt: skip
"""Reasons whose messages are the kubelet's and not the program's."""
_OF_THE_RUNTIME = re.compile(
    r"pull|image|\boci\b|runc|containerd|sandbox|CreateContainer|RunContainer|configmap|secret",
    re.I,
)


class Trust(IntEnum):
    """How near a text is to the end of the program."""

    LAST = 0
    EARLIER = 1
    EVENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One text of one container, and what it is cited by."""

    text: str
    container: str
    trust: Trust
    citations: tuple[str, ...]
    harmless: bool = False
    """The program itself calls it information: only words that leave no doubt count."""
    before_the_end: bool = False
    """It is not of the last fatal entry, which tells itself why it is one."""
    overcome: bool = False
    """It says itself that the program got over it."""


def sayings(dossier: Dossier) -> Iterator[Saying]:
    """All that the containers that fail have said, the most trusted first."""
    containers = speakers(dossier)
    seen: set[str] = set()
    for trust in (Trust.LAST, Trust.EARLIER):
        for container in containers:
            logs = tuple(each for each in dossier.logs if each.container == container)
            for text, citations in _texts(dossier, container, trust):
                text = text.strip()[:LONGEST]
                if text and text not in seen:
                    seen.add(text)
                    yield Saying(
                        text=text,
                        container=container,
                        trust=trust,
                        citations=citations,
                        harmless=_is_harmless(text, dossier.log(container)),
                        before_the_end=trust is Trust.EARLIER and _end_tells(text, logs),
                        overcome=is_overcome(text, logs),
                    )
    yield from _events(dossier, containers[0] if containers else "")


def _texts(dossier: Dossier, container: str, trust: Trust) -> Iterator[tuple[str, tuple[str, ...]]]:
    logs = tuple(each for each in dossier.logs if each.container == container)
    cited = log_citations(dossier, container)
    if trust is Trust.EARLIER:
        for log in logs:
            yield from ((text, cited) for text in _earlier(log))
        return
    for log in logs:
        yield from ((text, cited) for text in (log.cause, log.decisive, _decisive_entry(log)))
    ended = last_end(dossier.container_status(container))
    if ended is not None and ended.message:
        yield ended.message, dossier.cite(EvidenceKind.STATUS, containing=f"container {container}:")


def _decisive_entry(log: LogExcerpt) -> str:
    return log.entries[0].text if log.entries else ""


def _earlier(log: LogExcerpt) -> Iterator[str]:
    """Errors and warnings, then lines that complain, the last first, then the end as a whole."""
    for entry in log.entries[:MOST_ENTRIES]:
        yield from (entry.cause, entry.message, entry.text)
    lines = [line for line in log.text.splitlines() if line.strip()]
    for line in reversed(lines[-MOST_LINES:]):
        if _COMPLAINS.search(line[:LONGEST]) and not _HARMLESS_LEVEL.search(line[:200]):
            yield line
    last = [each for each in lines[-LAST_LINES:] if not gets_over_it(each)]
    telling = [each for each in last if not _HARMLESS_LEVEL.search(each[:200])]
    # Where the program calls everything information, that is all there is.
    yield "\n".join(telling or last)


def _end_tells(text: str, logs: tuple[LogExcerpt, ...]) -> bool:
    """Whether the last fatal entry is another one and says why the program ends."""
    ends = [log.entries[0] for log in logs if log.entries and log.entries[0].level in _FATAL]
    return any(
        text not in entry.text and says_why(entry.message.partition("\n")[0]) for entry in ends
    )


def is_overcome(text: str, logs: tuple[LogExcerpt, ...]) -> bool:
    """Whether these words, or the entry that they are of, say that the program got over them.

    Words that nothing follows are not believed: the program ended with them.
    """
    if gets_over_it(text):
        return not any(log.text.rstrip().endswith(text.rstrip()) for log in logs)
    of = [(log, each) for log in logs for each in log.entries if _is_of(text, each)]
    return bool(of) and all(
        gets_over_it(each.text) and each.last_line < log.lines for log, each in of
    )


def _is_of(text: str, entry: LogEntry) -> bool:
    # What decides may be the message with its cause behind it.
    message = entry.message.rstrip(": .")
    return (
        text in (entry.cause, entry.message)
        or text in entry.text
        or (bool(message) and text.startswith(f"{message}: "))
    )


def _is_harmless(text: str, log: LogExcerpt | None) -> bool:
    """Whether it stands in a line that says of itself that it is information."""
    if log is None or any(text in each.text for each in log.entries):
        return False
    lines = log.text.splitlines()
    if "\n" in text:
        told = [each for each in text.splitlines() if each in lines]
        return bool(told) and all(_HARMLESS_LEVEL.search(each[:200]) for each in told)
    line = next((each for each in lines if text in each), "")
    return _HARMLESS_LEVEL.search(line[:200]) is not None


def _events(dossier: Dossier, container: str) -> Iterator[Saying]:
    """Some programs and add-ons speak through Events of the Pod; the newest first."""
    for each in reversed(events(dossier)):
        if not each.warning or each.kind != "Pod" or each.reason in _KUBELETS_OWN:
            continue
        if each.message and not _OF_THE_RUNTIME.search(each.message):
            yield Saying(
                text=each.message[:LONGEST],
                container=container,
                trust=Trust.EVENT,
                citations=each.citations,
            )


def log_citations(dossier: Dossier, container: str) -> tuple[str, ...]:
    """The ids of what was read from the logs of one container."""
    return tuple(
        each.id
        for each in dossier.evidence
        if each.kind is EvidenceKind.LOG and f"[{container}," in each.source.field_path
    )
