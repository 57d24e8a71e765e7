"""A Pod that looks healthy and that somebody asked about: what its log answers.

Only where there is a question: a healthy Pod stays healthy whatever its log says. The errors are
told in the order in which they began, because what began first caused the others more often than
not; and what was said right before them, such as a configuration that was read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kausa.diagnosis.finding import Finding, Fix
from kausa.diagnosis.rules.application.catalogue import IDEAS
from kausa.diagnosis.rules.application.idea import Idea
from kausa.diagnosis.rules.application.saying import log_citations
from kausa.diagnosis.rules.application.slowness import asks_for_slowness, slowest
from kausa.diagnosis.rules.telling import LONGEST_SUMMARY
from kausa.diagnosis.rules.wording import clip, sentence
from kausa.evidence.dossier import Dossier, LogEntry, LogExcerpt
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

__all__ = ["log_answers"]

_BAD = frozenset({"fatal", "error"})
_NOTABLE = re.compile(
    r"\b(?:spikes?|surge|burst|exceed\w{0,4}|degrad\w{1,6}|slow\w{0,4}|latency|threshold|"
    r"throttl\w{1,4}|rate.?limit\w{0,3}|reject\w{0,3}|dropp\w{1,3}|overload\w{0,3}|exhaust\w{0,4}|"
    r"time-?d? ?out|timeout|unavailable|refused|failed|lost|full|backpressure|circuit)\b",
    re.I,
)
_CHANGE = re.compile(
    r"\b(?:config\w{0,12}|settings?|feature.?flags?|polic(?:y|ies)|rules?|schema|certificates?|"
    r"version|deploy\w{0,5}|release|secrets?|ttl|limits?)\b.{0,80}?\b(?:re-?load\w{0,3}|"
    r"chang\w{1,3}|updat\w{1,3}|applied|switch\w{0,3}|rotat\w{1,3}|rolled|replaced|overrid\w{1,4}|"
    r"modified|set to)\b|\b(?:re-?load\w{0,3}|chang\w{1,3}|updat\w{1,3}|appl\w{1,4}|switch\w{0,3}|"
    r"rotat\w{1,3}|new)\b.{0,40}?\b(?:config\w{0,12}|settings?|feature.?flags?|polic(?:y|ies)|"
    r"schema|certificates?|version|release)\b",
    re.I,
)
_OF_NO_INTEREST = re.compile(
    r"^(?:@?time\w{0,8}|ts|level|lvl|severity|service|logger|caller|message|msg|pid|thread|"
    r"host\w{0,4}|.{0,20}_?id|stack\w{0,6}|version|env|pod|namespace|container|app|"
    r"instance\w{0,4}|event)$",
    re.I,
)
_ON_OTHERS = re.compile(
    r"\b(?:database|db|sql|query|procedure|redis|cache|upstream|downstream|api|http|rpc|external|"
    r"kafka|queue|broker|dns|s3|storage)\b",
    re.I,
)
_WORD = re.compile(r"[A-Za-z]{4,30}")
_COMMON = frozenset(
    {"what", "whats", "when", "where", "which", "with", "wrong", "this", "that", "there", "have",
     "does", "from", "into", "namespace", "service", "deployment", "error", "errors", "failed",
     "failing", "fails", "pods", "logs", "last", "hours", "fetch", "issue", "problem", "caused"}
)  # fmt: skip
MOST_TOLD = 4
MOST_DETAILS = 4
LONGEST_MESSAGE = 110
WELL_KNOWN = 72
"""An idea that is known here; it may still be another trouble than the one asked about."""
QUOTED = 64


def log_answers(dossier: Dossier) -> Finding | None:
    """What the logs of a Pod that somebody asked about tell of errors, slowness and changes."""
    question = dossier.cite(EvidenceKind.QUESTION)
    if dossier.symptom is not None or not question:
        return None
    asked = " ".join(each.text for each in dossier.evidence if each.id in question)
    log = next((each for each in dossier.logs if _troubles(each, asked)), None)
    if log is None:
        return _slow(dossier, asked, question)
    troubles = _troubles(log, asked)
    change = next((each for each in reversed(log.before) if _CHANGE.search(each.message)), None)
    idea = _idea(dossier, troubles)
    category = idea.category if idea is not None and idea.category is not None else Category.OTHER
    if change is not None:
        category = Category.CONFIG
    citations = (*log_citations(dossier, log.container), *question)
    return Finding(
        rule="application.question",
        category=category,
        summary=_summary(log, troubles[0], change),
        root_cause=" ".join(_cause(log, troubles, change)),
        explanation="The Pod looks healthy to Kubernetes; its log was read because somebody asked. "
        + (idea.explanation if idea is not None and change is None else "")
        + " What began first is told first; it may be the cause of what follows.",
        confidence=WELL_KNOWN if idea is not None or change is not None else QUOTED,
        citations=citations,
        fixes=(_fix(dossier, log, change, citations),),
    )


def _slow(dossier: Dossier, asked: str, question: tuple[str, ...]) -> Finding | None:
    """No error at all, but what somebody finds slow tells itself how long it took."""
    if not asks_for_slowness(asked):
        return None
    for log in dossier.logs:
        slow = slowest(log.text)
        if slow is None:
            continue
        line = clip(slow.line, characters=LONGEST_MESSAGE)
        category = Category.DEPENDENCY if _ON_OTHERS.search(slow.line) else Category.OTHER
        citations = (*log_citations(dossier, log.container), *question)
        return Finding(
            rule="application.question",
            category=category,
            summary=clip(
                f'container {log.container} is slow (latency up to {slow.seconds:.1f} s): "{line}"',
                characters=LONGEST_SUMMARY,
            ),
            root_cause=f"The log of container {log.container} tells of slow operations: "
            f"{slow.count} of {slow.of} that say how long they took needed more than a "
            f"second, the slowest "
            f'{slow.seconds:.1f} s: "{line}". No error was logged.',
            explanation="The Pod is healthy to Kubernetes; the times are the program's own. What "
            "takes long in the slowest line is where to look first.",
            confidence=QUOTED,
            citations=citations,
            fixes=(_fix(dossier, log, None, citations),),
        )
    return None


def _troubles(log: LogExcerpt, asked: str) -> tuple[LogEntry, ...]:
    """Errors and the warnings beside them; warnings alone only where they speak of trouble.

    Those that share a word with the question come first, where there are more than can be told.
    """
    wanted = frozenset(word.lower() for word in _WORD.findall(asked)) - _COMMON

    def shares(entry: LogEntry) -> bool:
        return any(word.lower() in wanted for word in _WORD.findall(entry.message[:300]))

    bad = [each for each in log.entries if each.level in _BAD]
    bad.sort(key=lambda each: not shares(each))
    warnings = [each for each in log.entries if each.level == "warning"]
    if not bad:
        bad, warnings = [each for each in warnings if _NOTABLE.search(each.message)], []
    if not bad:
        return ()
    chosen = (*bad[:MOST_TOLD], *warnings[: max(0, MOST_TOLD - len(bad))])
    return tuple(sorted(chosen, key=lambda each: each.line))


def _idea(dossier: Dossier, troubles: tuple[LogEntry, ...]) -> Idea | None:
    """Of the first trouble that is an idea known here."""
    for weak in (False, True):
        for entry in troubles:
            for idea in IDEAS:
                if idea.weak is not weak:
                    continue
                told = idea.look(entry.text[:4000])
                if told is not None and idea.complete(told, dossier) is not None:
                    return idea
    return None


def _summary(log: LogExcerpt, first: LogEntry, change: LogEntry | None) -> str:
    if change is not None:
        text = f"its configuration was changed ({_short(change)}), and since then: {_short(first)}"
    else:
        text = f"{_short(first)}{_details(first)}"
    return clip(f"the log of container {log.container} tells: {text}", characters=LONGEST_SUMMARY)


def _cause(
    log: LogExcerpt, troubles: tuple[LogEntry, ...], change: LogEntry | None
) -> Iterator[str]:
    if change is not None:
        yield (
            f'Right before the trouble began the log says "{_short(change)}" (line {change.line}):'
        )
        yield "a configuration change (reload or update) is the likely cause. Since then:"
    else:
        yield f"In the log of container {log.container}, in the order in which it began:"
    for number, entry in enumerate(troubles, start=1):
        times = _when(entry)
        yield sentence(
            f'{number}. "{_short(entry)}" ({entry.level}, line {entry.line}{times})'
            f"{_details(entry)}"
        )


def _when(entry: LogEntry) -> str:
    """How often, and from when to when, where it came again."""
    if entry.count <= 1:
        return ""
    times = f", repeatedly: {entry.count} times"
    first, last = entry.first_time, entry.last_time
    if first is None or last is None or first == last:
        return times
    return f"{times} from {first:%H:%M:%S} to {last:%H:%M:%S}"


def _short(entry: LogEntry) -> str:
    return clip(entry.message or entry.text, characters=LONGEST_MESSAGE)


def _details(entry: LogEntry) -> str:
    """The other fields of a structured entry, in words; the rest of a line that has more to say."""
    try:
        fields = msgspec.json.decode(entry.text.encode(errors="replace"))
    except msgspec.MsgspecError:
        message = entry.message.strip()
        rest = entry.text.rpartition(message)[2] if message else ""
        said = clip(rest.strip(" \"'"), characters=80)
        return f" ({said})" if said else ""
    if not isinstance(fields, dict):
        return ""
    told = [
        f"{str(name).replace('_', ' ')} {f'{value:.6g}' if isinstance(value, float) else value}"
        for name, value in fields.items()
        if isinstance(value, str | int | float) and not _OF_NO_INTEREST.match(str(name)[:60])
    ]
    return f" ({clip(', '.join(told[:MOST_DETAILS]), characters=100)})" if told else ""


def _fix(
    dossier: Dossier, log: LogExcerpt, change: LogEntry | None, citations: tuple[str, ...]
) -> Fix:
    title = (
        "Compare the configuration with the one before, and return to it"
        if change is not None
        else "Read the log around the first of these lines"
    )
    return Fix(
        title=title,
        rationale="What began first is the likeliest cause.",
        command=f"kubectl -n {dossier.owner.namespace} logs {dossier.pod.metadata.name} -c "
        f"{log.container}",
        citations=citations,
    )
