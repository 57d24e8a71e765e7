"""What of a cluster's objects goes into a case: all that a diagnosis may read, and no more.

Left out is what would only make the files long (image lists of nodes), what belongs to this one
cluster and says nothing (its certificates), and every Secret.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from hack.record_cases.scenario import Manifest

NOISE_OF_NODES = ("images", "daemonEndpoints", "config", "addresses")
IDS_OF_NODES = ("machineID", "systemUUID", "bootID")
CLUSTER_CERTIFICATE = "kube-root-ca.crt"


def cleaned(objects: Iterable[Manifest]) -> list[Manifest]:
    """The objects as they are written down, in a fixed order."""
    kept = [_cleaned(each) for each in objects if _is_kept(each)]
    return sorted(kept, key=_order)


def _is_kept(found: Manifest) -> bool:
    if found["kind"] == "Secret":
        return False
    return not (
        found["kind"] == "ConfigMap" and found["metadata"].get("name") == CLUSTER_CERTIFICATE
    )


def _cleaned(found: Manifest) -> Manifest:
    made = copy.deepcopy(found)
    if made["kind"] == "Node":
        status = made.get("status", {})
        for name in NOISE_OF_NODES:
            status.pop(name, None)
        for name in IDS_OF_NODES:
            status.get("nodeInfo", {}).pop(name, None)
    return made


def _order(found: Manifest) -> tuple[str, str, str]:
    meta = found["metadata"]
    return found["kind"], meta.get("namespace", ""), meta.get("name", "")
