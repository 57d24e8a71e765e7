from __future__ import annotations

from pathlib import Path

from localcluster import cgroups, mounts, network, packages

MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /cache/state/kubelet/pods/a/volumes/x tmpfs rw 0 0
tmpfs /cache/state/with\\040space tmpfs rw 0 0
tmpfs /cache/state-of-another tmpfs rw 0 0
"""
MOUNTINFO = """\
30 1 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro
31 30 0:27 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory
32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def test_mounts_are_found_by_folder_and_not_by_the_start_of_a_name() -> None:
    assert mounts.under(MOUNTS, Path("/cache/state")) == [
        "/cache/state/with space",
        "/cache/state/kubelet/pods/a/volumes/x",
    ]


def test_control_group_trees_are_found_with_and_without_optional_fields() -> None:
    assert cgroups.hierarchies(MOUNTINFO) == [
        Path("/sys/fs/cgroup/memory"),
        Path("/sys/fs/cgroup/unified"),
    ]


def test_the_ports_of_a_bridge_are_read_without_their_peers() -> None:
    listing = "7: veth12ab@if2: <BROADCAST,UP> mtu 1500\n9: tap0: <BROADCAST> mtu 1500\n"
    assert network.ports_of(listing) == ["veth12ab", "tap0"]
    assert network.ports_of("") == []


def elf(*segments: int) -> bytes:
    """A 64-bit ELF header with program headers of these kinds."""
    header = bytearray(64)
    header[:5] = b"\x7fELF\x02"
    header[32:40] = (64).to_bytes(8, "little")
    header[54:56] = (56).to_bytes(2, "little")
    header[56:58] = len(segments).to_bytes(2, "little")
    return bytes(header) + b"".join(kind.to_bytes(4, "little") + bytes(52) for kind in segments)


def test_a_program_with_an_interpreter_is_not_static() -> None:
    assert packages.is_static(elf(1, 1))
    assert not packages.is_static(elf(1, 3))
    assert not packages.is_static(b"#!/bin/sh\n")
