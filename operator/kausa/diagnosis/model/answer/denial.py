"""Whether a sentence says that nothing is wrong, of a failure that is there.

That a part is well (`the image is fine`), that a source shows nothing (`the log shows no errors`)
and that something isn't well denies nothing: only of the target or of the whole it is a denial.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from kausa.diagnosis.model.answer.naming import is_plain

__all__ = ["denies"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WHOLE: Final = _words(
    "workload pod pods deployment container containers application app program service system "
    "cluster statefulset daemonset replicaset job cronjob it this that they these those everything "
    "all anything things status state health condition result diagnosis rollout release failure "
    "problem issue error incident situation object resource target"
)
_FINE: Final = (
    r"(?:perfectly |completely |entirely |fully |totally )?(?:healthy|fine|ok|okay|resolved|good)"
)
_STATE: Final = re.compile(
    r"\b(?:is|are|looks?|seems?|appears?|remains?|marked|stays?|be)"
    rf"(?: (?!(?:not|never|no|neither|hardly|nor|un\w+)\b)\w+)? {_FINE}\b"
    r"|\b(?:is|are) not (?:failing|broken)\b"
    r"|\b(?:works?|working|runs?|running|operat\w+|function\w*) (?:fine|well|normally|correctly|"
    r"perfectly|as (?:expected|intended))\b"
)
_NONE: Final = re.compile(r"\bno (?:failures?|problems?|issues?|errors?|faults?|actions?)\b")
_EXCEPT: Final = re.compile(
    r" (?:but|except|other than|besides|apart from|beyond|until|unless|messages?|codes?|output|"
    r"logs?|lines?|details?|texts?|handling|[^,;]{0,40}\b(?:logged|printed|recorded))\b"
    r"|[^,;]*\bin (?:the |its |any |this )?(?:\w+ )?(?:logs?|events?|output|evidence)\b"
)
_SOURCE: Final = re.compile(
    r"(?:\b(?:logs?|events?|evidence|output|lines?|traces?|messages?|excerpts?)\b|\be\d{1,3}\b)"
    r"[^,;:.]{0,40}\b(?:shows?|contains?|has|have|holds?|reports?|gives?|lists?|tells?|records?|"
    r"prints?|reveals?|mentions?|includes?|names?|states?|provides?|says?)\b[^,;:.]{0,20}$"
)
_NOTHING: Final = re.compile(
    r"\bnothing (?:is |was |to )?(?:wrong|failed|failing|do|broken|fix)\b"
    r"(?! (?:with|in) (?:the |its )?(?!(?:workload|pod|deployment|container|application|it)\b))"
)
_PLAIN: Final = re.compile(
    r"\bfalse (?:alarm|positive)\b|\ball (?:is )?(?:good|well|clear)\b"
    r"|(?<!no )(?<!not a )(?<!not )(?<!without )(?<!without a )"
    r"\bhealthy (?:workload|pod|deployment|container|application|service)\b"
    r"|^healthy\b"
)
_NEGATED: Final = re.compile(
    r"\b(?:not|never|no longer|cannot|unable|fail\w*|prevent\w*|keeps?|stop\w*|without|if|whether|"
    r"unless|until|when|once|before|ensur\w+|check(?:s|ed|ing)?|should|must|need\w*|requir\w*|"
    r"wait\w*|\w+n't)\b"
)
_PURPOSE: Final = re.compile(r"\bso that\b[^,;:.]*$")
_BREAK: Final = re.compile(
    r"[,;:.]|\b(?:but|and|so|because|while|although|though|however|which|who|since|as)\b"
)
_LINK: Final = re.compile(r"\b(?:about|in|of|on|for|from|with|at|to|by)\b")
_NO_NOUN: Final = _words(
    "now currently actually really itself also still already again the a an just there both "
    "have has had been being was were is are will"
)


def denies(sentence: str, names: AbstractSet[str]) -> bool:
    """Whether a sentence, as `normal` returns it, denies the failure.

    `names`: those of what fails and of its parts, in lower case.
    """
    if _PLAIN.search(sentence) or _NOTHING.search(sentence):
        return True
    for found in _NONE.finditer(sentence):
        excepted = _EXCEPT.match(sentence, found.end())
        if not excepted and not _SOURCE.search(sentence[: found.start()]):
            return True
    return any(
        _is_whole(_subject(sentence[: found.start()]), names)
        for found in _STATE.finditer(sentence)
        if not _is_supposed(sentence[: found.start()])
    )


def _is_supposed(before: str) -> bool:
    """Whether what follows isn't said to be so: it is denied, asked for, or what for."""
    return bool(_NEGATED.search(_BREAK.split(before)[-1]) or _PURPOSE.search(before))


def _subject(before: str) -> list[str]:
    """Return the words of the noun that the verb belongs to; none where there is none."""
    for clause in reversed(_BREAK.split(before)):
        noun = _LINK.split(clause.strip(), maxsplit=1)[0] if clause.strip() else ""
        words = [word.strip("\"'`()[]!?") for word in noun.split()]
        words = [word for word in words if word not in _NO_NOUN and not word.endswith("ly")]
        if words:
            return words
    return []


def _is_whole(subject: list[str], names: AbstractSet[str]) -> bool:
    if not subject:
        return True
    head = subject[-1]
    if head in _WHOLE or head in names or head.rpartition("/")[2] in names:
        return True
    # `container api` and `pod checkout-0`, but not `container image`.
    return len(subject) > 1 and subject[-2] in _WHOLE and not (head.isalpha() and is_plain(head))
