"""What was done to a workload, as single deeds: scaled to 3, image X for container api, undone.

Read from what Kausa wrote itself (a change with its path, a counted resolution) and, of what a
person wrote, only from clauses whose every word is understood: "the restart loop ended when alice
scaled cart to 3" is no restart, and no scaling of anything but cart. What isn't understood bears
nothing, so an honest sentence in other words is lost; a wrong deed would be a wrong command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Deed", "changed_from", "deeds_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that was done."""

    action: str
    """`scale`, `restart`, `undo`, `image`, `limits`, `requests`, or `resources` for either."""
    value: str = ""
    """The number of replicas, the image or the amount."""
    container: str = ""
    """Empty where none is named."""
    resource: str = ""
    """`memory`, `cpu`; for amounts only."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FIELD: Final = re.compile(
    r"(?:\S*\.)?containers\[(?P<container>[^\]]+)\]\.(?:(?P<image>image)"
    r"|resources\.(?P<part>limits|requests)[.\[](?P<resource>[a-z-]+)\]?)"
)
_COUNTED: Final = re.compile(
    r"(?P<field>[^\s:]+)(?:: (?P<old>\S+) -> (?P<new>\S+)| added: (?P<added>\S+)| removed: \S+)"
)
_BEFORE: Final = re.compile(r".* was changed from (?P<old>\S+) to \S+(?: at .*| \[E\d+\])?", re.S)
_SCALED: Final = re.compile(r"\S+ \S+ was scaled from (?P<old>\d+) to \d+ replicas\b.*", re.S)
_RESTARTED: Final = "metadata.annotations[kubectl.kubernetes.io/restartedAt]"
_QUOTED: Final = re.compile(r"(?<!\w)'[^']*'|\"[^\"]*\"")
_SENTENCE: Final = re.compile(r"[;\n]+|[.!?](?:\s+|$)")
_CLAUSE: Final = re.compile(
    r",|\b(?:and|but|then|when|after|once|because|until|while|so|since|before|by|which|as)\b", re.I
)
_DENIED: Final = re.compile(
    r"\b(?:not?|never|nothing|nobody|none|without|instead|cannot|neither|nor|failed|fails|worse|"
    r"useless|vain|in order)\b|n't\b",
    re.I,
)
_ONE_WORD: Final = (
    (
        re.compile(r"\broll(?:ed|ing)?[ -]?back\b|\brollout undo\b|\bundid\b|\bundone\b", re.I),
        "undo",
    ),
    (re.compile(r"\bwent back to (?=revision\b)", re.I), "undo to "),
    (re.compile(r"\brollout restart\b", re.I), "restart"),
)
_ACTIONS: Final = {
    **dict.fromkeys(("scale", "scaled", "scaling"), "scale"),
    **dict.fromkeys(("restart", "restarted", "restarting"), "restart"),
    **dict.fromkeys(("undo", "undoing", "revert", "reverted", "reverting"), "undo"),
    **dict.fromkeys(
        _words("set setting changed changing raised raising raise increased increasing increase "
               "lowered lowering reduced reducing updated upgraded corrected pinned switched"),
        "set",
    ),
}  # fmt: skip
_AUXILIARIES: Final = _words("was were is are been be being has have had got")
_OURS: Final = _words(
    "the a an its our this whole it them all workload deployment statefulset daemonset replicaset "
    "pod pods application app rollout release revision version change changes previous last "
    "former old older again manually up out back"
)
_THEMES: Final = {
    "memory": "resources", "cpu": "resources", "ephemeral-storage": "resources",
    "image": "image", "replica": "scale", "replicas": "scale",
}  # fmt: skip
_AROUND: Final = _words("limit limits request requests of for container containers in number count")
_IMAGE: Final = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]*[:/@][A-Za-z0-9._/:@-]+")
_COUNT: Final = re.compile(r"\d{1,7}")
_AMOUNT: Final = re.compile(r"\d+(?:\.\d+)?(?:[KMGT]i|[kMGTm])?")
_TRIM: Final = "\"'`()[]{}<>,;.!?"


def deeds_of(text: str, *, target: str, containers: Iterable[str]) -> Iterator[Deed]:
    """Yield what the text says was done to `Kind/name` or to what it only calls the workload."""
    counted = [found for each in text.split("; ") if (found := _COUNTED.fullmatch(each.strip()))]
    if counted:
        # Kausa wrote it; whatever else stands in it is a value.
        for found in counted:
            yield from _of_field(found["field"], found["new"] or found["added"] or "")
        return
    ours = _OURS | {target.partition("/")[2].casefold(), target.casefold()}
    known = frozenset(each.casefold() for each in containers)
    for plain in _SENTENCE.split(_QUOTED.sub(" '' ", text)):
        if _DENIED.search(plain):
            continue
        for pattern, word in _ONE_WORD:
            plain = pattern.sub(word, plain)
        for clause in _CLAUSE.split(plain):
            words = [word for each in clause.split() if (word := each.strip(_TRIM))]
            deed = _deed(words, ours=ours, containers=known)
            if deed is not None:
                yield deed


def changed_from(source: str, text: str, *, target: str) -> Iterator[Deed]:
    """Yield what sets a change back that Kausa saw: `source` names the object and its field."""
    thing, _, field = source.partition(" ")
    if thing != target:
        return
    if field == "spec.replicas":
        if found := _SCALED.fullmatch(text):
            yield Deed(action="scale", value=found["old"])
    elif found := _BEFORE.fullmatch(text):
        yield from _of_field(field, found["old"])


def _of_field(field: str, value: str) -> Iterator[Deed]:
    if field.endswith(_RESTARTED) and value:
        yield Deed(action="restart")
    elif field in ("replicas", "spec.replicas") and value:
        yield Deed(action="scale", value=value)
    elif value and (found := _FIELD.fullmatch(field)):
        yield Deed(
            action=found["part"] or "image",
            value=value,
            container=found["container"],
            resource=found["resource"] or "",
        )


def _deed(words: list[str], *, ours: frozenset[str], containers: frozenset[str]) -> Deed | None:
    """The one thing that a clause tells; None where a word of it is not understood."""
    lower = [word.casefold() for word in words]
    place = next((at for at, word in enumerate(lower) if word in _ACTIONS), None)
    if place is None:
        return None
    action, before, after = _ACTIONS[lower[place]], lower[:place], lower[place + 1 :]
    passive = bool(set(before) & _AUXILIARIES) or bool(set(before) & _THEMES.keys())
    subject = [word for word in before if word not in _AUXILIARIES]
    if action in ("undo", "restart"):
        value, rest = "", [word for word in after if word not in ("to", "from")]
        told = [word for word in rest if not word.isdigit()]
    else:
        value, rest = _value(words[place + 1 :])
        told = [word.casefold() for word in rest]
    if not told and action == "restart" and before and not passive:
        return None  # "the container restarted" is what was seen, and no repair.
    if passive or not told:
        told += subject
    if action in ("undo", "restart"):
        return Deed(action=action) if set(told) <= ours else None
    return _valued(action, value, told, ours=ours, containers=containers)


def _value(words: list[str]) -> tuple[str, list[str]]:
    """Tell what it was set to from the other words; empty where that is not said."""
    places = [at for at, word in enumerate(words) if word.casefold() == "to"]
    if not places or places[-1] + 1 >= len(words):
        return "", words
    at = places[-1]
    rest = [*words[:at], *words[at + 2 :]]
    if "from" in rest and rest.index("from") + 1 < len(rest):
        old = rest.index("from")
        rest = [*rest[:old], *rest[old + 2 :]]
    return words[at + 1], rest


def _valued(
    action: str, value: str, told: list[str], *, ours: frozenset[str], containers: frozenset[str]
) -> Deed | None:
    themes = {_THEMES[word] for word in told if word in _THEMES}
    resources = [word for word in told if _THEMES.get(word) == "resources"]
    if not value or len(themes | ({action} - {"set"})) != 1 or len(resources) > 1:
        return None
    kind = next(iter(themes), action)
    named = [word for word in told if word in containers and word not in ours]
    unknown = set(told) - ours - containers - _AROUND - _THEMES.keys()
    fits = {"scale": _COUNT, "image": _IMAGE, "resources": _AMOUNT}[kind].fullmatch(value)
    if unknown or fits is None or len(set(named)) > 1 or (kind == "scale" and named):
        return None
    if kind == "resources":
        parts = {word.rstrip("s") for word in told if word.rstrip("s") in ("limit", "request")}
        kind = f"{parts.pop()}s" if len(parts) == 1 else kind
    return Deed(
        action=kind,
        value=value,
        container=named[0] if named else "",
        resource=resources[0] if resources else "",
    )
