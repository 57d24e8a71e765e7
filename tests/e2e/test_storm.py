"""A storm of the size of a coffee break; `make bench-storm` is the real one, with its times."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.storm.place import Size
from bench.storm.storm import storm
from support.cluster import is_local

# The first time kwok is built, which takes two minutes where Go has nothing in its cache.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
SIZE = Size(pods=300, deployments=5, replicas=20, spread_seconds=3.0)
QUIET_SECONDS = 12.0
# Says only that nothing hangs: how quick it is on a quiet machine, the bench measures.
CEILING_SECONDS = 15.0


async def test_every_deployment_of_a_storm_gets_one_resource_and_nothing_is_dropped(
    kubeconfig: str, tmp_path: Path
) -> None:
    if not is_local():
        pytest.skip("a named cluster gets no fake nodes")
    async with storm(
        kubeconfig=kubeconfig, folder=tmp_path, size=SIZE, quiet_seconds=QUIET_SECONDS
    ) as outcome:
        assert outcome.failed_pods == SIZE.failing
        assert outcome.resources == SIZE.deployments
        assert len(outcome.latencies) == SIZE.deployments
        assert outcome.resources_late == 0
        assert outcome.resources_deleted == 0
        assert outcome.pods_counted == SIZE.failing
        assert outcome.drops == 0
        assert outcome.lag_seconds is not None
        assert max(outcome.latencies) < CEILING_SECONDS
