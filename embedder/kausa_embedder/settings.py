"""Everything that the worker may be told, read once from the environment at its start.

Each field is set by `KAUSA_EMBEDDER_<FIELD>` in upper case. Nothing below the command line reads
the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kausa_embedder.models import BackendName
from kausa_embedder.options import EngineOptions
from kausa_embedder.providers import ProviderChoice

__all__ = ["InvalidSettingsError", "Settings"]

PREFIX = "KAUSA_EMBEDDER_"


class InvalidSettingsError(Exception):
    """A setting is missing or malformed; nothing was started. The message names the variable."""


class Settings(BaseSettings):
    """The worker's settings; frozen, so that what `/info` says stays true."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        protected_namespaces=(),
    )

    # -- the model -------------------------------------------------------------------------------

    model: str = Field(default="offline", min_length=1, max_length=256)
    """A preset (`offline`, `cpu`, `gpu`) or the name of a model that the worker knows."""

    model_path: Path | None = None
    """The folder in which the model lies; without it the cache is looked into."""

    cache: Path | None = None
    """Where fetched models are kept, one folder each: a volume in a cluster."""

    download: bool = False
    """Whether a model that is not in the cache is fetched from the hub."""

    reranker: str | None = None
    """The name of a cross-encoder; `none` for none: late interaction scores then. Unset takes the
    one that goes with the model."""

    reranker_path: Path | None = None
    """The folder in which the cross-encoder lies."""

    backend: BackendName | None = None
    """What runs the model; unset takes the one that goes with it."""

    provider: ProviderChoice = "auto"
    """The device: `auto` takes CUDA where it is there, `cuda` insists on it."""

    provider_fallback: bool = False
    """Whether the CPU will do where CUDA was insisted on."""

    threads: Annotated[int | None, Field(ge=1, le=256)] = None
    """Of the model; unset takes the CPUs of this process's cgroup."""

    batch_tokens: Annotated[int | None, Field(ge=64, le=1_048_576)] = None
    """Texts times width of one run of the model; unset takes what suits the device."""

    batch_texts: Annotated[int, Field(ge=1, le=4096)] = 64
    """Texts of one run of the model."""

    # -- what is taken at a time -----------------------------------------------------------------

    queue_tokens: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    """Tokens that may wait; beyond it the answer is 429. Divided by the tokens per second that the
    model does, it is the longest wait."""

    max_texts: Annotated[int, Field(ge=1, le=8192)] = 256
    """Texts, or documents, of one request."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=256 * 1024 * 1024)] = 8 * 1024 * 1024
    """Of one request; of a stream, it is the bound of all its lines that are being worked on."""

    max_requests: Annotated[int, Field(ge=1, le=100_000)] = 2048
    """Requests that may be under way, streams among them; beyond it the answer is 429."""

    max_bytes: Annotated[int, Field(ge=1024 * 1024)] = 128 * 1024 * 1024
    """Of all bodies of requests that are under way, streams by what they hold and at most three
    quarters; beyond it the answer is 429."""

    stream_texts: Annotated[int, Field(ge=1, le=8192)] = 128
    """Texts of one stream that are worked on; further ones are not read off the connection."""

    stream_idle_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """A stream is ended when it has brought no text for so long, and cut off when an answer could
    not be written for so long. Its caller opens another when it has more."""

    cache_bytes: Annotated[int, Field(ge=0)] = 16 * 1024 * 1024
    """For vectors of texts that come again; 0 remembers none."""

    token_cache_bytes: Annotated[int, Field(ge=0)] = 64 * 1024 * 1024
    """For the token vectors of documents that are scored again; 0 remembers none."""

    default_deadline_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """For requests that name none in X-Deadline-Ms."""

    longest_deadline_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    """A longer one is cut to this."""

    # -- the service -----------------------------------------------------------------------------

    host: str = "0.0.0.0"  # noqa: S104 - the operator comes from another Pod
    """The address on which it listens."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    """0 takes any that is free."""

    connection_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Connections that are older are ended after a request, so that workers that were added get
    their share: a Service spreads connections and not requests."""

    token: SecretStr | None = None
    """Asked for as a bearer token by all but the probes and /metrics; unset asks for none."""

    token_file: Path | None = None
    """A file that holds the token, such as a mounted Secret; read once."""

    tls_cert_file: Path | None = None
    """The certificate with which HTTPS is served; read again when it changes. Unset serves HTTP."""

    tls_key_file: Path | None = None
    """The certificate's key."""

    drain_notice_seconds: Annotated[float, Field(ge=0, le=300)] = 3.0
    """After SIGTERM requests are still taken for so long, because it takes as long until everybody
    knows that this Pod is ending."""

    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 25.0
    """How long requests that were taken may go on after that. Both together should stay below the
    Pod's terminationGracePeriodSeconds."""

    debug_endpoints: bool = False
    """True serves /debug/memory and /debug/models, for who looks for a defect; with the token where
    there is one."""

    log_format: Literal["auto", "json", "text"] = "auto"
    """`json` for machines, `text` for people; `auto` is text on a terminal, else json."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """At `debug` every request has a line; no line ever has a text of a request."""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE: set both or none")
        if self.token is not None and self.token_file is not None:
            raise ValueError("TOKEN and TOKEN_FILE: set one of them")
        return self

    def engine_options(self) -> EngineOptions:
        """What of it the engine is told."""
        return EngineOptions(
            model=self.model,
            folder=self.model_path,
            cache=self.cache,
            reranker="" if self.reranker == "none" else self.reranker,
            reranker_folder=self.reranker_path,
            backend=self.backend,
            provider=self.provider,
            provider_fallback=self.provider_fallback,
            download=self.download,
            threads=self.threads,
            batch_tokens=self.batch_tokens,
            batch_texts=self.batch_texts,
            queue_tokens=self.queue_tokens,
            max_texts=self.max_texts,
            cache_bytes=self.cache_bytes,
            token_cache_bytes=self.token_cache_bytes,
        )

    def bearer_token(self) -> SecretStr | None:
        """The token, from wherever it is; None where none is asked for.

        Raises:
            InvalidSettingsError: the file cannot be read, or the token is empty.
        """
        token = self.token
        if self.token_file is not None:
            try:
                token = SecretStr(self.token_file.read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidSettingsError(
                    f"The token cannot be read from {self.token_file} ({error}), nothing was "
                    f"started. Correct {PREFIX}TOKEN_FILE."
                ) from error
        if token is not None and not token.get_secret_value().strip():
            raise InvalidSettingsError(
                "The token is empty, which would let in everybody or nobody; nothing was started. "
                f"Correct {PREFIX}TOKEN or {PREFIX}TOKEN_FILE, or leave both out."
            )
        return token

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """Read `KAUSA_EMBEDDER_*`, with what the command line says on top.

        Raises:
            InvalidSettingsError: a value cannot be used; the message names the variable.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            problems = [
                f"{PREFIX}{'_'.join(str(part) for part in problem['loc']).upper()}: "
                f"{problem['msg']}"
                for problem in error.errors(include_url=False, include_input=False)
            ]
            raise InvalidSettingsError(
                "A setting cannot be used, nothing was started. " + "; ".join(problems) + "."
            ) from error
