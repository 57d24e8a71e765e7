"""The proxy of the fault tests does what it says; else nothing was cut and everything passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from support.cutting_proxy import CuttingProxy, cutting_proxy
from support.operator_process import wait_for
from urllib3.exceptions import HTTPError

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


@pytest.fixture
def proxy(kubeconfig: str, tmp_path: Path) -> Iterator[CuttingProxy]:
    with cutting_proxy(kubeconfig, folder=tmp_path / "proxy") as found:
        yield found


@pytest.fixture
def through(proxy: CuttingProxy) -> Iterator[Any]:
    with config.new_client_from_config(str(proxy.kubeconfig)) as found:
        found.rest_client.pool_manager.connection_pool_kw["retries"] = False
        yield found


@pytest.fixture
def watch(through: Any) -> Callable[[], Iterator[bytes]]:
    """A watch of namespaces that has brought its first bytes."""

    def begin() -> Iterator[bytes]:
        response = client.CoreV1Api(through).list_namespace(
            watch=True, _preload_content=False, _request_timeout=3
        )
        chunks: Iterator[bytes] = response.stream(65536)
        assert b"ADDED" in next(chunks)
        return chunks

    return begin


def names(through: Any) -> set[str]:
    found = client.CoreV1Api(through).list_namespace(_request_timeout=5).items
    return {each.metadata.name for each in found}


def test_it_forwards_with_a_verified_certificate_and_knows_what_was_asked(
    proxy: CuttingProxy, through: Any
) -> None:
    assert "kube-system" in names(through)
    (request,) = proxy.requests()
    assert (request.method, request.path, request.watches) == ("GET", "/api/v1/namespaces", False)


def test_it_cuts_the_watches_and_leaves_the_rest(
    proxy: CuttingProxy, through: Any, watch: Callable[[], Iterator[bytes]]
) -> None:
    names(through)
    standing = watch()
    assert proxy.requests()[-1].watches
    assert proxy.cut_watches() == 1
    with pytest.raises(HTTPError):
        b"".join(standing)
    assert "default" in names(through)
    assert (proxy.watches_cut, proxy.cut_watches()) == (1, 0)


def test_a_silenced_watch_stays_open_and_a_new_one_speaks(
    proxy: CuttingProxy, through: Any, watch: Callable[[], Iterator[bytes]], tmp_path: Path
) -> None:
    core = client.CoreV1Api(through)
    standing = watch()
    assert proxy.silence_watches() == 1
    core.patch_namespace("default", {"metadata": {"labels": {"kausa-test": tmp_path.name[:40]}}})
    try:
        with pytest.raises(HTTPError, match="timed out"):
            b"".join(standing)
    finally:
        core.patch_namespace("default", {"metadata": {"labels": {"kausa-test": None}}})
    watch()


def test_nobody_gets_through_while_it_refuses(proxy: CuttingProxy, through: Any) -> None:
    names(through)
    proxy.refuse()
    with pytest.raises((HTTPError, OSError)):
        names(through)
    proxy.admit()
    assert "default" in wait_for(lambda: names(through), what="an answer")
