"""Which proposed commands a person may be shown: one plain kubectl call that asks or repairs.

A model that read a hostile log line may propose what that line wants. Nothing here runs a command,
but people paste: so only known verbs pass, nothing that a shell would take apart, nothing that
deletes, opens a shell in a container or reads credentials.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

__all__ = ["refusal"]

_MAX_LENGTH: Final = 400
_VERBS: Final = frozenset(
    {
        *("annotate", "autoscale", "cordon", "create", "describe", "edit", "events", "explain"),
        *("get", "label", "logs", "patch", "rollout", "scale", "set", "top", "uncordon"),
    }
)
_READS: Final = frozenset({"describe", "edit", "get"})
_SUBCOMMANDS: Final = {
    "rollout": frozenset({"history", "pause", "restart", "resume", "status", "undo"}),
    "set": frozenset({"env", "image", "resources", "selector", "serviceaccount"}),
}
_ROUTES: Final = frozenset(
    {
        *("--as", "--as-group", "--as-uid", "--certificate-authority", "--client-certificate"),
        *("--client-key", "--insecure-skip-tls-verify", "--kubeconfig", "--password", "--raw"),
        *("--server", "--tls-server-name", "--token", "--user", "--username", "-s"),
    }
)
# Quotes may hold braces and brackets (a patch, a jsonpath), but nothing that a shell expands there.
_SHELL: Final = re.compile(r"[;&|<>`\\\n\r\x00-\x1f\x7f]|\$")
_UNQUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_SHELL_UNQUOTED: Final = re.compile(r"[(){}*?!~#]")
_SECRET: Final = re.compile(r"secrets?(?:[./,].*)?", re.IGNORECASE)


def refusal(command: str) -> str | None:
    """Return why the command can't be shown, or None if it can."""
    if len(command) > _MAX_LENGTH:
        return "it is too long"
    if _SHELL.search(command) or _SHELL_UNQUOTED.search(_UNQUOTED.sub("", command)):
        return "it has shell operators"
    try:
        words = shlex.split(command)
    except ValueError:
        return "its quotes are not closed"
    if not words or words[0] != "kubectl":
        return "it is no kubectl command"
    if any(word.split("=", 1)[0] in _ROUTES or word.startswith("-s") for word in words[1:]):
        return "it chooses a server or an identity"
    return _refused_verb(_positional(words[1:]))


def _positional(words: list[str]) -> list[str]:
    """Leave out the options in front of the verb: `kubectl -n shop get pods`."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 1 if "=" in words[position] else 2
    return words[position:]


def _refused_verb(words: list[str]) -> str | None:
    if not words or words[0] not in _VERBS:
        return "its verb is not on the list"
    verb, rest = words[0], words[1:]
    allowed = _SUBCOMMANDS.get(verb)
    if allowed is not None and not (rest and rest[0] in allowed):
        return f"it is no {verb} of the list"
    reads_secret = any(_SECRET.fullmatch(part) for word in rest for part in word.split(","))
    if verb in _READS and reads_secret:
        return "it shows a Secret"
    if verb == "create" and rest[:1] == ["token"]:
        return "it shows a credential"
    return None
