"""The two numbers: what got out, and what was hidden for nothing."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from bench.redaction.clean import CleanResult, clean_log, hidden_wrongly
from bench.redaction.doors import DOORS, leave
from bench.redaction.leaks import find_leaks
from bench.redaction.planting import scenes

from kausa.evidence.redaction import WITHHELD, Redactor

__all__ = ["Clean", "Planted", "measure_clean", "measure_planted"]

KEY = b"the key of a bench"
PLAIN_LINE = "2026-01-02T03:04:05Z INFO request served path=/orders/42 status=200 bytes=512\n"
ROUNDS = 5


@dataclass(slots=True, kw_only=True)
class Planted:
    """What was planted, and what of it was found in what left."""

    kinds: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    leaks: list[tuple[str, str, str]] = field(default_factory=list)
    scenes: int = 0
    doors: int = len(DOORS)
    withheld: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """What became of a log without secrets."""

    result: CleanResult
    characters: int
    worst: list[tuple[str, int]]
    megabytes_per_second: float
    plain_megabytes_per_second: float


def measure_planted(*, seed: int, secrets: int) -> Planted:
    """Plant, let all leave, and look for each secret in everything."""
    redactor = Redactor(key=KEY)
    found = Planted()
    for plant in scenes(seed=seed, secrets=secrets):
        found.scenes += 1
        found.kinds.update(secret.kind for secret, _ in plant.secrets)
        started = time.process_time()
        left = dict(leave(plant.scene, redactor=redactor))
        found.seconds += time.process_time() - started
        found.megabytes += sum(map(len, left.values())) / 1e6
        found.withheld += sum(text.count(WITHHELD) for text in left.values())
        leaks = list(find_leaks(plant.secrets, left))
        found.leaks.extend(leaks)
        # A secret counts once, however many doors let it out.
        found.leaked.update(how.split(" | ")[0] for how in {how for how, _, _ in leaks})
    return found


def measure_clean(*, seed: int, size: int) -> Clean:
    """Redact a log in which there is nothing to hide."""
    redactor = Redactor(key=KEY)
    text = clean_log(seed=seed, size=size)
    plain = PLAIN_LINE * (size // len(PLAIN_LINE))
    result = hidden_wrongly(redactor, text)
    return Clean(
        result=result,
        characters=len(text),
        worst=Counter(result.hidden).most_common(10),
        megabytes_per_second=_speed(redactor, text),
        plain_megabytes_per_second=_speed(redactor, plain),
    )


def _speed(redactor: Redactor, text: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        redactor.text(text)
        best = min(best, time.process_time() - started)
    return len(text) / 1e6 / best
