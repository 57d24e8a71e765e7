"""The text of a failure: what Kubernetes says and what its container's log tells.

One function for the operator that sees it fail and for the catch-up that reads it from the
resource, so that both write the same.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["LONGEST_MESSAGE", "failure_text"]

LONGEST_MESSAGE = 1024
LONGEST_TEXT = 6000


def failure_text(
    message: str | None, logs: Iterable[tuple[str, str]], *, container: str | None
) -> str:
    """The message, then the pieces of log that are evidence, the most telling first.

    `logs` are pairs of what a piece was read from (`log[api, previous run]`) and what it says.
    Where some are of the container that fails, only those.
    """
    pieces = list(logs)
    own = [said for place, said in pieces if container and place.startswith(f"log[{container}, ")]
    said = [message[:LONGEST_MESSAGE] if message else "", *(own or [each for _, each in pieces])]
    kept = list(dict.fromkeys(each.strip() for each in said if each.strip()))
    return "\n".join(kept)[:LONGEST_TEXT]
