"""Texts as the operator embeds them: what recorded events and logs say, of their lengths."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
LONGEST = 1200


def draw(count: int, *, seed: int = 7) -> list[str]:
    """So many different texts: half of them messages of events, half pieces of logs."""
    random_ = random.Random(seed)
    messages, logs = _messages(), _logs(random_)
    texts = [
        f"{random_.choice(source)} (occurrence {number})"
        for number in range(count)
        for source in ((messages, logs)[number % 2],)
    ]
    random_.shuffle(texts)
    return texts


def _messages() -> list[str]:
    found = []
    path = REPOSITORY / "tests/captures/events.watch.json.gz"
    with gzip.open(path, "rt") as lines:
        for line in lines:
            event = json.loads(line).get("object", {})
            if message := event.get("message"):
                about = event.get("involvedObject", {})
                found.append(f"{event.get('reason')} {about.get('kind')}: {message}"[:LONGEST])
    return found


def _logs(random_: random.Random) -> list[str]:
    found = []
    for path in sorted((REPOSITORY / "tests/cases").glob("*/logs/**/*.log")):
        lines = path.read_text(errors="replace").splitlines()
        while lines:
            taken = random_.choice((1, 2, 4, 8, 16))
            if piece := "\n".join(lines[:taken]).strip()[:LONGEST]:
                found.append(piece)
            lines = lines[taken : taken + 400]
    return found
