"""`helm uninstall`: the last of the suite, because the others share the release."""

from __future__ import annotations

import contextlib

import pytest
from e2e_chart.reading import leftovers
from e2e_chart.release import NAMESPACE, Release
from kubernetes import client
from support.operator_process import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

KEEP = ("helm.sh/resource-policy", "keep")
# Made by controllers out of what stays or was there, and gone or harmless without it.
ECHOES = {"Endpoints", "EndpointSlice"}


def _left(release: Release) -> set[tuple[str, str]]:
    return {each for each in leftovers(release.api) if each[0] not in ECHOES}


def test_only_what_is_to_be_kept_stays(installed: Release) -> None:
    manifest = installed.manifest()
    kept = {
        (each["kind"], each["metadata"]["name"])
        for each in manifest
        if KEEP in each["metadata"].get("annotations", {}).items()
    }
    assert {kind for kind, _ in kept} == {
        "CustomResourceDefinition",
        "PersistentVolumeClaim",
        "Secret",
    }
    crds = {each for each in kept if each[0] == "CustomResourceDefinition"}
    installed.uninstall()
    with contextlib.suppress(AssertionError):
        wait_for(lambda: _left(installed) == kept - crds, what="the garbage collector", seconds=90)
    # CRDs have no label of a release: they belong to the cluster.
    assert _left(installed) == kept - crds
    there = client.ApiextensionsV1Api(installed.api).list_custom_resource_definition().items
    assert {name for _, name in crds} <= {each.metadata.name for each in there}
    # Whatever has no label of ours: Helm's own record, and what the operator wrote itself.
    assert installed.core.list_namespaced_pod(NAMESPACE).items == []
    secrets = installed.core.list_namespaced_secret(NAMESPACE).items
    assert {each.metadata.name for each in secrets} == {
        name for kind, name in kept if kind == "Secret"
    }
