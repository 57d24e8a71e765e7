"""Which proposed commands a person may be shown: one plain kubectl call that asks or repairs.

A model that read a hostile log line may propose what that line wants. Nothing here runs a command,
but people paste. So everything is a closed list: the verbs, the options of each, and the objects
that a repair may touch, one at a time. What would create, patch, delete or read a file, a foreign
address or a Secret isn't on it; whoever needs that writes it without our help. What was refused for
what it would do takes the fix along that it belongs to: its title proposes the same in words.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

__all__ = ["Call", "Refused", "call_of", "refusal", "refused"]

_MAX_LENGTH: Final = 400


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """The options of one verb: those that take a value, and switches."""

    valued: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()
    subcommands: frozenset[str] = frozenset()
    repairs: bool = False


_GLOBAL: Final = _words("-n --namespace")
_LISTING: Final = _words("-l --selector --field-selector --sort-by -L --label-columns")
_WATCHING: Final = _words("-A --all-namespaces --no-headers --show-labels -w --watch")
_VERBS: Final = {
    "get": _Verb(valued=_LISTING | _words("-o --output"), switches=_WATCHING),
    "describe": _Verb(
        valued=_words("-l --selector"), switches=_words("-A --all-namespaces --show-events")
    ),
    "logs": _Verb(
        valued=_words("-c --container -l --selector --limit-bytes --since --since-time --tail"),
        switches=_words("--all-containers --follow -p --previous --prefix --timestamps"),
    ),
    "events": _Verb(
        valued=_words("--for --types -o --output"),
        switches=_words("-A --all-namespaces --no-headers -w --watch"),
    ),
    "top": _Verb(
        valued=_LISTING,
        switches=_words("-A --all-namespaces --containers --no-headers --sum"),
        subcommands=_words("node nodes no pod pods po"),
    ),
    "explain": _Verb(valued=_words("--api-version"), switches=_words("--recursive")),
    "rollout": _Verb(
        valued=_words("--revision --timeout --to-revision"),
        switches=_words("-w --watch --dry-run"),
        subcommands=_words("history restart status undo"),
        repairs=True,
    ),
    "scale": _Verb(
        valued=_words("--current-replicas --replicas --timeout"),
        switches=_words("--dry-run"),
        repairs=True,
    ),
    "set": _Verb(
        valued=_words("-c --containers --limits --requests"),
        switches=_words("--dry-run"),
        subcommands=_words("image resources"),
        repairs=True,
    ),
}
_ROLLED: Final = _words(
    "daemonset daemonsets deploy deployment deployments ds statefulset statefulsets sts"
)
_SCALED: Final = _words(
    "deploy deployment deployments replicaset replicasets replicationcontroller "
    "replicationcontrollers rc rs statefulset statefulsets sts"
)
_TEMPLATED: Final = _ROLLED | _SCALED | _words("cj cronjob cronjobs po pod pods")
_WORKLOADS: Final = {"rollout": _ROLLED, "scale": _SCALED, "set": _TEMPLATED}
"""The kinds that kubectl does it to."""
# A template may not come from a file, and may only show what the verb may.
_OUTPUT: Final = re.compile(r"(?:json|name|wide|yaml)|(?:custom-columns|jsonpath)=.+", re.DOTALL)
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_IMAGE: Final = re.compile(r"[a-z0-9][-a-z0-9]{0,62}=[A-Za-z0-9][A-Za-z0-9._/:@-]*")
# Quotes may hold braces and brackets (a jsonpath), but nothing that a shell expands there.
_SHELL: Final = re.compile(r"[;&|<>`\\$!]")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_SHELL_UNQUOTED: Final = re.compile(r"[(){}\[\]*?~#^]")
_PLACEHOLDER: Final = re.compile(r"<[A-Za-z](?:[\w -]{0,40}[A-Za-z0-9])?>")
_MANY_LOGS: Final = 2
_SECRET: Final = re.compile(r"secrets?(?:[./].*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command that is on the list, taken apart."""

    verb: str
    subcommand: str = ""
    objects: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    switches: tuple[str, ...] = ()


