"""What our int8 model costs in retrieval: the same questions over the runbooks with each model.

    PYTHONPATH=tests python -m bench.embedder.quality

Whole-text vectors and late interaction, without BM25 and without what recall makes of them
(`make bench-recall`): a model's loss shall not hide behind the rest. The questions of the tuning
half; the goal is a recall within 0.03 of the packaged model's, whose arithmetic is fp32.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import numpy as np
import yaml

from kausa_embedder.engine import Engine
from kausa_embedder.models import DEFAULT_MODEL, cache_folder
from kausa_embedder.options import EngineOptions

REPOSITORY = Path(__file__).resolve().parents[3]
MODELS = ("all-MiniLM-L6-v2-int8", DEFAULT_MODEL.name)
CLOSE = 0.03
TOP = 20


def passages() -> list[tuple[str, str]]:
    """(runbook, text) of every section, its title before it."""
    found = []
    for path in sorted((REPOSITORY / "operator/kausa/recall/runbooks").glob("*.md")):
        text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text(), flags=re.DOTALL)
        title, *sections = re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]
        name = title.splitlines()[0]
        found += [(path.stem, f"{name}\n{section}") for section in (title, *sections)]
    return found


def questions() -> list[tuple[str, set[str]]]:
    folder = REPOSITORY / "tests/bench/recall"
    found = []
    for name in ("development.yaml", "questions.yaml"):
        for each in yaml.safe_load((folder / name).read_text())["questions"]:
            if each["half"] == "tuning" and each["over"] == "runbooks":
                found.append((each["question"], set(each["right"])))
    return found


async def ranks(model: str) -> dict[str, list[int]]:
    """For each question the place of the first right runbook, by either way of comparing."""
    engine = Engine(EngineOptions(model=model, folder=cache_folder() / model))
    texts = passages()
    stored = np.array(
        [
            vector
            for start in range(0, len(texts), 64)
            for vector in (
                await engine.embed([text for _, text in texts[start : start + 64]])
            ).vectors
        ]
    )
    places: dict[str, list[int]] = {"vectors": [], "late": []}
    for question, right in questions():
        [asked] = (await engine.embed([question], kind="query")).vectors
        order = np.argsort(-(stored @ asked))
        places["vectors"].append(place([texts[index][0] for index in order], right))
        best = list(order[:TOP])
        scores = await engine.score_late(question, [texts[index][1] for index in best])
        again = [best[index] for index in np.argsort(-np.array(scores))]
        places["late"].append(place([texts[index][0] for index in again], right))
    await engine.close()
    return places


def place(names: list[str], right: set[str]) -> int:
    """Where the first right one stands, from 1; 0 where none does."""
    distinct = list(dict.fromkeys(names))
    return next((number for number, name in enumerate(distinct, 1) if name in right), 0)


def main() -> int:
    recalls: dict[tuple[str, str], list[float]] = {}
    for model in MODELS:
        for kind, places in asyncio.run(ranks(model)).items():
            shares = [sum(0 < at <= k for at in places) / len(places) for k in (1, 5)]
            mrr = sum(1 / at for at in places if at) / len(places)
            recalls[model, kind] = shares
            print(
                f"{model:24} {kind:8} recall@1 {shares[0]:.3f} recall@5 {shares[1]:.3f} "
                f"MRR {mrr:.3f} ({len(places)} questions)"
            )
    packaged, ours = MODELS
    loss = max(
        before - after
        for kind in ("vectors", "late")
        for before, after in zip(recalls[packaged, kind], recalls[ours, kind], strict=True)
    )
    print(
        f"{'met   ' if loss <= CLOSE else 'MISSED'} greatest loss of recall {loss:.3f} (of {CLOSE})"
    )
    return 0 if loss <= CLOSE else 1


if __name__ == "__main__":
    sys.exit(main())
