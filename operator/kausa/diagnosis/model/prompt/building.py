"""The prompt within a budget of tokens: what must be there, then examples, then evidence by weight.

Evidence is what a failing program printed, so it is written by anybody; the question comes from
whoever may annotate an object. All of it stands between fences, and is cut to a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kausa.diagnosis.model.prompt.fences import cut, fence_for, fenced, one_line
from kausa.diagnosis.model.prompt.lines import Line, as_read, is_log, lines_to_choose
from kausa.diagnosis.model.prompt.shapes import is_kind, is_reason, is_source, is_target
from kausa.diagnosis.model.prompt.template import SYSTEM, VERSION
from kausa.diagnosis.model.prompt.tokens import TokenCounter
from kausa.diagnosis.model.protocol import Incident, ModelRequest, NumberedEvidence

__all__ = ["Prompt", "build_prompt", "by_weight", "least_budget"]

_Count = Callable[[str], int]

_ITEM_TOKENS: Final = 700
_LEAST_ITEM_TOKENS: Final = 60
_MEMORY_SHARE: Final = 0.25
"""Of the budget, for what happened elsewhere; the rest is for what happened here."""
_CHOICE_SHARE: Final = 0.3
"""Of what is left for evidence, for telling the lines to choose from once more."""
_HEAD_SHARE: Final = 0.5
"""For the question and what is known already; evidence decides."""
_QUESTION_SHARE: Final = 0.6
"""Of the head, where rules found something as well."""
_LEAST_LINE_TOKENS: Final = 16
_LEAST_ROOM: Final = 300
"""Beside the rules: the names of what fails, a part of a question, some lines of evidence."""
_QUESTION: Final = 1_000
_NAMED_AGAIN: Final = 160
_LINE: Final = 400
_PASSAGE: Final = 600
_MOST_LINES: Final = 8
_MOST_HELPED, _MOST_FAILED, _MOST_PASSAGES = 2, 1, 2
_KINDS: Final = ("Status", "Log", "Reference", "Event", "Change", "Quota", "Volume", "Node")
"""What tells most, first; the others follow."""
_CONDITION: Final = "condition "
"""How a status begins that says of the whole what the containers' say exactly."""
_NORMAL: Final = "normal event"
"""How an Event begins that nobody is warned by: it tells least of all."""
_OF_RULES: Final = "rule"
"""In what makes a failure hard: it says how sure rules are, which small models repeat as how sure
they are themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is sent, and which evidence found room in it."""

    system: str
    user: str
    evidence_ids: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    """Of the logs: one of them is named as the one that decides."""
    version: str = VERSION
    tokens: int = 0
    """As we count them."""


def by_weight(request: ModelRequest) -> list[NumberedEvidence]:
    """Return the evidence, what the rules rest on first, then by what kind of thing it is.

    Where they found nothing the logs come first, the longest piece before the others: what stands
    at a log's end decides far more often than what was complained of before.
    """
    cited = set(request.ruling.citations) if request.ruling is not None else set()
    ranks = {kind.lower(): rank for rank, kind in enumerate(_KINDS)}

    def weight(item: NumberedEvidence) -> tuple[bool, int, int]:
        rank = ranks.get(item.kind.lower(), len(_KINDS))
        if item.text.startswith(_NORMAL):
            rank = len(_KINDS) + 1
        elif item.text.startswith(_CONDITION):
            rank = ranks["reference"]
        if is_log(item) and not cited and not request.findings:
            return True, -1, -item.text.count("\n")
        return item.id not in cited, rank, 0

    return sorted(request.evidence, key=weight)


