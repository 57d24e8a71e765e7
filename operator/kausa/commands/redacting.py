"""Redacting files block by block, so that a log of any size is taken in bounded memory.

A block ends where nothing should belong together: never inside a private key or an indented part,
and only when it is large. A line that is longer than a block may be is withheld as a whole: cut, it
might show half of a secret.
"""

from __future__ import annotations

import codecs
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from kausa.errors import KausaError
from kausa.evidence.redaction import PLACEHOLDER, WITHHELD, RedactedText, Redactor

__all__ = ["BLOCK_CHARACTERS", "LONGEST_BLOCK", "Request", "blocks", "run"]

BLOCK_CHARACTERS = 1024 * 1024
LONGEST_BLOCK = 8 * BLOCK_CHARACTERS
_CHUNK_BYTES = 256 * 1024
_LOOK_BACK = 64 * 1024
_LEAST_KEY_BYTES = 16
_BEGIN, _END = "-----BEGIN ", "-----END "
_MARKED = "\x1b[7m{}\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for; the path `-` is standard input."""

    files: tuple[Path, ...]
    show: bool = False
    summary: bool = False
    emails: bool = False
    ip_addresses: bool = False
    key_file: Path | None = None


def run(request: Request, *, out: TextIO, complain: Callable[[str], None]) -> bool:
    """Redact file after file; True where one could not be read.

    Raises:
        KausaError: the key cannot be used.
    """
    redactor = Redactor(
        key=_key(request.key_file), emails=request.emails, addresses=request.ip_addresses
    )
    counts: Counter[str] = Counter()
    failed = False
    for path in request.files:
        try:
            for text in _redacted(path, redactor=redactor, request=request, counts=counts):
                out.write(text)
        except OSError as error:
            failed = True
            complain(f"{path} cannot be read: {error.strerror or error}.")
        except _NoTextError as error:
            failed = True
            complain(str(error))
    if request.summary:
        out.write(_table(counts))
    return failed


def blocks(chunks: Iterator[str]) -> Iterator[str | None]:
    """The text in large pieces of whole lines; None in place of a line that is too long."""
    held, overlong = "", False
    for chunk in chunks:
        held += chunk
        while len(held) >= BLOCK_CHARACTERS:
            if overlong:
                _, newline, rest = held.partition("\n")
                held, overlong = (rest, False) if newline else ("", True)
                continue
            at = _split(held)
            if at is None and len(held) < LONGEST_BLOCK:
                break
            if at is None:
                held, overlong = "", True
                yield None
            else:
                yield held[:at]
                held = held[at:]
    if overlong:
        held = held.partition("\n")[2]
    if held:
        yield held


def _split(held: str) -> int | None:
    """Where the block may end: before the last line that begins something new."""
    if len(held) >= LONGEST_BLOCK:
        return held.rfind("\n") + 1 or None
    inside = held.rfind(_BEGIN)
    end = inside if inside > held.rfind(_END) else len(held)
    at = held.rfind("\n", 0, end)
    while at >= max(0, end - _LOOK_BACK):
        first = held[at + 1 : at + 2]
        if first and not first.isspace() and first not in "}])":
            return at + 1
        at = held.rfind("\n", 0, at)
    return None


def _redacted(
    path: Path, *, redactor: Redactor, request: Request, counts: Counter[str]
) -> Iterator[str]:
    line = 1
    name = "standard input" if str(path) == "-" else str(path)
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as stream:
        for block in blocks(_text(stream, name=name)):
            if block is None:
                counts["withheld"] += 1
                yield f"{name}:{line}: withheld\n" if request.show else f"{WITHHELD}\n"
                line += 1
                continue
            found = redactor.text(block)
            counts.update(found.counts)
            if request.show:
                yield from _places(found, block, name=name, line=line)
            elif not request.summary:
                yield _marked(found.value)
            line += block.count("\n")


def _text(stream: BinaryIO, *, name: str) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    while chunk := stream.read(_CHUNK_BYTES):
        if b"\0" in chunk:
            raise _NoTextError(f"{name} is no text: it holds zero bytes. Unpack it first.")
        yield decode(chunk)
    yield decode(b"", final=True)


def _places(found: RedactedText, block: str, *, name: str, line: int) -> Iterator[str]:
    """One line for each secret; what it is replaced by, never what it is."""
    placeholders = PLACEHOLDER.findall(found.value)
    shown = iter(placeholders if len(placeholders) == len(found.hidden) else ())
    at = 0
    for hidden in sorted(found.hidden, key=lambda each: each.start):
        line += block.count("\n", at, hidden.start)
        at = hidden.start
        column = at - block.rfind("\n", 0, at)
        yield f"{name}:{line}:{column}: {hidden.kind} {next(shown, '')}".rstrip() + "\n"
    if found.counts.get("withheld"):
        yield f"{name}:{line}: withheld\n"


def _marked(text: str) -> str:
    """On a terminal placeholders stand out."""
    if not sys.stdout.isatty():
        return text
    return PLACEHOLDER.sub(lambda found: _MARKED.format(found[0]), text)


def _table(counts: Counter[str]) -> str:
    if not counts:
        return "Nothing is hidden.\n"
    width = max(map(len, counts))
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return "".join(f"{kind:{width}} {count:8}\n" for kind, count in rows)


def _key(path: Path | None) -> bytes:
    if path is None:
        return secrets.token_bytes(32)
    try:
        key = path.read_bytes()
    except OSError as error:
        raise KausaError(f"The key {path} cannot be read: {error.strerror or error}.") from error
    if len(key) < _LEAST_KEY_BYTES:
        raise KausaError(
            f"The key {path} has {len(key)} bytes; with fewer than {_LEAST_KEY_BYTES} anybody "
            "could try guesses. Take the operator's own, or make one: head -c 32 /dev/urandom."
        )
    return key


class _NoTextError(Exception):
    """A file that no secrets can be looked for in."""
