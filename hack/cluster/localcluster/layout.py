"""Where everything lies, as pure paths: nothing here touches the disk.

The cache and the state are apart. The binaries take minutes to build and outlive every cluster;
the state belongs to one cluster and is thrown away with it. Both lie outside the tree, and the
state's path is what marks our processes, mounts and links as ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one local cluster."""

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, home: Path) -> Layout:
        if named := environment.get("KAUSA_CACHE"):
            cache = Path(named)
        elif xdg := environment.get("XDG_CACHE_HOME"):
            cache = Path(xdg) / "kausa"
        else:
            cache = home / ".cache" / "kausa"
        # Resolved, because the kernel shows mounts and link targets with their real paths.
        return cls(cache.absolute().resolve() / "cluster")

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def last_logs(self) -> Path:
        """The logs of the cluster that was taken down last."""
        return self.root / "last-logs"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def before(self) -> Path:
        """What the machine was like before `up` changed it."""
        return self.state / "before.json"

    @property
    def finished(self) -> Path:
        """Written when `up` came to its end; says what `up` left the settings at."""
        return self.state / "finished.json"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def etcd(self) -> Path:
        return self.state / "etcd"

    @property
    def kubelet(self) -> Path:
        return self.state / "kubelet"

    @property
    def containerd(self) -> Path:
        return self.state / "containerd"

    @property
    def cni(self) -> Path:
        return self.state / "cni"

    @property
    def socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def kwok(self) -> Path:
        """There while the cluster has fake nodes; names the program that plays them."""
        return self.run / "kwok"

    @property
    def coredns(self) -> Path:
        """Names the program that answers this cluster's pods for names."""
        return self.run / "coredns"

    @property
    def corefile(self) -> Path:
        return self.run / "Corefile"

    @property
    def kwok_config(self) -> Path:
        return self.run / "kwok.yaml"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"