def build_prompt(
    request: ModelRequest, *, budget: int, counter: TokenCounter | None = None
) -> Prompt:
    """Write the prompt in at most `budget` tokens, as `counter` counts them.

    The first piece of evidence is always there, if only a part of it: below `least_budget` the
    prompt is longer than its budget.
    """
    count = (counter or TokenCounter()).count
    whole = {each.id: each.text for each in request.evidence}
    request = replace(
        request, evidence=tuple(replace(each, text=as_read(each)) for each in request.evidence)
    )
    fence = fence_for(_texts(request))
    system = SYSTEM
    opening, closing = _opening(request, fence=fence), _closing(request)
    items = _each_once(by_weight(request), request)
    room = budget - count(system) - _cost([*opening, "Evidence:", closing], count)
    needed = _LEAST_ITEM_TOKENS + (count(_item(items[0], text="", fence=fence)) if items else 0)
    head = _head(request, fence=fence, room=int((room - needed) * _HEAD_SHARE), count=count)
    room -= _cost(head, count)
    memory = _memory(
        request, fence=fence, room=int(max(room - needed, 0) * _MEMORY_SHARE), count=count
    )
    room -= _cost(memory, count)
    logs = any(is_log(each) for each in items)
    kept = int(max(room - needed, 0) * _CHOICE_SHARE) if logs else 0
    shown = _evidence(items, fence=fence, room=room - kept, count=count)
    parts = [_item(each, text=each.text, fence=fence) for each in shown]
    lines = lines_to_choose({each.id: each.text for each in shown if is_log(each)}, whole)
    choice = _choice(lines, fence=fence, room=kept, count=count)
    user = "\n".join([*opening, *head, *memory, "Evidence:", *parts, *choice, closing])
    return Prompt(
        system=system,
        user=user,
        evidence_ids=tuple(each.id for each in shown),
        lines=lines,
        tokens=count(system) + count(user),
    )


def least_budget(counter: TokenCounter | None = None) -> int:
    """Return the shortest budget that leaves room for a question, in tokens.

    A little evidence, and names as long as they are; below it nothing could be asked.
    """
    return (counter or TokenCounter()).count(SYSTEM) + _LEAST_ROOM


def _cost(lines: Sequence[str], count: _Count) -> int:
    return sum(count(f"{line}\n") for line in lines)


def _choice(lines: Sequence[Line], *, fence: str, room: int, count: _Count) -> list[str]:
    """Return the lines to choose from once more, right before the answer, where they find room: a
    small model has forgotten by then what stands above."""
    told = fenced("Log lines to choose from:", [each.text for each in lines], fence=fence)
    return told if _cost(told, count) <= room else []


def _each_once(items: Sequence[NumberedEvidence], request: ModelRequest) -> list[NumberedEvidence]:
    """Without lines of a log that stand in a longer piece of it, unless rules rest on them."""
    cited = set(request.ruling.citations) if request.ruling is not None else set()
    lines = {each.id: set(each.text.split("\n")) for each in items}
    return [
        each
        for each in items
        if each.id in cited
        or not is_log(each)
        or not any(
            other.source == each.source and is_log(other) and lines[each.id] < lines[other.id]
            for other in items
        )
    ]


def _texts(request: ModelRequest) -> list[str]:
    texts = [request.target, request.reason, request.question or "", *request.findings]
    texts += [*request.changes, *request.complexity]
    for incident in request.incidents:
        texts += [incident.cause, incident.resolution]
    for passage in request.runbooks:
        texts += [passage.title, passage.text, passage.source]
    for item in request.evidence:
        texts += [item.id, item.kind, item.source, item.text]
    return texts


def _opening(request: ModelRequest, *, fence: str) -> list[str]:
    target = one_line(request.target, limit=_LINE)
    reason = one_line(request.reason, limit=_LINE)
    return [
        f"Fence: {fence}",
        *([f"Target: {target}"] if is_target(target) else _quoted("Target:", target, fence)),
        *(
            [f"Kubernetes shows: {reason}"]
            if is_reason(reason)
            else _quoted("Kubernetes shows:", reason, fence)
        ),
    ]


def _closing(request: ModelRequest) -> str:
    target = one_line(request.target, limit=_NAMED_AGAIN)
    return f"Answer for {target if is_target(target) else 'the target'} with JSON."


def _quoted(title: str, text: str, fence: str) -> list[str]:
    return [title, fence, text, fence] if text else [title]


def _head(request: ModelRequest, *, fence: str, room: int, count: _Count) -> list[str]:
    """Return what is told before the evidence, what weighs most first, within its room."""
    question = one_line(request.question or "", limit=_QUESTION)
    kept: list[str] = []
    if question:
        part = ["Question:", fence, "", fence]
        others = any(_lines(request.findings))
        limit = int(room * (_QUESTION_SHARE if others else 1)) - _cost(part, count)
        part[2] = _within(question, count(question), max(limit, _LEAST_LINE_TOKENS), count)
        kept += part
    for title, lines in (
        ("What rules found:", _lines(request.findings)),
        ("What changed before it failed:", _lines(request.changes)),
        ("Take care, because:", _lines(_hard(request))),
    ):
        left = room - _cost(kept, count) - _cost([title, fence, fence], count)
        kept += fenced(title, _as_many(lines, room=left, count=count), fence=fence)
    return kept


