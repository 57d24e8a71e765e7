"""Counts in how many texts a word stands, for late interaction: embedder/kausa_embedder/data/.

The texts are the project's own: recorded logs and events, the built-in runbooks, the docs. A log
entry, an event's message and a paragraph count as one text each, and one that is repeated counts
once, so that a chatty program does not make its words common. Words are split as the model's
tokenizer splits them, in lower case; those with digits are names. Weights are
log(1 + texts / texts with the word).

    python hack/models/count_words.py          (after changing many cases or runbooks)
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import normalizers, pre_tokenizers

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "embedder/kausa_embedder/data/word_idf.json"
LONGEST_TEXT = 2000
LONGEST_WORD = 24
LEAST_TEXTS = 3
"""A rarer word is as good as unknown, and may be a name that was recorded."""


def texts() -> Iterator[str]:
    """Every text once at least."""
    for path in sorted((ROOT / "tests/cases").glob("*/logs/**/*.log")):
        yield from path.read_text(errors="replace").splitlines()
    for path in sorted((ROOT / "tests/cases").glob("*/objects.json")):
        yield from messages(json.loads(path.read_text()))
    for path in sorted((ROOT / "tests/captures").glob("*.json.gz")):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                yield from messages(json.loads(line))
    for folder in ("docs", "operator/kausa/recall/runbooks"):
        for path in sorted((ROOT / folder).glob("*.md")):
            yield from re.split(r"\n\s*\n", path.read_text())


def messages(value: Any) -> Iterator[str]:
    """All that is said under `message` and `reason`, however deep."""
    if isinstance(value, dict):
        said = [value[key] for key in ("reason", "message") if isinstance(value.get(key), str)]
        if said:
            yield " ".join(said)
        for each in value.values():
            yield from messages(each)
    elif isinstance(value, list):
        for each in value:
            yield from messages(each)


def count() -> tuple[Counter[str], int]:
    """In how many different texts each word stands, and how many texts there are."""
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    seen: set[str] = set()
    found: Counter[str] = Counter()
    for text in texts():
        normal = normalizer.normalize_str(text[:LONGEST_TEXT].strip())
        # Texts that differ in numbers only are one text that is repeated.
        shape = re.sub(r"\d+", "0", normal)
        if not normal or shape in seen:
            continue
        seen.add(shape)
        found.update({word for word, _ in splitter.pre_tokenize_str(normal)})
    return found, len(seen)


def main() -> None:
    """Write the file."""
    found, total = count()
    words = {
        word: round(math.log(1 + total / number), 2)
        for word, number in sorted(found.items())
        if number >= LEAST_TEXTS and len(word) <= LONGEST_WORD and not re.search(r"\d", word)
    }
    unknown = round(math.log(1 + total), 2)
    content = {"texts": total, "unknown": unknown, "words": words}
    TARGET.write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n")
    print(f"{len(words)} words of {total} texts, {TARGET.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
