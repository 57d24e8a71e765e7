"""A URL of the API server is made of names that others chose, and goes where it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from kausa.cluster.errors import UndecodableError
from kausa.cluster.paths import PODS, ResourcePath


def test_a_path_is_spelled_as_the_api_server_spells_it() -> None:
    crons = ResourcePath(api_version="batch/v1", plural="cronjobs", kind="CronJob")
    nodes = ResourcePath(api_version="v1", plural="nodes", kind="Node", namespaced=False)
    assert PODS.collection() == "/api/v1/pods"
    assert PODS.object(name="web-0", namespace="shop") == "/api/v1/namespaces/shop/pods/web-0"
    assert crons.collection(namespace="shop") == "/apis/batch/v1/namespaces/shop/cronjobs"
    assert nodes.object(name="a:b") == "/api/v1/nodes/a%3Ab"


@pytest.mark.parametrize(
    "name",
    ["../../../kube-system/configmaps/x", "..", ".", "", "a/b", "%2e%2e", "a%2Fb", "/"],
)
def test_a_name_that_would_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(UndecodableError):
        PODS.object(name=name, namespace="shop")
    with pytest.raises(UndecodableError):
        PODS.object(name="web-0", namespace=name)
    with pytest.raises(UndecodableError):
        ResourcePath(api_version="v1", plural=name, kind="X").collection()


@pytest.mark.parametrize(
    "api_version",
    ["", "v1/", "/v1", "../v1", "apps/v1/x", "apps/../v1", "apps/v1?x", "Apps/v1", "v1\n", "%/v1"],
)
def test_what_is_no_api_version_is_refused(api_version: str) -> None:
    with pytest.raises(UndecodableError):
        ResourcePath(api_version=api_version, plural="x", kind="X").collection()


@given(st.text(max_size=20))
def test_any_name_is_one_segment_or_refused(name: str) -> None:
    try:
        path = PODS.object(name=name, namespace="shop")
    except UndecodableError:
        return
    parsed = URL(f"http://x{path}")
    assert parsed.parts[:6] == ("/", "api", "v1", "namespaces", "shop", "pods")
    assert len(parsed.parts) == 7
    assert (parsed.query_string, parsed.fragment) == ("", "")
