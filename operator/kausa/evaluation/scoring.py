"""Right or wrong: the outcome, the category and the words of a diagnosis against what is known."""

from __future__ import annotations

from kausa.evaluation.cases import Expectation

__all__ = ["LONGEST_TEXT", "scored_text", "shortcomings", "text_shortcomings"]

LONGEST_TEXT = 700
"""Characters of summary and root cause together: who may say everything is never wrong."""


def scored_text(summary: str, root_cause: str) -> str:
    """What is scored of a diagnosis."""
    return f"{summary}\n{root_cause}"[:LONGEST_TEXT]


def shortcomings(
    expect: Expectation, *, fails: bool, category: str | None, text: str
) -> tuple[str, ...]:
    """What is wrong with an answer, in words; empty where it is right."""
    wrong = []
    if fails != (expect.outcome == "failure"):
        wrong.append(f"outcome: said {'failure' if fails else 'healthy'}, is {expect.outcome}")
    if expect.category is not None and category != expect.category:
        wrong.append(f"category: said {category}, is {expect.category}")
    return (*wrong, *text_shortcomings(expect, text))


def text_shortcomings(expect: Expectation, text: str) -> tuple[str, ...]:
    """What the words lack, or should not say."""
    wrong = [
        "does not say: " + " | ".join(each.pattern for each in group)
        for group in expect.says
        if not any(each.search(text) for each in group)
    ]
    wrong += [f"says: {each.pattern}" for each in expect.never_says if each.search(text)]
    return tuple(wrong)
