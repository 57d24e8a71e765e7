"""What can be said about a machine before anything is started or built on it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

from localcluster.errors import CannotRun

_INSTEAD = "name another one in KAUSA_TEST_KUBECONFIG"


def check_platform() -> None:
    if not sys.platform.startswith("linux"):
        raise CannotRun(f"The local cluster runs on Linux only; {_INSTEAD}.")
    if os.geteuid() != 0:
        raise CannotRun(f"The local cluster needs root for its containers; {_INSTEAD}.")


def check_ports(ports: Mapping[int, str]) -> None:
    for port, component in ports.items():
        with socket.socket() as probe:
            # As servers do: an address that only waits for late packets is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CannotRun(
                    f"Port {port}, which {component} needs, is taken ({error.strerror})."
                ) from None
