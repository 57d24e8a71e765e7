"""The clients of one server's models: opened when a model is asked for the first time.

What the settings name stays open. What only a resource names in `spec.model` can be anything, so a
few of these are kept and the one that was used the longest ago goes, unless it is being asked.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from kausa.diagnosis.model.breaker import CircuitBreaker
from kausa.diagnosis.model.prompt import TokenCounter
from kausa.diagnosis.model.protocol import Attempts, Completion, LiveModel, Message, OnText

__all__ = ["MOST_FORCED", "Clients", "ModelClient", "Opened"]

MOST_FORCED: Final = 4
"""Clients of models that `spec.model` names; each has connections of its own."""


class ModelClient(LiveModel, Protocol):
    """A model that tells whether it is asked at the moment, and of its attempts."""

    @property
    def breaker(self) -> CircuitBreaker:
        """Its own, or its server's."""
        ...

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any],
        deadline_seconds: float,
        think: bool,
        max_output_tokens: int,
        on_text: OnText | None = None,
        attempts: Attempts | None = None,
    ) -> Completion:
        """As `LiveModel.complete`; `attempts` is told of those that fail, and asked before the
        question is sent again.
        """
        ...


@dataclass(slots=True, eq=False)
class Opened:
    """A model that was asked for, and who counts for it."""

    client: ModelClient
    counter: TokenCounter
    users: int = 0
    """Questions that it is asked now."""


class Clients:
    """For one event loop."""

    def __init__(
        self,
        *,
        configured: Collection[str],
        connect: Callable[[str, bool], ModelClient],
        make_counter: Callable[[], TokenCounter] = TokenCounter,
    ) -> None:
        """`configured`: the models that the settings name. `connect` makes the client of a model;
        told whether the settings name it.
        """
        self._configured = frozenset(configured)
        self._connect = connect
        self._make_counter = make_counter
        self._named: dict[str, Opened] = {}
        self._forced: OrderedDict[str, Opened] = OrderedDict()

    def open(self, name: str) -> Opened:
        """Return this model; nothing is asked yet."""
        configured = name in self._configured
        among: dict[str, Opened] = self._named if configured else self._forced
        opened = among.get(name)
        if opened is None:
            opened = among[name] = Opened(
                client=self._connect(name, configured), counter=self._make_counter()
            )
        if not configured:
            self._forced.move_to_end(name)
        return opened

    def breakers(self) -> Mapping[str, CircuitBreaker]:
        """Return the breaker of each model that is open, by its name."""
        every = {**self._named, **self._forced}
        return {name: opened.client.breaker for name, opened in every.items()}

    async def trim(self) -> None:
        """Close what `spec.model` named the longest ago, where there are too many of these."""
        while len(self._forced) > MOST_FORCED:
            idle = next((name for name, each in self._forced.items() if not each.users), None)
            if idle is None:
                return
            await self._forced.pop(idle).client.close()

    async def close(self) -> None:
        """Let all connections go."""
        every = [*self._named.values(), *self._forced.values()]
        self._named.clear()
        self._forced.clear()
        await asyncio.gather(*(each.client.close() for each in every))
