"""Which names a question holds, and which nobody knows, so that no other thing is answered.

`kind/name` is one whatever the word (`deployment/slow`). A name after its kind, or with a dash or a
digit in it, is meant as one; so is a lone word of which it is asked why it fails (`why does billing
crash?`). Other plain words may be English, so of those it is only noted that they name nothing.
Words that the analysis of questions knows are no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from kausa.cluster.snapshot.plurals import kinds_called
from kausa.recall.query import QueryAnalysis
from kausa.recall.query.names import KINDS, LABEL_WORDS, WHOLE, owner_of_pod
from kausa.recall.query.tokens import Token, tokens_of
from kausa.recall.query.vocabulary import PHRASES, REASONS
from kausa.recall.query.words import ASKING, NO_NAMES

__all__ = ["Naming", "Spelled", "did_you_mean", "naming_of", "spelled"]

NEAR: Final = 0.6
"""How alike a name must be to be what was meant."""
_OBJECTS: Final = frozenset({"pod", "owner", "container", "node"})
_NAME: Final = re.compile(r"[a-z](?:[a-z0-9.]{0,100}-){0,20}[a-z0-9]{1,62}")
_LONG_ENOUGH: Final = 3
_ARTICLES: Final = frozenset({"the", "my", "our", "this", "that", "a", "an"})
_ASKS: Final = frozenset({"does", "did", "is", "was", "has", "do", "are"})
_POINTS: Final = frozenset({"with", "about", "of"})
_MORE_WORDS: Final = """
access app application applications apps authentication backend certificate certificates code
configuration connection connections database databases deploy dns everybody frontend gateway
internet issue issues job jobs kubernetes load login monitoring nobody nothing password people
permission permissions problem problems process prod production program read release secrets
server service services site software somebody someone something storage stuff system systems test
tests thing things time tls traffic user users website write written
"""
_PARTS_OF_ENGLISH: Final = """
back box by check co compatible cpu disk down file read write only system end ended ever exit
first fly group hand host id in init
kill killed level limited line lock long loop multi new non off on open out outs over per point pod
post pre pull re real run running self set short side sign signed single start sub term time to
total two up upgrade via wide zero
"""
_PARTS: Final = frozenset(
    word
    for text in (NO_NAMES, ASKING, _PARTS_OF_ENGLISH, " ".join(PHRASES))
    for word in text.split()
)
"""`out-of-memory` is made of them, and no name."""
_WORDS: Final = _PARTS | frozenset(
    {*KINDS, *LABEL_WORDS, *WHOLE, *_MORE_WORDS.split(), *" ".join(REASONS).lower().split()}
)
_TECHNICAL: Final = re.compile(
    r"(?:x\d+|https?\d?|ipv\d|k8s|k3s|utf-?\d+|sha\d+\S*|v\d[\w.]*|oauth2|s3|ec2|h2|arm64|amd64|"
    r"tls1\S*|cgroups?v?\d?|log4j|e\d+|p\d+)"
)


_ANY_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_NO_OBJECTS: Final = frozenset({"no", "limits"})
"""Short names of kinds that are English."""
_PLACES: Final = frozenset({"Namespace", "Node"})
"""`the pods on node n-1` is about what is there."""
_NOBODYS: Final = frozenset({"Namespace", "Event"})
_OTHER_SIDES: Final = frozenset({"egress", "requests"})
"""`ingress/egress` are two things, and no Ingress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """An object that a question names by kind and name: never anything else."""

    kind: str
    name: str
    """In lower case."""
    namespace: str = ""
    """Empty where it does not say."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def spelled(analysis: QueryAnalysis) -> tuple[Spelled, ...]:
    """`deployment/slow`, `deployment/shop/slow`, and `pod api-1`, whose name is no English."""
    found: dict[Spelled, None] = {}
    tokens = tokens_of(analysis.question)
    for position, token in enumerate(tokens):
        word, *rest = token.lower.split("/")
        kind = _kind(word)
        if not kind:
            continue
        if rest:
            if len(rest) <= 2 and all(map(_ANY_NAME.fullmatch, rest)) and _names_one(rest[-1]):
                found[Spelled(kind=kind, name=rest[-1], namespace="".join(rest[:-1]))] = None
        elif position + 1 < len(tokens) and not token.ends_clause and kind not in _PLACES:
            name = tokens[position + 1].lower
            if _NAME.fullmatch(name) and _is_made(name):
                found[Spelled(kind=kind, name=name)] = None
    for clue in analysis.clues:
        before, _, name = clue.value.lower().rpartition("/")
        kind = _kind(before or clue.kind) if clue.kind in _OBJECTS else ""
        if kind and kind not in _PLACES and clue.names and _is_made(name) and not clue.left_out:
            found[Spelled(kind=kind, name=name)] = None
    # Of the same object the one that tells its namespace.
    told = {(each.kind, each.name) for each in found if each.namespace}
    return tuple(e for e in found if e.namespace or (e.kind, e.name) not in told)


def _kind(word: str) -> str:
    kinds = kinds_called(word, present=frozenset()) if word not in _NO_OBJECTS else ()
    return kinds[0] if kinds and kinds[0] not in _NOBODYS else ""


def _names_one(word: str) -> bool:
    return word not in _OTHER_SIDES and not kinds_called(word, present=frozenset())


def _is_made(name: str) -> bool:
    return _looks_made(name) and not _is_english(name) and _TECHNICAL.fullmatch(name) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What a question names, in lower case."""

    wanted: frozenset[str] = frozenset()
    """Names that choose what the question is about."""
    makers: frozenset[str] = frozenset()
    """Who may have made the Pods among them."""
    unknown: tuple[str, ...] = ()
    """Meant as names, and nobody knows them."""
    perhaps: tuple[str, ...] = ()
    """They stand where a name would, and name nothing."""


