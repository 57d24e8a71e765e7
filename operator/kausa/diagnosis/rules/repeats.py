"""Findings that say again, in other words, what the cause says: they are no alternatives to it."""

from __future__ import annotations

import re

from kausa.diagnosis.finding import Finding
from kausa.evidence.dossier import Dossier, Reference

__all__ = ["says_again"]

_DESCRIBES = "crash."
"""Rules that tell how a container ended, and what was said last."""
_SHORTEST_QUOTE = 8
_WORD = re.compile(r"[a-z0-9][\w./-]{1,252}\w")
_MOST = 0.6
_ABSENT = re.compile(r"not exist|not found|missing|no such|unknown", re.I)
_SENTENCES = re.compile(r"(?<=[.!?])\s")
_SELECTS_NOBODY = re.compile(r"selects no|no pod matches", re.I)


def says_again(finding: Finding, *, cause: Finding, dossier: Dossier) -> bool:
    """Whether it adds nothing: it blames the same names that lead nowhere, says nearly the same of
    the same evidence, or only quotes the words that told the cause.

    Kubernetes complains of a missing ConfigMap in a container's status, and the ConfigMap itself
    was looked up: two rules see it, and a person should be told of it once.
    """
    alike = finding.category is cause.category
    shared = set(finding.citations) & set(cause.citations)
    blamed = _broken_names(finding, dossier)
    if blamed and (alike or shared):
        return blamed <= _broken_names(cause, dossier)
    if alike and shared == set(finding.citations):
        return _alike(finding, cause)
    return finding.rule.startswith(_DESCRIBES) and _quotes(finding, cause)


def _alike(finding: Finding, cause: Finding) -> bool:
    """Whether most words of the finding are words of the cause."""
    words = set(_WORD.findall(finding.summary.lower()))
    known = set(_WORD.findall(f"{cause.summary} {cause.root_cause}".lower()))
    return len(words & known) >= _MOST * len(words)


def _quotes(finding: Finding, cause: Finding) -> bool:
    """Whether what a program said is all that the finding tells, and the cause tells that too."""
    said = finding.summary.partition(": ")[2].rstrip(" .\u2026")
    return len(said) >= _SHORTEST_QUOTE and said in cause.root_cause


def _broken_names(finding: Finding, dossier: Dossier) -> frozenset[tuple[str, str, str]]:
    """Kind, name and key of what does not resolve, where a sentence of the finding says so."""
    sentences = (finding.summary, *_SENTENCES.split(finding.root_cause))
    return frozenset(
        (each.kind, each.name, each.key)
        for each in dossier.references
        if any(_names(said, each) and _says(said, each.problem) for said in sentences)
    )


def _names(said: str, reference: Reference) -> bool:
    if not reference.kind or not reference.name or reference.key not in said:
        return False
    name = rf"\b{re.escape(reference.kind)}\W{{1,3}}{re.escape(reference.name)}(?![\w.-]*\w)"
    return re.search(name, said, re.I) is not None


def _says(said: str, problem: str) -> bool:
    """Whether a text tells this problem, in whichever words."""
    if "endpoint" in problem:
        return "endpoint" in said
    if "selects no" in problem:
        return _SELECTS_NOBODY.search(said) is not None
    return problem in said or _ABSENT.search(said) is not None
