"""A line of the Pods' watch, decoded without going over what nobody reads and what is known.

Of a Pod's 7.6 KB, 3 KB are `managedFields` that no field of ours is read from, and another 3 KB are
a spec that is the same in all changes of that Pod. Even to skip such bytes a parser looks at each
of them. So both are cut out of the line first, by searching and comparing bytes, which takes a
tenth of the time; the specs of the Pods that changed last are kept, as bytes and decoded.

What comes out is what decoding the whole line gives, as long as it is JSON:

- A quote inside of a JSON string is escaped, so `,"managedFields":[` can only be a key and the
  beginning of its value. The first `]` after it ends that value, unless it stands in a string or
  ends an array inside; then what is left has an odd number of quotes, or of brackets, and is no
  JSON. Nothing of ours is read from a key of this name.
- The spec is cut out where it is plausible, and `{"nodeName":"\\u0000"}` is put in its place: no
  Kubernetes name is that. Where the decoded Pod has it as its spec, it stood in the right place;
  and what was cut out is one JSON value, because it was decoded by itself.

Whatever does not fit (a Pod without managedFields, keys in another order, spaces between them) is
decoded whole.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
from msgspec.structs import force_setattr

from kausa.cluster.objects import Pod, PodSpec

__all__ = ["Line", "PodLines"]

MOST_SPEC_BYTES = 2 * 1024 * 1024
"""Of the specs that are kept there are twice as many at most: those of some 1,500 Pods."""
_MANAGED = b',"managedFields":['
_SPEC = b'},"spec":'
_SPEC_BEGINS = _SPEC + b"{"
_STATUS_BEGINS = b'},"status":{'
_UID = b'"uid":"'
_UID_LENGTH = 36
_MARK = "\0"
_MARKED = b'{"nodeName":"\\u0000"}'

T = TypeVar("T")


class Line(msgspec.Struct, Generic[T], gc=False):
    """A change, as a watch tells it."""

    type: str
    object: T


class PodLines:
    """Decodes the lines of one stream of Pods."""

    def __init__(self) -> None:
        self._lines = msgspec.json.Decoder(Line[Pod])
        self._specs = msgspec.json.Decoder(PodSpec)
        # Two dictionaries: the older one is let go as a whole, which keeps no order and no age.
        self._newer: dict[bytes, tuple[bytes, PodSpec]] = {}
        self._older: dict[bytes, tuple[bytes, PodSpec]] = {}
        self._newer_bytes = 0

    def decode(self, line: bytes) -> Line[Pod]:
        """The change in a line.

        Raises:
            msgspec.MsgspecError, UnicodeDecodeError, RecursionError: it is none.
        """
        managed = line.find(_MANAGED)
        if managed >= 0:
            try:
                found = self._decode_cut(line, managed)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                found = None
            if found is not None:
                return found
        return self._lines.decode(line)

    def _decode_cut(self, line: bytes, managed: int) -> Line[Pod] | None:
        """The same, with less work; None, or any error, where that cannot be done."""
        after = line.find(b"]", managed) + 1
        at = line.find(_SPEC_BEGINS, after)
        if not after or at < 0:
            return None
        begin = at + len(_SPEC)
        # What the key is does not matter as long as each Pod has another: the specs are compared.
        # Go writes a Pod's uid before those of its owners, a sorted object behind them.
        uid = line.find(_UID, 0, managed) if at == after else line.rfind(_UID, after, at)
        uid += len(_UID)
        key = line[uid : uid + _UID_LENGTH]
        known = self._newer.get(key) or self._older.get(key)
        if known is not None and line.startswith(known[0], begin):
            end, spec = begin + len(known[0]), known[1]
        else:
            end = line.find(_STATUS_BEGINS, begin) + 1
            if not end:
                return None
            raw = line[begin:end]
            spec = self._specs.decode(raw)
            self._keep(key, raw, spec)
        found = self._lines.decode(
            b"".join((line[:managed], line[after:begin], _MARKED, line[end:]))
        )
        pod = found.object
        if pod.spec.node_name != _MARK:
            return None
        # Nobody has this Pod yet. To make another one of its parts would cost more.
        force_setattr(pod, "spec", spec)
        return found

    def _keep(self, key: bytes, raw: bytes, spec: PodSpec) -> None:
        if self._newer_bytes >= MOST_SPEC_BYTES:
            self._older, self._newer, self._newer_bytes = self._newer, {}, 0
        self._newer[key] = raw, spec
        self._newer_bytes += len(raw)
