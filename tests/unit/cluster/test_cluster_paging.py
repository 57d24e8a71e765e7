"""A collection is read to its bound, and whoever reads it is told whether that was all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.snapshots import client_of, thin_pod

from kausa.cluster import paging
from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Pod
from kausa.cluster.paging import is_whole, list_all
from kausa.cluster.paths import PODS
from kausa.cluster.reader import LiveCluster


@pytest.mark.parametrize(("most", "read", "whole"), [(2, 2, False), (3, 3, True), (9, 3, True)])
async def test_a_list_says_whether_it_goes_on(
    tmp_path: Path, most: int, read: int, whole: bool
) -> None:
    client = client_of(tmp_path, *(thin_pod(name) for name in "abc"))
    found = await list_all(client, PODS.collection(namespace="shop"), kind=Pod, most=most)
    assert (len(found), is_whole(found)) == (read, whole)


async def test_others_have_their_turn_while_a_long_list_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(tmp_path, *(thin_pod(name) for name in "abcdef"))
    turns = []

    async def other() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def turns_meanwhile(bytes_at_once: int) -> int:
        monkeypatch.setattr(paging, "BYTES_AT_ONCE", bytes_at_once)
        turns.clear()
        task = asyncio.create_task(other())
        found = await list_all(client, PODS.collection(namespace="shop"), kind=Pod, most=9)
        task.cancel()
        assert len(found) == 6
        return len(turns)

    assert await turns_meanwhile(0) >= await turns_meanwhile(1_000_000) + 6


async def test_the_reader_passes_on_that_a_list_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = LiveCluster(client=client_of(tmp_path, *(thin_pod(name) for name in "abc")))
    assert is_whole(await reader.manifests(KINDS["Pod"], namespace="shop"))
    monkeypatch.setattr("kausa.cluster.reader.MOST_MANIFESTS", 2)
    assert not is_whole(await reader.manifests(KINDS["Pod"], namespace="shop"))


def test_what_could_not_be_read_is_not_whole() -> None:
    assert not is_whole(None)
    assert is_whole(())