def naming_of(analysis: QueryAnalysis, *, known: Iterable[str], owners: Iterable[str]) -> Naming:
    """Sort what a question names by whether anybody knows it; `owners` may have made Pods."""
    tokens = tokens_of(analysis.question)
    there, makers = ({each.lower() for each in names} for names in (known, owners))
    sure: dict[str, None] = dict.fromkeys(each.name for each in spelled(analysis))
    perhaps: dict[str, None] = {}
    for clue in analysis.clues:
        name = clue.value.rpartition("/")[2]
        if clue.kind not in _OBJECTS or clue.left_out or _is_english(name) or not _names_one(name):
            continue
        # `names` is false where the word may be plain English after all; a node is where it fails.
        (sure if clue.names and clue.kind != "node" else perhaps)[name] = None
    taken = [(clue.start, clue.end) for clue in analysis.clues]
    free = [
        not any(start <= token.start and token.end <= end for start, end in taken)
        for token in tokens
    ]
    for position, word in _words(tokens, free):
        if _looks_made(word) or _is_asked_of(tokens, position):
            sure[word] = None
        elif _may_be_meant(tokens, position):
            perhaps[word] = None
    made = {name for each in sure for name in _makers(each)}
    return Naming(
        wanted=frozenset((*sure, *perhaps)),
        makers=frozenset(made),
        unknown=tuple(each for each in sure if each not in there and not _makers(each) & makers),
        perhaps=tuple(each for each in perhaps if each not in sure and each not in there),
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean session?`, or nothing."""
    near = get_close_matches(name, sorted(set(known)), n=1, cutoff=NEAR)
    return f" Did you mean {near[0]}?" if near else ""


def _words(tokens: Sequence[Token], free: Sequence[bool]) -> Iterator[tuple[int, str]]:
    for position, token in enumerate(tokens):
        word = token.lower
        if not free[position] or len(word) < _LONG_ENOUGH or _NAME.fullmatch(word) is None:
            continue
        if word in _WORDS or _is_english(word) or _TECHNICAL.fullmatch(word):
            continue
        yield position, word


def _looks_made(word: str) -> bool:
    """`api-1`, `web2`, `cart-service`; `log-in` is English, as all its parts are."""
    return "-" in word or any(each.isdigit() for each in word)


def _is_asked_of(tokens: Sequence[Token], position: int) -> bool:
    """`why does billing crash`: nothing before it says that it is a plain noun."""
    if position == 0 or position + 1 >= len(tokens) or tokens[position].ends_clause:
        return False
    return tokens[position - 1].lower in _ASKS and tokens[position + 1].lower in _WORDS


def _may_be_meant(tokens: Sequence[Token], position: int) -> bool:
    """`why does the billing crash`, `what is wrong with billing?`."""
    before = [token.lower for token in tokens[max(0, position - 2) : position]]
    ends = position + 1 == len(tokens) or tokens[position].ends_clause
    if len(before) == 2 and before[1] in _ARTICLES and before[0] in {*_ASKS, *_POINTS}:
        return True
    return ends and bool(before) and before[-1] in _POINTS


def _makers(name: str) -> set[str]:
    """Who may have made a Pod of this name."""
    return {each.rpartition("/")[2] for each in owner_of_pod(name)}


def _is_english(word: str) -> bool:
    """`out-of-memory`, in `why was the pod out-of-memory killed`."""
    return "-" in word and all(part in _PARTS for part in word.split("-"))
