"""Leadership: of several operators the one that holds a Lease works, and all others wait.

A coordination.k8s.io Lease, used as client-go uses it, so that `kubectl get lease` says who leads.
Clocks of two machines are never compared: a Lease has expired when it was not seen to change for
as long as its holder said, by the clock of whoever looks. The holder counts from the moment before
it asked for its renewal, and stops at seven tenths of the time after which others take over; so
there are never two, even where the event loop stood still or an answer was lost on its way.
Every write carries the version it was made from: of two that take over at once, one is refused.

Names may be given twice (KAUSA_IDENTITY in a Deployment of two), so each candidate writes a random
token of its own beside its name, and what carries another token is not its own. One that finds its
own name with another token is most often the same container, restarted: it does not wait until the
Lease expires, but only for three tenths of its time, in which a living one renews. The trade-off: a
restart costs 3 s instead of none, and a living one of the same name whose renewal hangs for more
than a tenth of the time is overtaken; it learns that from its next renewal, and stops.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    LeadershipLostError,
    LeaseForbiddenError,
    NotFoundError,
)
from kausa.cluster.lease_record import LeaseRecord
from kausa.cluster.paths import ResourcePath
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["LEASES", "LeaseElection"]

LEASES = ResourcePath(api_version="coordination.k8s.io/v1", plural="leases", kind="Lease")
RELEASE_SECONDS = 3.0
NAMESAKE_PART = 0.3
"""Of the time of a Lease: so long nothing may be seen of a living holder of our own name. It renews
after every fifth of the time."""
MINIMUM_PAUSE_SECONDS = 0.05
FORBIDDEN_PATIENCE_SECONDS = 15.0
"""An API server that has just started refuses everything until it has read the roles."""

_logger = get_logger("kausa.cluster.lease")


class _NoAnswerInTimeError(ClusterError):
    """A try had only so much time."""


class LeaseElection:
    """One candidate. `acquire`, then `keep` beside the work, and `release` at the end.

    Of `lease_seconds` a fifth lies between two renewals, and seven tenths after the last one that
    worked the holder stops; the others look every tenth. An operator that was killed is therefore
    followed by another after 1.0 to 1.3 times `lease_seconds`, and by one of the same name after
    0.3 times.
    """

    def __init__(
        self,
        *,
        client: KubernetesClient,
        namespace: str,
        identity: str,
        name: str = "kausa",
        lease_seconds: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._process = secrets.token_hex(8)
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._renew_seconds = lease_seconds * 0.2
        self._deadline_seconds = lease_seconds * 0.7
        self._retry_seconds = lease_seconds * 0.1
        self._collection = LEASES.collection(namespace=namespace)
        self._path = LEASES.object(name=name, namespace=namespace)
        self._record: LeaseRecord | None = None
        self._changed_at = 0.0
        """When the record was last seen to change."""
        self._held_until: float | None = None
        self._unsure = False
        """Whether a try was broken off, so that nobody knows what became of it."""
        self._waiting = Trouble(
            _logger,
            failed="Cannot ask for the Lease, trying until it works",
            recovered="The Lease can be asked for again",
        )

    @property
    def is_leader(self) -> bool:
        """Whether we lead now: decided by the clock, so that it ends even where nothing runs."""
        return self._held_until is not None and self._clock() < self._held_until

    @property
    def leader(self) -> str:
        """Who held the Lease when it was last looked at; empty where nobody did."""
        return self._record.holder if self._record is not None else ""

    @property
    def transitions(self) -> int:
        """How often the Lease has passed from one to another, as it says."""
        return self._record.transitions if self._record is not None else 0

    async def acquire(self) -> None:
        """Wait until we lead.

        Raises:
            LeaseForbiddenError: the permission is missing, and did not come within 15 s.
        """
        waiting_for, forbidden_since = "", None
        while True:
            try:
                held = await self._attempt(self._take_or_look, seconds=self._deadline_seconds)
                self._waiting.over(lease=self._name)
                forbidden_since = None
            except ClusterError as error:
                held = False
                self._waiting.happened(error, lease=self._name)
                forbidden_since = self._forbidden_since(error, forbidden_since)
            if held:
                _logger.info(
                    "Leading", lease=self._name, identity=self._identity, times=self.transitions
                )
                return
            if self.leader and self.leader != waiting_for:
                waiting_for = self.leader
                _logger.info("Waiting for the Lease", lease=self._name, held_by=waiting_for)
            await asyncio.sleep(self._seconds_to_next_look())

    async def keep(self) -> None:
        """Renew until that fails; to be cancelled when the work is over.

        Raises:
            LeadershipLostError: we do not lead any more.
        """
        why: object = "the renewal came too late"
        pause = self._renew_seconds
        while self.is_leader:
            await asyncio.sleep(pause)
            left = (self._held_until or 0.0) - self._clock()
            if left <= 0:
                break
            try:
                # One answer that does not come must leave time for another try.
                share = max(self._deadline_seconds / 3, 1.0)
                seconds = min(left, share)
                if not await self._attempt(self._renew, seconds=seconds):
                    why = f"{self._who_leads()} holds it now"
                    break
                pause = self._renew_seconds
            except ClusterError as error:
                # A last try that our own time cut short tells less than what failed before it.
                cut_short = isinstance(error, _NoAnswerInTimeError) and seconds < share
                why = why if cut_short and isinstance(why, ClusterError) else error
                pause = random.uniform(0.5, 1.0) * self._retry_seconds  # noqa: S311 - no secret
        self._held_until = None
        _logger.error("Lost the Lease", lease=self._name, held_by=self.leader, why=str(why))
        raise LeadershipLostError(
            f"The Lease {self._namespace}/{self._name} is lost ({why}). Another operator may lead "
            "now, so this one stops; it can be started again at once."
        )

    async def release(self) -> None:
        """Give the Lease back, so that another takes over at once; a few seconds, and no error."""
        self._held_until = None
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                if self._unsure:
                    await self._look()
                for _ in range(2):
                    record = self._record
                    if record is None or not self._is_ours(record):
                        return
                    try:
                        await self._write(record.released(now=datetime.now(UTC)))
                        _logger.info("Gave the Lease back", lease=self._name)
                        return
                    except ConflictError:
                        await self._look()
        except (ClusterError, TimeoutError) as error:
            _logger.warning(
                "Could not give the Lease back, it expires by itself",
                lease=self._name,
                why=str(error) or "no answer in time",
            )

    # -- one try ---------------------------------------------------------------------------------

    async def _attempt(self, do: Callable[[], Awaitable[bool]], *, seconds: float) -> bool:
        """Whether we hold the Lease after this; an answer after `seconds` is none."""
        began, self._unsure = self._clock(), True
        try:
            async with asyncio.timeout(seconds):
                held = await do()
        except TimeoutError:
            raise _NoAnswerInTimeError(
                f"The API server did not answer within {seconds:.1f} s."
            ) from None
        self._unsure = False
        if held:
            self._held_until = began + self._deadline_seconds
        return held

    async def _renew(self) -> bool:
        """Renew what we hold; what somebody else has changed is looked at first."""
        if self._record is not None and self._is_ours(self._record):
            try:
                return await self._take(self._record)
            except (ConflictError, NotFoundError):
                pass
        record = await self._look()
        if record is not None and record.holder and not self._is_ours(record):
            return False
        return await self._make_or_take(record)

    async def _take_or_look(self) -> bool:
        record = await self._look()
        if record is not None and not self._is_free(record):
            return False
        return await self._make_or_take(record)

    async def _make_or_take(self, record: LeaseRecord | None) -> bool:
        try:
            if record is not None:
                return await self._take(record)
            empty = LeaseRecord.empty(name=self._name, namespace=self._namespace)
            await self._client.create(self._collection, self._as_ours(empty).document)
            record = await self._look()
            return record is not None and self._is_ours(record)
        except (ConflictError, NotFoundError):
            return False

    def _is_ours(self, record: LeaseRecord) -> bool:
        return record.holder == self._identity and record.process == self._process

    def _is_free(self, record: LeaseRecord) -> bool:
        if not record.holder or self._is_ours(record):
            return True
        return self._clock() >= self._changed_at + self._patience_seconds(record)

    def _patience_seconds(self, record: LeaseRecord) -> float:
        """How long a record must stand unchanged before it is nobody's."""
        seconds = record.seconds or self._lease_seconds
        return seconds * (NAMESAKE_PART if record.holder == self._identity else 1.0)

    async def _take(self, record: LeaseRecord) -> bool:
        await self._write(self._as_ours(record))
        return True

    def _as_ours(self, record: LeaseRecord) -> LeaseRecord:
        return record.taken(
            identity=self._identity,
            process=self._process,
            seconds=self._lease_seconds,
            now=datetime.now(UTC),
        )

    async def _look(self) -> LeaseRecord | None:
        try:
            document = await self._client.get(self._path, kind=dict[str, Any])
        except NotFoundError:
            self._record = None
            return None
        return self._saw(document)

    async def _write(self, record: LeaseRecord) -> None:
        self._saw(await self._client.replace(self._path, record.document))

    def _saw(self, document: dict[str, Any]) -> LeaseRecord:
        record = LeaseRecord(document)
        before = self._record
        if before is None or (record.spec, record.process) != (before.spec, before.process):
            self._changed_at = self._clock()
        self._record = record
        return record

    def _who_leads(self) -> str:
        """For people; only told when it is not us."""
        if self.leader == self._identity:
            return f"another process of the same name ({self.leader})"
        return self.leader or "nobody"

    def _seconds_to_next_look(self) -> float:
        """Random, so that candidates do not ask in step; and no later than a namesake's end."""
        pause = random.uniform(0.5, 1.5) * self._retry_seconds  # noqa: S311 - no secret
        if self._record is None or self._record.holder != self._identity:
            return pause
        until = self._changed_at + self._patience_seconds(self._record) - self._clock()
        return min(pause, max(until, MINIMUM_PAUSE_SECONDS)) if until > 0 else pause

    def _forbidden_since(self, error: ClusterError, since: float | None) -> float | None:
        if not isinstance(error, ForbiddenError):
            return None
        if since is None:
            return self._clock()
        if self._clock() - since < FORBIDDEN_PATIENCE_SECONDS:
            return since
        raise LeaseForbiddenError(
            f"Leader election needs to get, create and update leases (coordination.k8s.io) in "
            f"namespace {self._namespace}, and may not ({error}). Grant it, or "
            "run one operator only, with KAUSA_LEADER_ELECTION=false.",
            status=error.status,
            reason=error.reason,
        ) from error
