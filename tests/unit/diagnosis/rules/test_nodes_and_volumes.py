"""Nodes and claims are read from their own status, where no message says it all."""

from __future__ import annotations

from typing import Any

import pytest
from support.surroundings import best, dossier_of, lost, made, pod_of, said

from kausa.diagnosis.rules.claims import claim_is_not_bound, claim_is_resized, claim_is_slow
from kausa.diagnosis.rules.nodes import node_flaps, node_is_not_ready, node_under_pressure
from kausa.resources.category import Category


def node(*conditions: tuple[str, str, str], name: str = "n1") -> dict[str, Any]:
    listed = [
        {"type": type_, "status": status, "reason": "Because", "message": message}
        for type_, status, message in conditions
    ]
    return made("Node", name, namespace="", status={"conditions": listed})


def claim(phase: str = "Pending", *, name: str = "data", **spec: Any) -> dict[str, Any]:
    return made("PersistentVolumeClaim", name, spec=spec, status={"phase": phase})


SCALER = ("HorizontalPodAutoscaler", "web")
VOLUME = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}


@pytest.mark.parametrize("kind", ["MemoryPressure", "DiskPressure", "PIDPressure"])
def test_a_node_under_pressure_is_named(kind: str) -> None:
    found = best(dossier_of(pod=pod_of(node="n1"), manifests=[node((kind, "True", ""))]))
    assert found.category is Category.NODE
    assert kind in found.summary
    assert "n1" in found.summary


def test_two_pressures_of_a_node_that_is_ready_are_both_told() -> None:
    sick = node(("Ready", "True", ""), ("MemoryPressure", "True", ""), ("DiskPressure", "True", ""))
    found = best(dossier_of(pod=pod_of(node="n1"), manifests=[sick]))
    assert "memory and disk" in found.summary
    assert "although it is Ready" in found.root_cause


def test_the_pressure_of_another_node_is_not_ones_own() -> None:
    other = node(("DiskPressure", "True", ""), name="n2")
    assert node_under_pressure(dossier_of(pod=pod_of(node="n1"), manifests=[other])) is None


def test_a_node_that_is_not_ready_is_told_with_its_kubelets_words() -> None:
    sick = node(("Ready", "False", "the dog ate the network"))
    found = best(dossier_of(pod=pod_of(node="n1"), manifests=[sick]))
    assert found.category is Category.NODE
    assert "the dog ate the network" in found.summary


def test_a_node_that_is_ready_is_no_cause() -> None:
    well = node(("Ready", "True", ""), ("MemoryPressure", "False", ""))
    dossier = dossier_of(pod=pod_of(node="n1"), manifests=[well])
    assert node_is_not_ready(dossier) is None
    assert node_under_pressure(dossier) is None


def test_a_node_that_became_unready_twice_flaps() -> None:
    turns = (
        said("NodeNotReady", "Node is not ready", minute=2),
        said("NodeReady", "Node is ready", type_="normal", minute=5),
        said("NodeNotReady", "Node is not ready again", minute=9),
    )
    found = best(dossier_of(*turns, pod=pod_of(node="n1"), manifests=[node()]))
    assert "flapping" in found.summary
    assert "2 times within 7 minutes" in found.root_cause
    assert node_flaps(dossier_of(turns[0], pod=pod_of(node="n1"))) is None


def test_a_claim_that_is_not_bound_is_named_with_its_class() -> None:
    waits = claim(storageClassName="fast", resources={"requests": {"storage": "20Gi"}})
    found = best(dossier_of(pod=pod_of(spec=VOLUME), manifests=[waits]))
    assert found.category is Category.VOLUME
    assert "data is Pending" in found.summary
    assert "of class fast for 20Gi" in found.root_cause


def test_a_claim_that_is_bound_is_no_cause() -> None:
    dossier = dossier_of(pod=pod_of(spec=VOLUME), manifests=[claim("Bound")])
    assert claim_is_not_bound(dossier) is None


def test_a_claim_of_the_namespace_is_no_cause_unless_volumes_are_complained_of() -> None:
    assert claim_is_not_bound(dossier_of(pod=pod_of(), manifests=[claim()])) is None
    complained = dossier_of(said("FailedMount", ""), pod=pod_of(), manifests=[claim()])
    assert claim_is_not_bound(complained) is not None


