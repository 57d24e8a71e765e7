from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.memory.chunking.markdown import RunbookSource, runbook_chunks, sections_of
from kausa.memory.chunking.tokens import ChunkSize, count_tokens

SOURCE = RunbookSource(
    cluster="test",
    namespace="ops",
    name="oom",
    source="ops/oom",
    title="Out of memory",
    changed_at=datetime(2026, 3, 1, tzinfo=UTC),
    reasons=("OOMKilled",),
    categories=("OOMKilled",),
)
TEXT = """Read this first.

# What you see
Exit code 137.

## Of a JVM
The heap is too large.

```yaml
# not a heading
limits: {memory: 1Gi}
```

What to do
----------
Raise the limit.

### Nothing below
"""
lines = st.sampled_from(
    [
        "# One\n",
        "## Two ##\n",
        "text\n",
        "\n",
        "```\n",
        "~~~\n",
        "Title\n",
        "====\n",
        "#no\n",
        "- a\n",
    ]
)


def test_sections_know_the_way_to_them() -> None:
    found = [(each.headings, each.text.strip()[:16]) for each in sections_of(TEXT)]
    assert found == [
        ((), "Read this first."),
        (("What you see",), "Exit code 137."),
        (("What you see", "Of a JVM"), "The heap is too "),
        (("What you see", "What to do"), "Raise the limit."),
        (("What you see", "What to do", "Nothing below"), ""),
    ]


def test_a_fenced_block_keeps_what_looks_like_a_heading() -> None:
    of_jvm = sections_of(TEXT)[2]
    assert "# not a heading" in of_jvm.text


@settings(deadline=None, max_examples=80)
@given(st.lists(lines, max_size=20).map("".join))
def test_no_line_is_lost(text: str) -> None:
    found = sections_of(text)
    kept = "\n".join(" ".join((*each.headings, each.text)) for each in found)
    for line in text.splitlines():
        words = line.strip().strip("#").strip()
        if words.strip("=-`~"):
            assert words in kept
        else:
            assert not words or words in kept or set(words) <= set("=-`~")


@settings(deadline=None, max_examples=30)
@given(st.lists(lines, max_size=30).map(lambda parts: "".join(parts) + "word " * 300))
def test_passages_are_numbered_and_fit(text: str) -> None:
    size = ChunkSize(tokens=100, overlap=10)
    found = runbook_chunks(text, of=SOURCE, size=size)
    assert [(each.position, each.count) for each in found] == [
        (number, len(found)) for number in range(len(found))
    ]
    assert len({each.record_id for each in found}) == 1
    assert all(count_tokens(each.embedding_text) <= 100 for each in found)


def test_a_fenced_block_is_not_cut_where_it_fits() -> None:
    block = "```sh\nkubectl get pods\n\nkubectl top pods\n```\n"
    text = "# A\n" + "word " * 60 + "\n\n" + block
    found = runbook_chunks(text, of=SOURCE, size=ChunkSize(tokens=80, overlap=0))
    assert any(block.strip() in each.text for each in found)


def test_another_text_or_another_match_is_another_digest_and_another_time_is_not() -> None:
    digest = runbook_chunks(TEXT, of=SOURCE)[0].digest
    later = replace(SOURCE, changed_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert runbook_chunks(TEXT, of=later)[0].digest == digest
    assert runbook_chunks(TEXT + "more\n", of=SOURCE)[0].digest != digest
    assert runbook_chunks(TEXT, of=replace(SOURCE, reasons=()))[0].digest != digest


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_text_has_no_passages(text: str) -> None:
    assert runbook_chunks(text, of=SOURCE) == ()
