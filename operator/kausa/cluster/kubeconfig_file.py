"""Which kubeconfig files there are, what each says, and how kubectl makes one of several.

Nothing here ever quotes a file in a message: what is malformed may be the line with the token.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import yaml

from kausa.cluster.errors import KubeconfigError

__all__ = ["Cluster", "Context", "Kubeconfig", "User", "find_kubeconfig", "read_kubeconfig"]

T = TypeVar("T")


class Cluster(msgspec.Struct, rename="kebab"):
    """An API server."""

    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = None


class User(msgspec.Struct, rename="kebab"):
    """How to log in."""

    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    username: str | None = None
    password: str | None = None
    exec: dict[str, Any] | None = None
    auth_provider: dict[str, Any] | None = None


class Context(msgspec.Struct):
    """A cluster, who one is there, and the namespace that is meant where none is named."""

    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: User | None = None


class _NamedContext(msgspec.Struct):
    name: str
    context: Context


class _File(msgspec.Struct, rename="kebab"):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current_context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[T]):
    """Something named in a kubeconfig, and the file that names it."""

    value: T
    file: Path


@dataclass(slots=True, kw_only=True)
class Kubeconfig:
    """What all files say together: for each name, the first that has it."""

    shown: str
    clusters: dict[str, Entry[Cluster]] = field(default_factory=dict)
    users: dict[str, Entry[User]] = field(default_factory=dict)
    contexts: dict[str, Entry[Context]] = field(default_factory=dict)
    current_context: str | None = None

    def pick(self, name: str, entries: Mapping[str, Entry[T]], *, what: str) -> Entry[T]:
        """The entry of that name.

        Raises:
            KubeconfigError: there is none; the message says which there are.
        """
        if name not in entries:
            known = ", ".join(sorted(entries)) or "none"
            raise KubeconfigError(f"{self.shown} has no {what} {name!r}; it has: {known}.")
        return entries[name]


def find_kubeconfig(*, named: Path | None) -> tuple[Path, ...] | None:
    """What to read: the named file alone, all that exist of $KUBECONFIG, or ~/.kube/config."""
    if named is not None:
        return (named,)
    parts = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    listed = tuple(_at_home(Path(part)) for part in parts if part)
    if listed:
        return tuple(path for path in listed if os.path.exists(path)) or listed[:1]
    home = _at_home(Path("~/.kube/config"))
    return (home,) if os.path.exists(home) else None


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # a user without a home, as some images have
        return path


def read_kubeconfig(files: Sequence[Path]) -> Kubeconfig:
    """All files as one.

    Raises:
        KubeconfigError: a file is missing or malformed.
    """
    merged = Kubeconfig(shown=os.pathsep.join(str(file) for file in files))
    for file in files:
        read = _parse(file)
        for cluster in read.clusters or ():
            merged.clusters.setdefault(cluster.name, Entry(value=cluster.cluster, file=file))
        for user in read.users or ():
            merged.users.setdefault(user.name, Entry(value=user.user or User(), file=file))
        for context in read.contexts or ():
            merged.contexts.setdefault(context.name, Entry(value=context.context, file=file))
        merged.current_context = merged.current_context or read.current_context
    return merged


def _parse(path: Path) -> _File:
    # Always `from None`: the errors below quote the file, and a traceback would show them.
    try:
        return msgspec.convert(yaml.safe_load(path.read_text("utf-8")) or {}, _File)
    except OSError as error:
        raise KubeconfigError(
            f"The kubeconfig {path} cannot be read ({error.strerror}). "
            "Name another with --kubeconfig or KUBECONFIG."
        ) from None
    except msgspec.ValidationError as error:
        # Its text is made of types and paths, never of values.
        raise KubeconfigError(
            f"The kubeconfig {path} does not have the shape of one ({error}). "
            "Nothing was started; compare it with `kubectl config view`."
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise KubeconfigError(
            f"The kubeconfig {path} is not YAML ({_where(error)}). "
            "Nothing was started; mend the file."
        ) from None


def _where(error: Exception) -> str:
    """The place and the problem, up to where PyYAML begins to quote what stands there."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = re.split("['\"]", error.problem or "")[0].strip(" ,:")
        return f"line {mark.line + 1}, column {mark.column + 1}: {problem or 'malformed'}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"a character that YAML does not allow, at position {error.position}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return "a value that YAML cannot read"
