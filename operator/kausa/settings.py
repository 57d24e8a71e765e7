"""Everything an operator of Kausa may set, read once from the environment at the start.

Each field is set by `KAUSA_<FIELD>` in upper case. Nothing below the command line reads the
environment: settings are passed in.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kausa.errors import SettingsError

__all__ = ["DEFAULT_CLUSTER_NAME", "Settings", "default_cache_folder", "default_state_folder"]


NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
OUTSIDE_NAMESPACE = "default"
DEFAULT_CLUSTER_NAME = "default"


def default_cache_folder() -> Path:
    """Where fetched things live (models, binaries): they can always be fetched again."""
    named = os.environ.get("KAUSA_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kausa"


def default_state_folder() -> Path:
    """Where the embedded memory lives: it can be lost, but it is worth keeping."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kausa"


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


NamespacePatterns = Annotated[
    tuple[Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9*?\[\]!-]+$")], ...],
    BeforeValidator(_split),
    NoDecode,
]
"""Names of namespaces, with `*` and `?`."""


def _namespace_of_this_pod() -> str | None:
    """The namespace that the kubelet tells every Pod; None outside of a Pod."""
    try:
        return NAMESPACE_FILE.read_text().strip() or None
    except OSError:
        return None


def _name_of_this_process() -> str:
    """The Pod's name, under which a restarted container goes on; elsewhere one of its own.

    In a Pod with hostNetwork the host's name is the node's, which other Pods have too.
    """
    pod = os.environ.get("POD_NAME")
    if pod and NAMESPACE_FILE.is_file():
        return pod
    return f"{(pod or socket.gethostname())[:200]}-{secrets.token_hex(4)}"


