"""What a found object is called by, whichever class it was decoded as."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from kausa.cluster.objects import Pod
from kausa.cluster.workloads import Service, Workload
from kausa.controller.found import Found, reference
from kausa.learning.rollout_kinds import ROLLING_KINDS

KINDS = (Pod, Service, *get_args(Workload))


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
def test_every_kind_that_is_watched_has_a_reference(kind: type) -> None:
    named: Any = msgspec.convert(
        {"metadata": {"name": "web", "namespace": "shop", "uid": "u"}}, kind
    )
    found = reference(named)
    assert (found.kind, found.namespace, found.name, found.uid) == (
        kind.__name__,
        "shop",
        "web",
        "u",
    )
    assert found.api_version


@pytest.mark.parametrize("kind", ROLLING_KINDS, ids=lambda each: each.__name__)
def test_a_kind_that_is_decoded_further_where_there_is_a_memory_is_called_the_same(
    kind: type,
) -> None:
    document = {"metadata": {"name": "web", "namespace": "shop", "uid": "u"}}
    rolling = msgspec.convert(document, ROLLING_KINDS[kind])
    assert reference(rolling) == reference(msgspec.convert(document, kind))
    assert Found(object=rolling).shown_by.kind == kind.__name__
