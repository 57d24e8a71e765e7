"""Variables that begin as ours do and are no setting: told once, so that a misspelt one is seen.

It is never a failure, because other programs may share the prefix. Kubernetes does: it tells every
Pod where each Service is, and one named `kausa` makes KAUSA_SERVICE_HOST and its like. Those are
known by their form and are not told.

Values are never shown: whoever misspells KAUSA_MODEL_KEY has put a secret there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kausa.settings.settings import Settings

__all__ = ["MOST_TOLD", "Unknown", "find_unknown"]

MOST_TOLD: Final = 8
"""Names that are told; the others are counted."""
_PREFIX: Final = "KAUSA_"
_LONGEST_SHOWN: Final = 64
_LONGEST_READ: Final = 256
"""No setting, and no variable of a Service, has a longer name."""
_NEAR: Final = 0.75
"""Of `difflib`, without the prefix: one or two letters of a short name may be wrong."""

_ELSEWHERE: Final = frozenset({"KAUSA_CACHE"})
"""Read where a default is found out (`surroundings.py`)."""
_OF_THE_WORKER: Final = """
    BACKEND BATCH_TEXTS BATCH_TOKENS CACHE CACHE_BYTES CONNECTION_SECONDS DEBUG_ENDPOINTS
    DEFAULT_DEADLINE_SECONDS DOWNLOAD DRAIN_NOTICE_SECONDS DRAIN_SECONDS HOST LOG_FORMAT LOG_LEVEL
    LONGEST_DEADLINE_SECONDS MAX_BODY_BYTES MAX_BYTES MAX_REQUESTS MAX_TEXTS MODEL MODEL_PATH PORT
    PROVIDER PROVIDER_FALLBACK QUEUE_TOKENS RERANKER RERANKER_PATH STREAM_IDLE_SECONDS STREAM_TEXTS
    THREADS TLS_CERT_FILE TLS_KEY_FILE TOKEN TOKEN_CACHE_BYTES TOKEN_FILE
"""
_EMBEDDER: Final = frozenset(f"KAUSA_EMBEDDER_{name}" for name in _OF_THE_WORKER.split())
"""A shell may hold the worker's as well. Its package, which knows them, is not in every image."""
_TOOLS: Final = (
    *("KAUSA_TEST_", "KAUSA_DEMO_", "KAUSA_LOCAL_CLUSTER_"),
    *("KAUSA_CLUSTER_BIN", "KAUSA_MODEL_THREADS"),
)
"""How the names begin that tests and tools of this repository read."""

_OF_A_SERVICE: Final = re.compile(
    r"KAUSA(?:_[A-Z0-9_]+)?_"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|"
    r"PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_PORT_OF_A_SERVICE: Final = re.compile(r"KAUSA(?:_[A-Z0-9_]+)?_PORT")
_ADDRESS: Final = re.compile(r"(?:tcp|udp|sctp)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The variables that are no setting."""

    told: tuple[str, ...]
    """Their names, each with the setting that was probably meant; at most `MOST_TOLD`."""
    more: int = 0
    """How many others there are."""

    def __str__(self) -> str:
        names = ", ".join(self.told) + (f" and {self.more} more" if self.more else "")
        one = len(self.told) == 1 and not self.more
        it = "it" if one else "them"
        what = "is no setting of Kausa, so it changes" if one else "are no settings, so they change"
        return (
            f"{names} {what} nothing. Correct or unset {it}; docs/configure.md lists every "
            f"setting. Leave {it} where another program reads {it}."
        )


def find_unknown(environment: Mapping[str, str]) -> Unknown | None:
    """Return what is to be told of these variables; None where all that are ours are known."""
    settings = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    known = settings | _ELSEWHERE | _EMBEDDER
    names = sorted(
        name
        for name, value in environment.items()
        if name.upper().startswith(_PREFIX)
        and name.upper() not in known
        and not name.startswith(_TOOLS)
        and not _is_of_a_service(name, value)
    )
    if not names:
        return None
    told = tuple(_shown(name, among=known) for name in names[:MOST_TOLD])
    return Unknown(told=told, more=len(names) - len(told))


def _is_of_a_service(name: str, value: str) -> bool:
    """Whether Kubernetes set it. A name that only ends in _PORT may be anybody's: there the value
    tells, which is an address and no number.
    """
    if len(name) > _LONGEST_READ:
        return False
    if _OF_A_SERVICE.fullmatch(name):
        return True
    return bool(_PORT_OF_A_SERVICE.fullmatch(name) and _ADDRESS.match(value))


def _shown(name: str, *, among: set[str]) -> str:
    printable = "".join(each if each.isascii() and each.isprintable() else "?" for each in name)
    if len(printable) > _LONGEST_SHOWN:
        return printable[:_LONGEST_SHOWN] + "..."
    # Without the prefix, which all have in common and which would make any two names alike.
    bare = {each.removeprefix(_PREFIX) for each in among}
    near = difflib.get_close_matches(
        printable[len(_PREFIX) :].upper(), sorted(bare), n=1, cutoff=_NEAR
    )
    return f"{printable} (did you mean {_PREFIX}{near[0]}?)" if near else printable
