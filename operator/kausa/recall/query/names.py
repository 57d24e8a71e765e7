"""Names of objects in a question: after their kind, before it, or by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kausa.evidence.redaction.keys import kind_beside
from kausa.recall.query.clues import Clue, ClueKind
from kausa.recall.query.listed import names_before, names_from
from kausa.recall.query.tokens import Token
from kausa.recall.query.words import NO_NAMES

__all__ = ["DENIED", "KINDS", "LABEL_WORDS", "WHOLE", "named_objects", "owner_of_pod"]

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(
    r"(?P<key>(?:[a-z0-9.-]{1,253}/)?[A-Za-z0-9][-A-Za-z0-9_.]{0,62})==?"
    r"(?P<value>[A-Za-z0-9][-A-Za-z0-9_.]{0,62})"
)
# The letters that Kubernetes makes suffixes of: no vowels, no 0, 1 or 3, so that no word comes out.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_OF_REPLICA_SET = re.compile(rf"(?P<owner>[a-z0-9].{{0,240}})-[{_SAFE}]{{6,10}}-[{_SAFE}]{{5}}")
_ORDINAL = re.compile(r"(?P<owner>[a-z0-9].{0,240})-\d{1,5}")
_OF_OTHERS = re.compile(rf"(?P<owner>[a-z0-9].{{0,240}})-[{_SAFE}]{{5}}")

KINDS: dict[str, tuple[ClueKind, str]] = {
    **dict.fromkeys(("namespace", "namespaces", "ns"), ("namespace", "")),
    **dict.fromkeys(("pod", "pods", "po"), ("pod", "")),
    **dict.fromkeys(("node", "nodes"), ("node", "")),
    **dict.fromkeys(("container", "containers", "sidecar", "initcontainer"), ("container", "")),
    **dict.fromkeys(("deployment", "deployments", "deploy"), ("owner", "Deployment")),
    **dict.fromkeys(("statefulset", "statefulsets", "sts"), ("owner", "StatefulSet")),
    **dict.fromkeys(("daemonset", "daemonsets", "ds"), ("owner", "DaemonSet")),
    **dict.fromkeys(("replicaset", "replicasets", "rs"), ("owner", "ReplicaSet")),
    **dict.fromkeys(("cronjob", "cronjobs", "cj"), ("owner", "CronJob")),
    **dict.fromkeys(("job", "jobs"), ("owner", "Job")),
    **dict.fromkeys(("service", "services", "svc"), ("owner", "Service")),
    **dict.fromkeys(("hpa", "horizontalpodautoscaler"), ("owner", "HorizontalPodAutoscaler")),
    **dict.fromkeys(("pvc", "persistentvolumeclaim"), ("owner", "PersistentVolumeClaim")),
}
DENIED = "a search can be narrowed to what is named, not to all else"
_FLAGS: dict[str, tuple[ClueKind, str]] = {
    "-n": ("namespace", ""),
    "--namespace": ("namespace", ""),
    "-c": ("container", ""),
    "--container": ("container", ""),
}
LABEL_WORDS = frozenset({"-l", "--selector", "label", "labels", "labelled", "labeled", "selector"})
_FILLERS = frozenset({"called", "named", "is", "name", "=", ":"})
_TELLING = frozenset({"called", "named", "=", ":"})
_SEVERAL = frozenset(
    word for word in KINDS if word.endswith("s") and word not in {"ns", "sts", "ds", "rs"}
)
_WITHIN = frozenset({"in", "from", "of", "within", "inside", "on"})
_DENYING = frozenset(
    {"not", "except", "excluding", "exclude", "outside", "besides", "ignoring", "ignore", "than"}
)
WHOLE = frozenset(
    {"all", "any", "each", "every", "everything", "anything", "everywhere", "anywhere"}
)
"""`everything but`; in `it is slow but` the word denies nothing."""
_PLACED = _WITHIN | frozenset(
    {
        "between",
        "across",
        "for",
        "except",
        "excluding",
        "exclude",
        "without",
        "outside",
        "besides",
        "but",
        "not",
        "than",
        "ignoring",
        "ignore",
        "skip",
        "only",
        "both",
        "either",
        "neither",
        "show",
        "list",
    }
)
"""Words behind which names of a list may be plain words."""
_FOLLOWS = frozenset({"in", "is", "was", "has", "have", "had", "keeps", "does", "did", "crashing"})
_MOST_FILLERS = 2
_INTRODUCE = frozenset({"the", "our", "my", "in", "from"})
_NO_NAMES = frozenset(NO_NAMES.split())


def named_objects(tokens: Sequence[Token]) -> Iterator[Clue]:
    """Every object that is named, in the order of the question."""
    taken: set[int] = set()
    for position, token in enumerate(tokens):
        if position in taken:
            continue
        clues, used = _at(tokens, position)
        taken.update(used)
        yield from clues
        if not clues:
            yield from _by_shape(token)


def owner_of_pod(pod: str) -> tuple[str, ...]:
    """`Kind/name` of who may have made a Pod of this name, or the name alone; surest first.

    >>> owner_of_pod("web-7d4b9c6f5d-x2x4k")
    ('Deployment/web',)
    >>> owner_of_pod("db-0")
    ('StatefulSet/db',)
    """
    if match := _OF_REPLICA_SET.fullmatch(pod):
        return (f"Deployment/{match['owner']}",)
    if match := _ORDINAL.fullmatch(pod):
        return (f"StatefulSet/{match['owner']}",)
    if match := _OF_OTHERS.fullmatch(pod):
        return (f"DaemonSet/{match['owner']}", f"Job/{match['owner']}")
    return ()


def _at(tokens: Sequence[Token], position: int) -> tuple[list[Clue], set[int]]:
    """What the word at this place names, and which other words that took."""
    token = tokens[position]
    word = token.lower
    if word in LABEL_WORDS:
        return _labels(tokens, position)
    if word in _FLAGS:
        return _after(tokens, position, *_FLAGS[word])
    before, slash, name = word.partition("/")
    if slash and before in KINDS and _is_name(name):
        kind, of = KINDS[before]
        return [_clue(kind, of, name, token, token, why=f"{before}/...")], {position}
    before, equals, name = word.partition("=")
    if equals and before.lstrip("-") in {"namespace", "n", "container"} and _is_name(name):
        kind = "container" if "container" in before else "namespace"
        return [_clue(kind, "", name, token, token, why=f"{before}=...")], {position}
    if word in KINDS:
        kind, of = KINDS[word]
        found = _after(tokens, position, kind, of, several=word in _SEVERAL)
        if not found[0] and kind == "namespace":
            found = _all_but(tokens, position)
        return found if found[0] else _before(tokens, position, kind, of)
    return [], set()


def _after(
    tokens: Sequence[Token], position: int, kind: ClueKind, of: str, *, several: bool = False
) -> tuple[list[Clue], set[int]]:
    """`namespace prod`, `pod called web-1`, `-n prod`; not over the end of a clause."""
    place = position
    told = tokens[position].text.startswith("-")
    for _ in range(_MOST_FILLERS + 1):
        if tokens[place].ends_clause and tokens[place].text[-1:] != "=":
            return [], set()
        place += 1
        if place >= len(tokens):
            return [], set()
        if tokens[place].lower in _FILLERS:
            told = told or tokens[place].lower in _TELLING
            continue
        token = tokens[place]
        if not _is_name(token.text) or token.lower in KINDS:
            return [], set()
        sure = told or _looks_made(token.text)
        listed = _listed(tokens, position, place, kind=kind, several=several)
        if not sure and not (
            (several and len(listed) > 1 and _is_placed(tokens, position))
            or (not several and _may_stand(tokens, position, place, kind))
        ):
            return [], set()
        why = f"after {tokens[position].text!r}"
        # What may be a plain word stays in the text: a wrong guess must not take words away.
        names = sure or kind == "namespace"
        clues = [_clue(kind, of, token.text, tokens[position], token, why=why, names=names)]
        clues += [
            _clue(
                *(kind, of, tokens[at].text, tokens[join], tokens[at]),
                why=f"one of a list after {tokens[position].text!r}",
                names=several or _looks_made(tokens[at].text),
            )
            for join, at in listed[1:]
        ]
        return clues, {position, *(each for pair in listed for each in pair)}
    return [], set()


def _all_but(tokens: Sequence[Token], position: int) -> tuple[list[Clue], set[int]]:
    """`any namespace other than prod`, `all namespaces except shop and pay`: told, never taken."""
    words = [token.lower for token in tokens[position + 1 : position + 3]]
    used = 2 if words in (["other", "than"], ["apart", "from"], ["aside", "from"]) else 0
    if not used and words and words[0] in {"except", "excluding", "besides"}:
        used = 1
    if words and words[0] == "but" and position and tokens[position - 1].lower in WHOLE:
        used = 1
    place = position + used + 1
    if not used or place >= len(tokens) or not _is_named(tokens[place]):
        return [], set()
    if any(token.ends_clause for token in tokens[position + 1 : place]):
        return [], set()
    places = _listed(tokens, position, place, kind="namespace", several=True)
    clues = [
        replace(
            _clue("namespace", "", tokens[at].text, tokens[join], tokens[at], why=DENIED),
            start=tokens[position if at == place else join].start,
            left_out=True,
        )
        for join, at in places
    ]
    return clues, {*range(position, place), *(each for pair in places for each in pair)}


def _before(
    tokens: Sequence[Token], position: int, kind: ClueKind, of: str
) -> tuple[list[Clue], set[int]]:
    """`in the prod namespace`, `the web-app deployment`."""
    if position == 0 or tokens[position - 1].ends_clause:
        return [], set()
    token = tokens[position - 1]
    if kind == "namespace" and tokens[position].lower in _SEVERAL and _is_name(token.text):
        places = names_before(tokens, position - 1, is_name=_is_named)
        if len(places) > 1:
            return _all_before(tokens, places, position)
    introduced = position > 1 and tokens[position - 2].lower in _INTRODUCE
    if not _is_name(token.text) or not (introduced or "-" in token.text):
        return [], set()
    if kind not in {"namespace", "owner"} and "-" not in token.text:
        # "the failing pod", "the other node": only what looks like a name is one.
        return [], set()
    why = f"before {tokens[position].text!r}"
    names = kind == "namespace" or _looks_made(token.text)
    clue = _clue(kind, of, token.text, token, tokens[position], why=why, names=names)
    return [clue], {position}


def _all_before(
    tokens: Sequence[Token], places: Sequence[int], position: int
) -> tuple[list[Clue], set[int]]:
    """`in the prod and staging namespaces`: all of them, or none where nothing introduces them."""
    introduced = places[0] > 0 and tokens[places[0] - 1].lower in {*_INTRODUCE, *_PLACED}
    if not introduced and not all(_looks_made(tokens[place].text) for place in places):
        return [], {position}
    why = f"one of a list before {tokens[position].text!r}"
    # Each reaches to where the next begins: what joins them says nothing without them.
    ends = (*(place - 1 for place in places[1:]), position)
    return [
        _clue("namespace", "", tokens[place].text, tokens[place], tokens[end], why=why)
        for place, end in zip(places, ends, strict=True)
    ], {position}


def _listed(
    tokens: Sequence[Token], position: int, place: int, *, kind: ClueKind, several: bool
) -> list[tuple[int, int]]:
    """The name at this place and those that are listed with it.

    Plain words are taken for further names of namespaces only, and after `namespace` only where
    the clause ends with them: not in `namespace prod and postgres is slow`.
    """
    if tokens[position].text.startswith("-"):
        return [(place, place)]
    plain = kind == "namespace"
    found = names_from(
        tokens, place, is_name=lambda t: _is_named(t) and (plain or _looks_made(t.text))
    )
    last = found[-1][1]
    ends = last + 1 == len(tokens) or tokens[last].ends_clause
    made = all(_looks_made(tokens[at].text) for _, at in found[1:])
    goes_on = several and tokens[min(last + 1, len(tokens) - 1)].lower in _FOLLOWS | _NO_NAMES
    placed = several and _is_placed(tokens, position) and position > 0
    return found if ends or made or goes_on or placed else found[:1]


def _is_placed(tokens: Sequence[Token], position: int) -> bool:
    """Whether names may follow: `in namespaces`, `except the namespaces`, at the beginning."""
    before = tokens[position - 1].lower if position else ""
    if before in {"the", "my", "our", "both"}:
        before = tokens[position - 2].lower if position > 1 else ""
        return before in _PLACED
    return position == 0 or before in _PLACED


def _is_named(token: Token) -> bool:
    return _is_name(token.text) and token.lower not in KINDS


def _may_stand(tokens: Sequence[Token], position: int, place: int, kind: ClueKind) -> bool:
    """Whether a plain word may be a name: `in namespace prod`, `container app has`.

    Not in `the service exists but`, `namespace hangs in`: the word would be a verb.
    """
    if kind == "namespace":
        before = tokens[position - 1].lower if position else ""
        if before == "but":
            return position > 1 and tokens[position - 2].lower in WHOLE
        return before in _WITHIN or before in {"the", "my", "our"} or before in _DENYING
    if tokens[place].ends_clause or place + 1 == len(tokens):
        return position > 0 and tokens[position - 1].lower in {"the", "my", "our", *_WITHIN}
    return tokens[place + 1].lower in _FOLLOWS


def _looks_made(text: str) -> bool:
    """Whether nobody would write such a word but as a name."""
    return "-" in text or any(each.isdigit() for each in text)


def _labels(tokens: Sequence[Token], position: int) -> tuple[list[Clue], set[int]]:
    clues: list[Clue] = []
    used = {position}
    for place in range(position + 1, min(position + 6, len(tokens))):
        token = tokens[place]
        if match := _label_in(token):
            clues.append(_label(match, token, why=f"after {tokens[position].text!r}"))
            used.add(place)
        elif token.lower not in _FILLERS and token.lower != "and":
            break
    return (clues, used) if clues else ([], set())


def _by_shape(token: Token) -> Iterator[Clue]:
    """What no word introduces and still can be nothing else."""
    match = _label_in(token)
    if match and not match["key"].isupper() and match["key"] == match["key"].lower():
        yield _label(match, token, why="it looks like key=value")
    elif _OF_REPLICA_SET.fullmatch(token.text) and any(c.isdigit() for c in token.text):
        yield _clue("pod", "", token.text, token, token, why="it looks like a Pod's name")


def _label_in(token: Token) -> re.Match[str] | None:
    """The label that this word is; `password=...` is a secret that somebody pasted."""
    match = _LABEL.fullmatch(token.text)
    return None if match is None or kind_beside(match["key"], match["value"]) else match


def _label(match: re.Match[str], token: Token, *, why: str) -> Clue:
    value = f"{match['key']}={match['value']}"
    return Clue(kind="label", value=value, start=token.start, end=token.end, why=why, names=True)


def _clue(
    kind: ClueKind,
    of: str,
    name: str,
    first: Token,
    last: Token,
    *,
    why: str,
    names: bool = True,
) -> Clue:
    value = f"{of}/{name}" if of else name
    return Clue(kind=kind, value=value, start=first.start, end=last.end, why=why, names=names)


def _is_name(text: str) -> bool:
    return text not in _NO_NAMES and _NAME.fullmatch(text) is not None