def test_access_modes_that_no_volume_has_are_told_on_both_sides() -> None:
    volume = made("PersistentVolume", "pv-1", namespace="", spec={"accessModes": ["ReadWriteOnce"]})
    wants = claim(accessModes=["ReadWriteMany"])
    found = best(dossier_of(pod=pod_of(spec=VOLUME), manifests=[wants, volume]))
    assert "ReadWriteMany" in found.summary
    assert "pv-1 offers ReadWriteOnce" in found.summary


def test_a_snapshot_that_is_not_ready_is_the_cause_of_its_claim() -> None:
    wants = claim(dataSource={"kind": "VolumeSnapshot", "name": "monday"})
    error = {"readyToUse": False, "error": {"message": "content is gone"}}
    snapshot = made("VolumeSnapshot", "monday", status=error)
    found = best(dossier_of(pod=pod_of(spec=VOLUME), manifests=[wants, snapshot]))
    assert found.category is Category.STORAGE
    assert "content is gone" in found.root_cause


def test_a_pending_resize_of_a_file_system_is_told() -> None:
    grows = claim("Bound", resources={"requests": {"storage": "30Gi"}})
    grows["status"]["conditions"] = [{"type": "FileSystemResizePending", "status": "True"}]
    found = best(dossier_of(pod=pod_of(spec=VOLUME), manifests=[grows]))
    assert "resize" in found.summary
    assert "30Gi" in found.root_cause
    assert claim_is_resized(dossier_of(pod=pod_of(spec=VOLUME), manifests=[claim("Bound")])) is None


def test_a_provisioner_that_does_not_finish_is_told_with_the_time() -> None:
    asked = tuple(
        said("ExternalProvisioning", "waiting for acme", type_="normal", minute=minute)
        for minute in (0, 12)
    )
    found = claim_is_slow(dossier_of(*asked, pod=pod_of()))
    assert found is not None
    assert "12 minutes" in found.summary
    done = said("ProvisioningSucceeded", "made it", type_="normal", minute=13)
    assert claim_is_slow(dossier_of(*asked, done, pod=pod_of())) is None


@pytest.mark.parametrize(
    ("reference", "category", "confident"),
    [
        (lost("PersistentVolumeClaim", "data"), Category.VOLUME, True),
        (lost("StorageClass", "gold"), Category.STORAGE, True),
        (lost("StorageClass", "gold", problem="is not in the snapshot"), Category.STORAGE, False),
        (lost("ConfigMap", "flags", key="a", problem="has no such key"), Category.CONFIG, True),
        (lost("NetworkAttachmentDefinition", "fast"), Category.NETWORK, True),
        (lost("Node", "n9"), Category.NODE, True),
        (lost("Service", "db", field="events[Failed]"), Category.SERVICE, True),
        (lost("Service", "db", key="port 1", problem="has no such port"), Category.SERVICE, True),
        (lost("Service", "db", problem="has no endpoint that is ready"), Category.DEPENDENCY, True),
        (lost("Service", "db", by=("Ingress", "edge")), Category.SERVICE, True),
        (lost("Secret", "tls", by=("Ingress", "edge")), Category.SERVICE, True),
        (lost("IngressClass", "nginx", by=("Ingress", "edge")), Category.SERVICE, True),
        (lost("Deployment", "web", by=SCALER), Category.AUTOSCALING, True),
    ],
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_told(
    reference: Any, category: Category, confident: bool
) -> None:
    found = best(dossier_of(pod=pod_of(), references=[reference]))
    assert found.category is category
    assert reference.name in found.summary
    assert (found.confidence >= 80) is confident


def test_what_is_checked_at_creation_does_not_explain_a_pod_that_exists() -> None:
    account = lost("ServiceAccount", "builder")
    workload = dossier_of(shown_by=("Deployment", "web"), references=[account])
    assert best(workload).category is Category.ADMISSION
    pending = dossier_of(
        said("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
        pod=pod_of(),
        references=[account],
    )
    assert best(pending).category is Category.SCHEDULING


def test_a_service_without_endpoints_does_not_explain_the_pod_behind_it() -> None:
    behind = lost("Service", "web", by=("Service", "web"), problem="has no endpoint that is ready")
    waits = dossier_of(
        said("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
        pod=pod_of(),
        references=[behind],
    )
    assert best(waits).category is Category.SCHEDULING
    assert best(dossier_of(shown_by=("Service", "web"), references=[behind])).category is (
        Category.SERVICE
    )
