"""Kopf, in a thread and an event loop of its own, for our own resources only.

Kopf cancels every task of its loop when it ends, and it ends on some errors of the API server. So
it gets a loop that holds nothing else and is started again when it ends; the streams go on
meanwhile. Its handlers hand over to the operator's loop and decide nothing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import kopf

from kausa.cluster.credentials import Credentials
from kausa.cluster.errors import (
    ApiUnreachableError,
    ConflictError,
    OverloadedError,
)
from kausa.errors import KausaError
from kausa.resources.group import FAILURE_DIAGNOSIS_PLURAL, GROUP, RUNBOOK_PLURAL, VERSION
from kausa.telemetry.doubling import Doubling
from kausa.telemetry.following import following
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["KopfHost", "RunbookHandlers"]

RETRY_SECONDS = 5.0
LATER_SECONDS = 60.0
MOST_ATTEMPTS = 5
# Not our own prefix: kausa.dev/diagnose is what people write.
KOPF_PREFIX = f"kopf.{GROUP}"
RESTARTS = Doubling(first_seconds=0.5, longest_seconds=30.0)
STOP_WITHIN_SECONDS = 10.0
Body = dict[str, Any]
_logger = get_logger("kausa.controller.kopf")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookHandlers:
    """Who is told of Runbooks."""

    readable: Callable[[], Awaitable[bool]]
    """Whether they may be watched, asked before each life of Kopf: it ends as a whole where it may
    not watch one of its kinds, and diagnoses would end with it."""
    on_event: Callable[[str | None, Body], Awaitable[None]]
    """Told once of each that is listed (None), ADDED, MODIFIED or DELETED; it repeats by itself
    what fails."""


class KopfHost:
    """Delivers each FailureDiagnosis that appears or changes, with retries, and each deletion; and
    what happens to Runbooks.
    """

    def __init__(
        self,
        *,
        credentials: Credentials,
        namespace: str | None,
        on_change: Callable[[Body], Awaitable[None]],
        on_delete: Callable[[Body], Awaitable[None]],
        runbooks: RunbookHandlers | None = None,
    ) -> None:
        self._credentials = credentials
        self._namespace = namespace
        self._on_change = on_change
        self._on_delete = on_delete
        self._runbooks = runbooks
        self._trouble = Trouble(
            _logger,
            failed="Could not diagnose, trying until it works",
            recovered="Diagnosing works again",
        )

    async def run(self) -> None:
        """Run Kopf until cancelled; start it again whenever it ends by itself."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            try:
                await self._run_once(loop)
                why = "it came to its end"
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            _logger.warning("Kopf ended, starting it again", why=why)
            failures = 1 if loop.time() - started > RESTARTS.longest_seconds else failures + 1
            await asyncio.sleep(RESTARTS.seconds(times=failures))

    async def _run_once(self, home: asyncio.AbstractEventLoop) -> None:
        """One life of Kopf, in a daemon thread: should it hang, it cannot keep us from ending."""
        stop = _StopFlag()
        runbooks = self._runbooks
        if runbooks is not None and not await runbooks.readable():
            runbooks = None
        registry = self._registry(home, runbooks)
        ended: asyncio.Future[None] = home.create_future()

        def tell(error: BaseException | None) -> None:
            if ended.done():
                return
            if error is None:
                ended.set_result(None)
            else:
                ended.set_exception(error)

        def live() -> None:
            error: BaseException | None = None
            try:
                asyncio.run(self._operator(registry, stop))
            except BaseException as caught:
                # Nothing may keep our loop from learning that this life is over.
                error = caught if isinstance(caught, Exception) else RuntimeError(repr(caught))
            with contextlib.suppress(RuntimeError):  # our loop may be closed by now
                home.call_soon_threadsafe(tell, error)

        threading.Thread(target=live, name="kopf", daemon=True).start()
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({ended}, timeout=STOP_WITHIN_SECONDS)
            if ended.done() and not ended.cancelled():
                ended.exception()
            raise

    async def _operator(self, registry: kopf.OperatorRegistry, stop: _StopFlag) -> None:
        await kopf.operator(
            registry=registry,
            settings=_settings(),
            standalone=True,
            clusterwide=self._namespace is None,
            namespaces=[self._namespace] if self._namespace is not None else [],
            stop_flag=stop.of_this_loop(),
        )

    def _registry(
        self, home: asyncio.AbstractEventLoop, runbooks: RunbookHandlers | None
    ) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kind = (GROUP, VERSION, FAILURE_DIAGNOSIS_PLURAL)

        async def login(**_: Any) -> kopf.ConnectionInfo:
            return await asyncio.to_thread(_connection, self._credentials)

        async def changed(body: kopf.Body, retry: int, **_: Any) -> None:
            name = f"{body.metadata.namespace}/{body.metadata.name}"
            # Here, so that what goes wrong over there and is said here has the same id.
            with following(name):
                await self._hand_over(home, body, retry=retry, name=name)

        async def seen(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
            if event["type"] == "DELETED":
                self._trouble.forget(f"{body.metadata.namespace}/{body.metadata.name}")
                await _at_home(home, self._on_delete(_plain(body)))

        kopf.on.login(registry=registry)(login)
        kopf.on.event(*kind, registry=registry)(seen)
        for on in (kopf.on.create, kopf.on.update, kopf.on.resume):
            on(*kind, registry=registry, id="diagnose")(changed)
        if runbooks is not None:
            _hand_over_runbooks(registry, home, runbooks)
        return registry

    async def _hand_over(
        self, home: asyncio.AbstractEventLoop, body: kopf.Body, *, retry: int, name: str
    ) -> None:
        try:
            await _at_home(home, self._on_change(_plain(body)))
        except (ApiUnreachableError, OverloadedError, ConflictError) as error:
            self._trouble.happened(error, key=name, name=name)
            raise kopf.TemporaryError(str(error), delay=RETRY_SECONDS) from error
        except KausaError as error:
            # The same again is not likely to go better; a change of the resource asks anew.
            _logger.error("Could not diagnose", name=name, why=str(error), attempt=retry + 1)
            if retry >= MOST_ATTEMPTS:
                raise kopf.PermanentError(str(error)) from error
            raise kopf.TemporaryError(str(error), delay=LATER_SECONDS) from error
        except Exception as error:
            _logger.exception("Could not diagnose", name=name, attempt=retry + 1)
            if retry >= MOST_ATTEMPTS:
                raise kopf.PermanentError(str(error)) from error
            raise kopf.TemporaryError(str(error), delay=LATER_SECONDS) from error
        self._trouble.over(key=name)


def _hand_over_runbooks(
    registry: kopf.OperatorRegistry, home: asyncio.AbstractEventLoop, handlers: RunbookHandlers
) -> None:
    async def seen_runbook(event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
        try:
            await _at_home(home, handlers.on_event(event["type"], _plain(body)))
        except Exception:
            # Kopf would write it to a log that nobody reads.
            _logger.exception("Could not take in a runbook", name=body.metadata.name)

    # Not on.create and on.update: they keep a copy of the spec in an annotation, which for a
    # Runbook may be more than all annotations may have together.
    kopf.on.event(GROUP, VERSION, RUNBOOK_PLURAL, registry=registry)(seen_runbook)


class _StopFlag:
    """Set from any thread, waited for in Kopf's loop.

    Not a threading.Event: Kopf would wait for that one in a thread of its loop's executor, which
    keeps the loop from closing when Kopf ends by itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._flag: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def of_this_loop(self) -> asyncio.Event:
        """The flag to wait for in the running loop."""
        flag = asyncio.Event()
        with self._lock:
            self._flag = asyncio.get_running_loop(), flag
            if self._is_set:
                flag.set()
        return flag

    def set(self) -> None:
        """Ask to stop."""
        with self._lock:
            self._is_set = True
            if self._flag is not None:
                loop, flag = self._flag
                with contextlib.suppress(RuntimeError):  # its loop has come to its end already
                    loop.call_soon_threadsafe(flag.set)


def _plain(body: kopf.Body) -> Body:
    return {name: body[name] for name in body}


async def _at_home(home: asyncio.AbstractEventLoop, work: Awaitable[None]) -> None:
    """Do the work on the operator's loop; cancelling here cancels it there."""

    async def run() -> None:
        await work

    coroutine: Coroutine[Any, Any, None] = run()
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, home))


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    # Else Kopf would kill this process, which is not its own, when it takes long to end.
    settings.process.ultimate_exiting_timeout = None
    settings.persistence.finalizer = f"{KOPF_PREFIX}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=KOPF_PREFIX)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=KOPF_PREFIX)
    settings.networking.error_backoffs = (0.5, 1, 2, 5)
    settings.networking.connect_timeout = 10
    return settings


def _connection(credentials: Credentials) -> kopf.ConnectionInfo:
    token = credentials.token_source() if credentials.token_source is not None else None
    return kopf.ConnectionInfo(
        server=credentials.server,
        ca_data=_base64(credentials.ca_pem),
        insecure=credentials.insecure or None,
        username=credentials.username,
        password=credentials.password,
        token=token.value if token is not None else None,
        certificate_data=_base64(credentials.certificate_pem),
        private_key_data=_base64(credentials.key_pem),
        default_namespace=credentials.namespace,
    )


def _base64(pem: str | None) -> str | None:
    return base64.b64encode(pem.encode()).decode() if pem else None
