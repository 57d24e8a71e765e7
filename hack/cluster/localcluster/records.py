"""What the machine was like before `up`, so that `down` can put it back without guessing.

The record is on the disk before the first change is made. A second one, written when `up` is done,
says what `up` left each setting at: one that has another value by then was changed by somebody
else, and stays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from localcluster import cgroups, containerd, firewall, network

PROC_SYS = Path("/proc/sys")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Another number whenever a cluster of an earlier version lacks something: `up` makes it anew.
FORM = 2
# ip_forward first: writing it resets the interfaces' own settings, which come after it.
SETTINGS = (
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/bridge/bridge-nf-call-iptables",
)
INTERFACE_SETTINGS = "net/ipv4/conf/*/*"
# What containerd, its plugins and the kubelet make outside the state, innermost first.
PATHS = (
    "/var/log/containers",
    "/var/log/pods",
    "/var/lib/cni/results",
    "/var/lib/cni",
    "/var/lib/kubelet/device-plugins/kubelet.sock",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/run/containerd/s",
    "/run/containerd",
    "/run/mount",
    "/run/netns",
)


@dataclass(frozen=True, slots=True)
class Before:
    """The machine before the cluster."""

    boot: str
    settings: dict[str, str]
    chains: dict[str, list[str]]
    paths: list[str]
    service_address: bool
    sockets: list[str]
    controllers: dict[str, str]


def read_boot() -> str:
    return BOOT_ID.read_text().strip()


def read_settings(root: Path = PROC_SYS) -> dict[str, str]:
    values = {}
    files = [root / name for name in SETTINGS]
    for file in [*files, *sorted(root.glob(INTERFACE_SETTINGS))]:
        with suppress(OSError):
            values[str(file.relative_to(root))] = file.read_text().strip()
    return values


def present(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if Path(path).exists()]


def observe() -> Before:
    return Before(
        boot=read_boot(),
        settings=read_settings(),
        chains=firewall.read_chains(),
        paths=present(PATHS),
        service_address=network.has_service_address(),
        sockets=containerd.shim_sockets(),
        controllers=cgroups.controllers(),
    )


def write(target: Path, document: Mapping[str, object]) -> None:
    """All of it or nothing, even when the machine goes down in the middle."""
    aside = target.with_suffix(".new")
    with aside.open("w") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)


def save(before: Before, target: Path) -> None:
    write(target, asdict(before))


def load(source: Path) -> Before | None:
    try:
        return Before(**json.loads(source.read_text()))
    except FileNotFoundError:
        return None


def write_finished(target: Path) -> None:
    """`up` came to its end: how it left the settings, and what form of cluster it made."""
    write(target, {"settings": read_settings(), "form": FORM})


def is_finished(source: Path) -> bool:
    """Whether a cluster of today's form came up here."""
    try:
        form = json.loads(source.read_text()).get("form")
    except FileNotFoundError:
        return False
    return bool(form == FORM)


def load_settings(source: Path) -> dict[str, str] | None:
    """The settings as `up` left them; None where it never came that far."""
    try:
        settings: dict[str, str] = json.loads(source.read_text())["settings"]
    except FileNotFoundError:
        return None
    return settings


def to_restore(
    *, before: Mapping[str, str], after: Mapping[str, str] | None, now: Mapping[str, str]
) -> dict[str, str]:
    """The settings to put back: changed since `before`, and by nobody else since `after`."""
    return {
        name: value
        for name, value in before.items()
        if name in now
        and now[name] != value
        and (after is None or name not in after or after[name] == now[name])
    }


def write_setting(name: str, value: str) -> None:
    (PROC_SYS / name).write_text(value)


def restore_settings(before: Mapping[str, str], after: Mapping[str, str] | None) -> None:
    for name, value in to_restore(before=before, after=after, now=read_settings()).items():
        # An interface may be gone, and some settings are read-only on some kernels.
        with suppress(OSError):
            write_setting(name, value)


def remove_paths(before: Iterable[str], paths: Iterable[str] = PATHS) -> None:
    """Takes away what came with us, as far as nobody else put something into it."""
    for path in map(Path, paths):
        if str(path) not in before:
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