class Settings(BaseSettings):
    """The operator's settings; frozen, so that what was logged at the start stays true."""

    model_config = SettingsConfigDict(
        env_prefix="KAUSA_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    cluster_name: str = Field(default=DEFAULT_CLUSTER_NAME, min_length=1, max_length=63)
    """Names this cluster in every record. Two clusters that share a memory need two names, so with
    `memory_store` server the default is refused."""

    namespace: Annotated[
        str | None, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ] = None
    """Watch one namespace only. None watches all that the credentials may see."""

    namespaces_include: NamespacePatterns = ()
    """Watch only namespaces whose names match one of these, separated by commas; `team-*` works.
    Empty watches all."""

    namespaces_exclude: NamespacePatterns = ()
    """Leave out namespaces whose names match one of these, separated by commas. A namespace's own
    label `kausa.dev/diagnose: enabled` or `disabled` goes before both."""

    own_namespace: Annotated[
        str | None, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    ] = Field(default_factory=lambda: _namespace_of_this_pod())
    """Where the operator itself runs: it is not watched, it holds the Lease, and failures of nodes
    are written there. In a Pod it is found by itself; elsewhere the Lease and the nodes' failures
    are in `namespace`, or in `default` without one, and nothing is left out."""

    watch_own_namespace: bool = False
    """True watches the operator's own namespace too; where it is the one that `namespace` names, it
    is watched in any case."""

    log_format: Literal["auto", "json", "text"] = "auto"
    """`json` for machines, `text` for people; `auto` is text on a terminal, else json."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""

    memory_enabled: bool = True
    """False runs on rules alone; every resource says so in its condition MemoryRecalled."""

    memory_store: Literal["embedded", "server"] = "embedded"
    """`embedded` keeps records in a folder of this machine, `server` in a Qdrant server."""

    memory_path: Path = Field(default_factory=lambda: default_state_folder() / "memory")
    """The folder of the embedded vector store; one operator process owns it at a time."""

    memory_most_points: Annotated[int, Field(ge=1000, le=10_000_000)] = 300_000
    """embedded: passages of failures and rollouts that are kept. Of more, those go whose end nobody
    saw, last seen the longest ago, then the oldest; a log line and a metric say how many."""

    memory_url: HttpUrl | None = None
    """The Qdrant server's REST address, such as https://qdrant.example:6333."""

    memory_api_key: SecretStr | None = None
    """A key or a JWT of the Qdrant server that may read, write and make our collections."""

    memory_grpc: bool = False
    """True speaks gRPC with the server for points."""

    memory_grpc_port: Annotated[int, Field(ge=1, le=65_535)] = 6334
    """The server's gRPC port."""

    memory_ca_file: Path | None = None
    """Whom to trust for the server, instead of the authorities of this machine."""

    memory_cert_file: Path | None = None
    """A client certificate for the server, where it wants one; with `memory_key_file`."""

    memory_key_file: Path | None = None
    """The key of that certificate."""

    memory_verify: bool = True
    """False takes any certificate of the server: whoever sits between reads everything."""

    memory_prefix: Annotated[str, Field(min_length=1, max_length=40)] = "kausa"
    """Of every name in the server: two installations in one server need two."""

    memory_replication_factor: Annotated[int, Field(ge=1, le=16)] = 1
    """How many copies the server keeps of new collections."""

    memory_quantization: Literal["auto", "none", "scalar"] = "auto"
    """`scalar` keeps vectors in a quarter of the memory; `auto` does so in large collections."""

    memory_vectors: Literal["auto", "memory", "disk"] = "auto"
    """Where the server keeps whole vectors; `auto` decides by the collection's size."""

    memory_migrate: bool = False
    """True embeds everything anew by itself when the embedding model is another than before. False
    goes on without memory, says ModelMismatch, and leaves it to `kausa memory migrate`."""

    memory_keep_days: Annotated[float, Field(ge=0, le=36_500)] = 365.0
    """Records that were last seen longer ago are forgotten, in a quiet hour; 0 keeps them."""

    memory_keep_open_days: Annotated[float, Field(ge=0, le=36_500)] = 90.0
    """The same of failures whose end nobody saw, which teach less; 0 keeps them."""

    memory_audit: Literal["off", "log", "file"] = "off"
    """Tells of every call of the store who asked what, never a text: as lines of the log, or as
    lines of JSON in `memory_audit_path`."""

    memory_audit_path: Path = Field(
        default_factory=lambda: default_state_folder() / "memory-audit.jsonl"
    )
    """Of at most 16 MiB; five older ones are kept."""

    memory_chunk_tokens: Annotated[int, Field(ge=32, le=8192)] = 512
    """How long a passage of a long text is, by an estimate; never longer than the embedding model
    reads, where it says how much that is (the built-in one 256)."""

    memory_chunk_overlap: Annotated[int, Field(ge=0, le=1024)] = 50
    """How much of a passage the next one repeats, in tokens; at most half of a passage."""

    redaction_key_path: Path = Field(
        default_factory=lambda: default_state_folder() / "redaction.key"
    )
    """A secret of this installation, made at the first start: it makes one secret's placeholder the
    same every time, and keeps others from guessing what a placeholder stands for."""

    redact_emails: bool = False
    """Hide e-mail addresses too; they are no secrets, and often what a diagnosis rests on."""

    redact_addresses: bool = False
    """Hide IP addresses too; loopback and unspecified addresses always stay."""

    embedder: Literal["in-process", "http", "openai"] = "in-process"
    """`in-process` runs the model in the operator, `http` asks Kausa's own worker, `openai` any
    endpoint of that shape, such as text-embeddings-inference."""

    embedder_model_path: Path | None = None
    """in-process: the folder of the model (model.onnx, tokenizer.json and its config files). None
    looks where `make embedded-models` puts it."""

    embedder_url: HttpUrl | None = None
    """http, openai: where it answers."""

    embedder_token: SecretStr | None = None
    """http, openai: a bearer token."""

    embedder_model: Annotated[str, Field(max_length=128)] = ""
    """openai: which model is asked for, where the endpoint has several."""

    embedder_query_prefix: Annotated[str, Field(max_length=256)] = ""
    """openai: what this model wants before a question."""

    embedder_passage_prefix: Annotated[str, Field(max_length=256)] = ""
    """openai: what this model wants before a text that may answer one."""

    embedder_ca_file: Path | None = None
    """http, openai: whom to trust, instead of the authorities of this machine."""

    embedder_cert_file: Path | None = None
    """http, openai: a client certificate; with `embedder_key_file`."""

    embedder_key_file: Path | None = None
    """The key of that certificate."""

    embedder_hedge_seconds: Annotated[float, Field(gt=0, le=60)] | None = None
    """http, openai: ask a second time where no answer came for so long. None never does."""

    ranking_relevance: Annotated[float, Field(gt=0, le=10)] = 0.6
    """The weight of how well a memory fits."""

    ranking_reward: Annotated[float, Field(ge=0, le=10)] = 0.4
    """The weight of what people said of it; 0 ranks by fit alone."""

    ranking_half_life_days: Annotated[float, Field(ge=0.01, le=36_500)] = 30.0
    """After so many days what people said counts half."""

    ranking_band: Annotated[float, Field(ge=0, le=1)] = 0.06
    """What people said reorders only what fits at most this much worse than the best."""

    ranking_floor: Annotated[float, Field(ge=0, le=1)] = 0.3
    """What people said counts nothing below this fit."""

    rerank_seconds: Annotated[float, Field(ge=0, le=30)] = 0.5
    """How long the best memories may be read a second time before an answer goes without it."""

    model_url: HttpUrl | None = None
    """The address of an Ollama server; None never asks a model."""

    model_name: str = Field(default="llama3.1", min_length=1, max_length=128)
    """The Ollama model that is asked where rules are not sure."""

    model_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """How long one answer of the model may take."""

    model_below_confidence: Annotated[int, Field(ge=0, le=100)] = 80
    """The model is asked only where the rules' confidence (percent) is below this."""

    repeat_interval_seconds: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """Repeats of one failure are written at most this often; the first is written at once."""

    stabilisation_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    """A workload of which nothing has failed for this long has recovered: Resolved becomes True."""

    resync_seconds: Annotated[float, Field(ge=0, le=86_400)] = 1800.0
    """Everything is listed again this often, in case something was lost; 0 never does."""

    leader_election: bool = True
    """Of several operators on one cluster only the holder of a Lease works. False never asks for
    it: then make sure that there is only one."""

    identity: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        default_factory=lambda: _name_of_this_process()
    )
    """The name under which the Lease is held. In a Pod it is `POD_NAME` (from the downward API), so
    that a container that was restarted goes on soon; elsewhere the host's name with a random
    end."""

    lease_seconds: Annotated[int, Field(ge=3, le=300)] = 10
    """How long the Lease of an operator that died keeps others from taking over."""

    probe_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """Serves /livez, /readyz and /metrics on this port; None does not, 0 takes any free one."""

    probe_host: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside
    """The address on which they are served."""

    stream_dead_seconds: Annotated[float, Field(ge=30, le=86_400)] = 300.0
    """/livez fails when a stream has not worked for this long."""

    refresh_seconds: Annotated[float, Field(ge=30, le=86_400)] = 600.0
    """A failure that goes on is diagnosed again after this long: its cause may have changed."""

    concurrent_diagnoses: Annotated[int, Field(ge=1, le=64)] = 4
    """How many failures are diagnosed at the same time."""

    queue_size: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """How many changed Pods may wait for a worker; beyond it the oldest is dropped and counted."""

    @property
    def home_namespace(self) -> str:
        """Where the Lease is, and failures of what belongs to no namespace are written."""
        return self.own_namespace or self.namespace or OUTSIDE_NAMESPACE

    @property
    def runbooks_of_everybody(self) -> tuple[str, ...]:
        """Namespaces whose Runbooks apply everywhere: the operator's own, where it is known.

        Only there is it certain that whoever writes a Runbook speaks for the whole cluster. An
        operator on somebody's machine has none; `default` is anybody's.
        """
        return (self.own_namespace,) if self.own_namespace else ()

    @property
    def left_out_namespace(self) -> str | None:
        """The operator's own namespace where it is not watched; None where nothing is left out.

        Who names a namespace to watch means it, also where the operator runs in the same.
        """
        if self.watch_own_namespace or self.own_namespace == self.namespace:
            return None
        return self.own_namespace

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """Read `KAUSA_*`, with what the command line says on top.

        Raises:
            SettingsError: a value cannot be used; the message names the variable.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    problems = [
        f"KAUSA_{_variable(problem['loc'])}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return "A setting cannot be used, nothing was started. " + "; ".join(problems) + "."


def _variable(location: tuple[int | str, ...]) -> str:
    """The name of a setting's variable; which part of a list was wrong is in the message."""
    return "_".join(part for part in location if isinstance(part, str)).upper()
