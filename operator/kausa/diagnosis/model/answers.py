"""Answers that were paid for: while nothing changed, nobody asks again.

Two things are kept apart. `essence` says in a hash what a failure comes to: its symptom, what the
logs and Warning Events say, what the containers were asked to be, what changed, what is missing,
and what rules made of it, without the counts, times and names that change with every restart
(`lasting`), and without the phases that a crashing container passes through. As long as it stays,
the answer stays, and because the status holds it, a restart of the operator forgets nothing. What
the memory recalls is no part of it: that grows with every failure.

`Answers` remembers what the model wrote, by content, model and the versions of prompt and check,
for a failure that goes back and forth between two. What it wrote is checked again against the
evidence of the day, so an old answer never cites what is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kausa.detection.fingerprint import normalise
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.model.choosing import Choice
from kausa.diagnosis.model.lasting import lasting, without_counts
from kausa.diagnosis.model.prompt import VERSION
from kausa.diagnosis.model.protocol import Completion
from kausa.evidence.dossier import Dossier
from kausa.resources.evidence import EvidenceKind

__all__ = ["CHECK_VERSION", "Answers", "KnownAnswer", "digest_of", "essence"]

CHECK_VERSION: Final = "2"
"""Of what stands between a model's words and an answer: screening (`prompt.screening`), the check
(`answer`), commands, and who decides (`deciding`). To be raised with every change of these that
takes something back or lets something through: statuses hold answers of earlier versions, and
none of these stands any more then, neither one that was accepted nor one that was refused.
"""
_HEX_DIGITS: Final = 16
_SETTLED_KINDS: Final = frozenset({EvidenceKind.QUOTA, EvidenceKind.VOLUME, EvidenceKind.REFERENCE})
_PASSING_EVENTS: Final = ("BackOff", "Unhealthy")
"""They come a moment after the failure and go an hour later, and say what the symptom says."""


def essence(dossier: Dossier, by_rules: Diagnosis, *, question: str | None = None) -> str:
    """Return what matters of a failure to who is asked about it, as 16 hex digits."""
    pod = dossier.pod.metadata.name
    return _hash(
        {
            "owner": [dossier.owner.kind, dossier.owner.namespace, dossier.owner.name],
            "question": question or "",
            "symptom": _symptom(dossier),
            "rules": _rules(by_rules),
            "asked": [_container(each) for each in dossier.pod.spec.all_containers],
            "logs": sorted(
                [each.container, lasting(each.decisive, pod=pod), lasting(each.cause, pod=pod)]
                for each in dossier.logs
            ),
            "changes": sorted(
                [each.path, each.before or "", each.after or ""] for each in dossier.changes
            ),
            "references": sorted(
                [each.kind, each.namespace, each.name, each.key, each.problem]
                for each in dossier.references
            ),
            "evidence": sorted(set(_settled(dossier))),
        }
    )


def digest_of(content: str, choice: Choice) -> str:
    """Return the hash of a question to one model: content, model, versions of prompt and check."""
    return _hash([content, choice.model, choice.thinks, VERSION, CHECK_VERSION])


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """What a question came to: what the model wrote, or what was wrong with all it wrote."""

    completion: Completion | None = None
    problem: str = ""
    """Where nothing that it wrote holds."""
    unfinished: bool = False
    """Whether the completion is a first answer that nobody came to the end of: where it does not
    hold, it has not been repaired yet."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    repaired: bool = False


class Answers:
    """By digest; the one that was used the longest ago goes first."""

    def __init__(self, *, most: int = 500) -> None:
        self.most = most
        self._known: OrderedDict[str, KnownAnswer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, digest: str) -> KnownAnswer | None:
        """Return what is known, if anything is."""
        known = self._known.get(digest)
        if known is not None:
            self._known.move_to_end(digest)
        return known

    def put(self, digest: str, answer: KnownAnswer) -> None:
        """Keep it."""
        self._known[digest] = answer
        self._known.move_to_end(digest)
        while len(self._known) > self.most:
            self._known.popitem(last=False)

    def forget(self, digest: str) -> None:
        """It does not hold any more."""
        self._known.pop(digest, None)


def _symptom(dossier: Dossier) -> list[Any]:
    symptom = dossier.symptom
    if symptom is None:
        return []
    # Between two attempts Kubernetes says that it waits, and in one what goes wrong: Events and the
    # log say the latter all the time.
    in_turns = symptom.reason.endswith("BackOff")
    return [
        str(symptom.category),
        symptom.reason,
        symptom.container or "",
        symptom.exit_code,
        "" if in_turns else normalise(symptom.message),
    ]


def _rules(by_rules: Diagnosis) -> list[Any]:
    return [
        str(by_rules.category or ""),
        by_rules.determined,
        _cause(by_rules.root_cause) if by_rules.determined else "",
    ]


def _cause(said: str) -> str:
    """The first sentence: what follows tells how it went this time, and counts where it matters."""
    return without_counts(normalise(said).partition(". ")[0].rstrip("."))


def _container(container: Any) -> list[Any]:
    resources = container.resources
    return [
        container.name,
        container.image,
        list(container.command or ()),
        list(container.args or ()),
        sorted(each.name for each in container.env or ()),
        [container.startup_probe, container.liveness_probe, container.readiness_probe],
        sorted((name, str(value)) for name, value in (resources.limits or {}).items()),
        sorted((name, str(value)) for name, value in (resources.requests or {}).items()),
    ]


def _settled(dossier: Dossier) -> Iterator[str]:
    """Evidence that only changes where something has changed."""
    for each in dossier.evidence:
        if each.kind in _SETTLED_KINDS:
            yield normalise(f"{each.kind} {each.source.kind} {each.text}")
        elif each.kind is EvidenceKind.EVENT and each.text.startswith("warning"):
            reason = each.source.field_path.removeprefix("events[").partition("]")[0]
            if reason not in _PASSING_EVENTS:
                yield normalise(f"{reason} {each.text.partition(': ')[2]}")


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=_HEX_DIGITS // 2).hexdigest()