def _as_many(lines: Sequence[str], *, room: int, count: _Count) -> list[str]:
    """Return the lines that find room; the first that does not is cut to what is left."""
    kept: list[str] = []
    for line in lines:
        cost = count(f"- {line}\n")
        if cost > room:
            limit = room - count("- \n")
            if limit >= _LEAST_LINE_TOKENS:
                kept.append(_within(line, count(line), limit, count))
            break
        kept.append(line)
        room -= cost
    return kept


def _hard(request: ModelRequest) -> list[str]:
    return [each for each in request.complexity if _OF_RULES not in each]


def _lines(texts: Sequence[str]) -> list[str]:
    return [one_line(text, limit=_LINE) for text in texts[:_MOST_LINES]]


def _memory(request: ModelRequest, *, fence: str, room: int, count: _Count) -> list[str]:
    """Return the examples that find room: what helped, what did not, what is written about it."""
    parts = [
        fenced("Earlier failures like this, and what came of them:", [example], fence=fence)
        for example in _examples(request.incidents)
    ]
    parts += [
        fenced("From a runbook:", [one_line(f"{each.title}: {each.text}", limit=_PASSAGE)],
               fence=fence)
        for each in request.runbooks[:_MOST_PASSAGES]
    ]  # fmt: skip
    kept: list[str] = []
    for part in parts:
        cost = _cost(part, count)
        if cost <= room:
            kept += part
            room -= cost
    return kept


def _examples(incidents: Sequence[Incident]) -> list[str]:
    """Return the most alike ones that helped, and the one that teaches most by not helping."""
    ranked = sorted(incidents, key=lambda each: -each.score)
    # That something unknown helped teaches nothing.
    done = [each for each in ranked if each.resolution]
    helped = [each for each in done if each.outcome == "worked"][:_MOST_HELPED]
    failed = [each for each in done if each.outcome == "failed"][:_MOST_FAILED]
    known = [*helped, *failed]
    others = [each for each in ranked if each not in known and each.outcome not in ("failed",)]
    return [_example(each) for each in (known or others[:_MOST_HELPED])]


def _example(incident: Incident) -> str:
    text = f"Cause: {incident.cause} ({incident.score} % alike)."
    if not incident.resolution:
        return one_line(f"{text} What was done is not known", limit=_LINE)
    came = {"worked": "this helped", "failed": "this did NOT help"}.get(incident.outcome, "")
    text = f"{text} Done: {incident.resolution}"
    return one_line(f"{text} ({came})" if came else text, limit=_LINE)


def _evidence(
    items: Sequence[NumberedEvidence], *, fence: str, room: int, count: _Count
) -> list[NumberedEvidence]:
    """Return what finds room, each text cut to it."""
    kept: list[NumberedEvidence] = []
    for item in items:
        left = room - count(_item(item, text="", fence=fence) + "\n")
        whole = count(item.text)
        if kept and left < min(whole, _LEAST_ITEM_TOKENS):
            continue
        limit = min(_ITEM_TOKENS, max(left, _LEAST_ITEM_TOKENS))
        kept.append(replace(item, text=_within(item.text, whole, limit, count)))
        room -= count(_item(kept[-1], text=kept[-1].text, fence=fence) + "\n")
    return kept


def _within(text: str, tokens: int, limit: int, count: _Count) -> str:
    while tokens > limit:
        # By characters first; a text of rare characters needs another round.
        text = cut(text, max(int(len(text) * limit / tokens * 0.95), 16))
        before, tokens = tokens, count(text)
        if tokens >= before:
            break
    return cut(text, len(text) + 1)


def _item(item: NumberedEvidence, *, text: str, fence: str) -> str:
    kind = item.kind if is_kind(item.kind) else "Other"
    source = one_line(item.source, limit=_LINE)
    if is_source(source):
        return f"{item.id} | {kind} | {source}\n{fence}\n{text}\n{fence}"
    # Whoever chose it may say something by it, so it is told like anything that others wrote.
    return f"{item.id} | {kind}\n{fence}\nfrom: {source}\n{text}\n{fence}"
