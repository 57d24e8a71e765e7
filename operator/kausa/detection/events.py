"""Warning Events as notes: what somebody says of an object, its repeats folded into one.

The kubelet and the scheduler count their attempts in Events and write there what no status shows.
An Event outlives its cause by an hour, and its repeats may come as new objects; so notes are kept
few for each object, equal ones folded, and what they mean now is decided beside the status.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec.structs import replace

from kausa.cluster.objects import Event
from kausa.detection.fingerprint import LONGEST_READ, normalise
from kausa.detection.surroundings import Note
from kausa.detection.tellings import is_of_pod, told_together

__all__ = ["MOST_NOTES", "merge_notes", "note_of"]

MOST_NOTES = 8
"""Of one object: a Pod in trouble has two or three kinds of Events, rarely five."""
LONGEST_MESSAGE = 16 * 1024
"""In characters: whole wherever it can be, for half a secret is not known for one any more.

The newer API of Events allows 1 KiB, and nearly all messages are shorter. Longer are only refusals
by a webhook, and what a probe's program says, of which the kubelet reads 10 KiB: one note for each
probe, so ten thousand such Pods would hold 100 MB.
"""
_CONTAINER = re.compile(r"^spec\.(?:initC|ephemeralC|c)ontainers\{(?P<name>[^}]{1,253})\}$")
MOST_REMEMBERED = 1_024
LONGEST_FIELD_PATH = 300
_PLAIN_WORD = re.compile(r"(?<!\S)[^\d\s]+(?!\S)")
_COMBINED = "(combined from similar events): "
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def note_of(event: Event) -> Note | None:
    """What the Event says of its object; None for a Normal one, or one that names no object."""
    about = event.involved_object
    if event.type == "Normal" or not about.uid or not event.reason:
        return None
    message, last = event.message, event.last_seen
    if message.startswith(_COMBINED):
        message = message[len(_COMBINED) :]
    if len(message) > LONGEST_MESSAGE:
        message = _bounded(message)
    return Note(
        uid=about.uid,
        api_version=about.api_version,
        kind=about.kind,
        namespace=about.namespace,
        name=about.name,
        container=_container(about.field_path[:LONGEST_FIELD_PATH]) if about.field_path else None,
        reason=event.reason,
        message=message,
        count=event.repeats,
        first_seen=event.first_timestamp or event.event_time or last,
        last_seen=last,
    )


@lru_cache(maxsize=MOST_REMEMBERED)
def _container(field_path: str) -> str | None:
    """The container that a field path names: there are few of them in a cluster."""
    named = _CONTAINER.match(field_path)
    return named["name"] if named is not None else None


def _bounded(message: str) -> str:
    """As much of it as is kept: it is not redacted yet, so it may only be cut between two words."""
    # What stands last may be the beginning of a longer word, so it goes.
    return "".join(message[:LONGEST_MESSAGE].rsplit(maxsplit=1)[:-1])


def merge_notes(notes: Sequence[Note], note: Note, *, most: int = MOST_NOTES) -> tuple[Note, ...]:
    """The notes of one object with one more taken in, the oldest first, at most `most`.

    What says the same is folded. In whatever order the same notes come, the result is the same, as
    long as there are no more than `most` kinds of them; of more, the last ones stay.
    """
    same = _same_as(note, notes)
    if same is None:
        kept = _with(notes, note)
        return kept[max(0, len(kept) - most) :]
    folded = _fold(same, note)
    if len(notes) == 1:
        return (folded,)
    return _with([each for each in notes if each is not same], folded)


def _same_as(note: Note, notes: Sequence[Note]) -> Note | None:
    """The known note that says the same.

    Nearly all repeats say it in the same words, and taking a message apart costs ten times more
    than all the rest here: it is done for new words only.
    """
    reason, container, message = note.reason, note.container, note.message
    for known in notes:
        if known.message == message and known.reason == reason and known.container == container:
            return known
    for known in notes:
        if known.reason == reason and known.container == container and _says_the_same(known, note):
            return known
    return None


def _says_the_same(one: Note, other: Note) -> bool:
    """Whether two messages of one reason differ only in what changes between attempts."""
    if one.reason == "Unhealthy":
        # A probe's output is the program's own and may differ each time; which probe it is counts.
        return one.message.partition(" probe ")[0] == other.message.partition(" probe ")[0]
    if one.reason == "FailedScheduling":
        return True
    # The words without a digit tell most messages apart, at a tenth of the cost.
    said, also_said = one.message[:LONGEST_READ], other.message[:LONGEST_READ]
    return _plain_words(said) == _plain_words(also_said) and normalise(said) == normalise(also_said)


@lru_cache(maxsize=MOST_REMEMBERED)
def _plain_words(text: str) -> str:
    """Of as much of a message as identity is made of: a long one must not cost more."""
    return " ".join(_PLAIN_WORD.findall(text))


def _fold(one: Note, other: Note) -> Note:
    """Both as one: since the first, until the last, in the words of the last."""
    seen, also_seen = one.last_seen, other.last_seen
    if seen is not None and also_seen is not None and one.message == other.message:
        first = seen <= also_seen  # As nearly always; all else of their age is the same.
    else:
        first = _comes_before(one, other)
    older, newer = (one, other) if first else (other, one)
    if (
        older.first_seen == newer.first_seen
        and older.count <= newer.count
        and not older.tellings
        and not newer.tellings
    ):
        # An Event's own repeat, as nearly all are.
        return newer
    firsts = [each.first_seen for each in (older, newer) if each.first_seen is not None]
    since = min(firsts, default=None)
    if is_of_pod(newer):
        return replace(newer, count=max(older.count, newer.count), first_seen=since)
    count, tellings = told_together(older, newer)
    return replace(newer, count=count, first_seen=since, tellings=tellings)


def _with(notes: Sequence[Note], note: Note) -> tuple[Note, ...]:
    """All of them, the oldest first; `notes` are so already, and the new one is mostly the last."""
    if not notes or _comes_before(notes[-1], note):
        return (*notes, note)
    return tuple(sorted((*notes, note), key=_age))


def _comes_before(one: Note, other: Note) -> bool:
    """Whether it is not the younger one; nearly always their times alone tell."""
    seen, also_seen = one.last_seen, other.last_seen
    if seen is not None and also_seen is not None and seen != also_seen:
        return seen < also_seen
    return _age(one) <= _age(other)


def _age(note: Note) -> tuple[datetime, str, str, str]:
    return (note.last_seen or _LONG_AGO, note.reason, note.container or "", note.message)