def call_of(command: str) -> Call:
    """Take a command apart that `refusal` has nothing against."""
    words = shlex.split(command)[1:]
    name = words.pop(_verb_at(words))
    verb = _VERBS[name]
    parsed = _parse(words, verb)
    objects, options = parsed if parsed is not None else ([], [])
    return Call(
        verb=name,
        subcommand=objects.pop(0) if verb.subcommands and objects else "",
        objects=tuple(objects),
        options=tuple(options),
        switches=tuple(each for word in words if (each := word.split("=")[0]) in verb.switches),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a command can't be shown."""

    why: str
    spoils: bool
    """Whether it would do what nobody may be told to do, in words neither. False where it would
    only look, and is badly written."""


def refusal(command: str) -> str | None:
    """Return why the command can't be shown, or None if it can."""
    found = refused(command)
    return found.why if found is not None else None


def refused(command: str) -> Refused | None:
    """As `refusal`, with what the reason means for the fix that it belongs to."""
    bare = _PLACEHOLDER.sub("x", command)
    if len(command) > _MAX_LENGTH:
        return Refused(why="it is too long", spoils=True)
    if not (command.isascii() and command.isprintable()):
        return Refused(why="it has characters that a command doesn't need", spoils=True)
    if _SHELL.search(bare) or _SHELL_UNQUOTED.search(_QUOTED.sub("", bare)):
        return Refused(why="it has shell operators", spoils=True)
    try:
        words = shlex.split(bare)
    except ValueError:
        return Refused(why="its quotes are not closed", spoils=not _only_looks(bare.split()))
    if not words or words[0] != "kubectl":
        return Refused(why="it is no kubectl command", spoils=True)
    if any("://" in word for word in words):
        return Refused(why="it holds an address", spoils=True)
    if bare != command:
        why: str | None = "it leaves a name to be filled in"
    else:
        why = _refused_call(words[1:])
    return Refused(why=why, spoils=not _only_looks(words)) if why is not None else None


def _only_looks(words: list[str]) -> bool:
    """Whether the verb is one that changes nothing."""
    rest = words[1:]
    position = _verb_at(rest)
    name, *below = rest[position : position + 2] or [""]
    verb = _VERBS.get(name)
    return verb is not None and (not verb.repairs or below in (["history"], ["status"]))


def _refused_call(words: list[str]) -> str | None:
    position = _verb_at(words)
    if position >= len(words) or words[position] not in _VERBS:
        return "its verb is not on the list"
    name = words.pop(position)
    verb = _VERBS[name]
    parsed = _parse(words, verb)
    if parsed is None:
        return "one of its options is not on the list"
    objects, options = parsed
    if verb.subcommands:
        if not objects or objects[0] not in verb.subcommands:
            return f"it is no {name} of the list"
        name = f"{name} {objects.pop(0)}"
    outputs = [value for option, value in options if option in ("-o", "--output")]
    if any(not _OUTPUT.fullmatch(output) for output in outputs):
        return "its output is not on the list"
    if _names_secret(objects):
        exists = name == "get" and _is_one_object(objects) and outputs == ["name"]
        return None if exists else "it is about a Secret"
    if name == "logs" and len(objects) > _MANY_LOGS:
        return "logs are of one Pod and one container"
    return _refused_repair(name, objects) if verb.repairs else None


def _verb_at(words: list[str]) -> int:
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 1 if "=" in words[position] else 2
    return position


def _parse(words: list[str], verb: _Verb) -> tuple[list[str], list[tuple[str, str]]] | None:
    """Tell the objects from the options; None if an option isn't on the list."""
    objects: list[str] = []
    options: list[tuple[str, str]] = []
    valued = verb.valued | _GLOBAL
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            objects.append(word)
            continue
        option, equals, value = word.partition("=")
        if not equals and not option.startswith("--") and option[:2] in valued and option[2:]:
            option, equals, value = option[:2], "=", option[2:]  # -oyaml
        elif equals and not option.startswith("--") and len(option) > 2:
            option, value = option[:2], word[2:]  # -ojsonpath=...
        if option in valued:
            if not equals:
                value = next(rest, "-")
                if value.startswith("-"):
                    return None
            options.append((option, value))
        elif option not in verb.switches:
            return None
    return objects, options


def _names_secret(objects: list[str]) -> bool:
    return any(_SECRET.fullmatch(part) for word in objects for part in word.split(","))


def _is_one_object(objects: list[str]) -> bool:
    """Whether one object is named: `deployment/api` or `deployment api`."""
    parts = objects[0].split("/") if len(objects) == 1 else objects
    return len(parts) == 2 and _NAME.fullmatch(parts[1]) is not None and "/" not in parts[0]


def _refused_repair(name: str, objects: list[str]) -> str | None:
    if name == "set image":
        images = [word for word in objects if "=" in word]
        objects = [word for word in objects if "=" not in word]
        if not images or not all(_IMAGE.fullmatch(image) for image in images):
            return "it sets no image"
    if not _is_one_object(objects):
        return "it does not name one object"
    kind = objects[0].split("/")[0].split(".")[0].lower()
    return None if kind in _WORKLOADS[name.split()[0]] else "it changes no workload of that kind"
