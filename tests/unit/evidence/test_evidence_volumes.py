"""Claims and all that stands behind them."""

from __future__ import annotations

from typing import Any

import pytest
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made, raw_pod
from support.pods import container, pod, waiting

from kausa.cluster.errors import NotRecordedError
from kausa.cluster.paging import Listed
from kausa.cluster.paths import ResourcePath
from kausa.cluster.reader import Manifest
from kausa.detection.symptom import Symptom
from kausa.evidence.unfit_volumes import objections, unfit_evidence
from kausa.evidence.volumes import gather_volumes
from kausa.resources.category import Category

POD = pod(container(waiting("ContainerCreating")))


def claim(phase: str = "Bound", **spec: Any) -> dict[str, Any]:
    return made(
        "PersistentVolumeClaim",
        "data",
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
            **spec,
        },
        status={"phase": phase},
    )


def volume(name: str = "pv-1", **spec: Any) -> dict[str, Any]:
    phase = spec.pop("phase", "Bound")
    return made(
        "PersistentVolume",
        name,
        namespace=None,
        spec={
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "5Gi"},
            "claimRef": {"namespace": "shop", "name": "data"},
            **spec,
        },
        status={"phase": phase},
    )


def class_(name: str = "fast", **parts: Any) -> dict[str, Any]:
    return made("StorageClass", name, namespace=None, provisioner="disk.example", **parts)


async def mounted(*objects: dict[str, Any], errors: dict[str, Exception] | None = None) -> Brought:
    spec = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}
    reader = FakeReader(manifests=(raw_pod(POD, **spec), *objects), errors=errors)
    return await bring(gather_volumes, reader, pod=POD)


async def test_a_claim_that_is_bound_is_told_with_its_volume_and_class() -> None:
    found = await mounted(claim(volumeName="pv-1", storageClassName="fast"), volume(), class_())
    assert not found.references
    for word in ("phase Bound", "provisioner disk.example", "claimed by shop/data", "asks for 2Gi"):
        assert word in found.words()


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([claim("Pending", storageClassName="gone")], ("StorageClass", "gone", "does not exist")),
        ([claim("Pending")], ("StorageClass", "", "is not named, and the cluster has no default")),
        ([claim(volumeName="pv-1")], ("PersistentVolume", "pv-1", "does not exist")),
        (
            [claim("Lost", volumeName="pv-1"), volume()],
            ("PersistentVolumeClaim", "data", "is Lost"),
        ),
        (
            [claim("Pending", dataSource={"kind": "VolumeSnapshot", "name": "s"}), class_()],
            ("VolumeSnapshot", "s", "does not exist"),
        ),
        (
            [claim(volumeName="pv-1"), volume(csi={"driver": "disk.csi.example"})],
            ("CSIDriver", "disk.csi.example", "does not exist"),
        ),
    ],
)
async def test_what_is_missing_behind_a_claim_is_told(
    objects: list[dict[str, Any]], expected: tuple[str, str, str]
) -> None:
    found = await mounted(*objects)
    assert expected in [(kind, name, problem) for kind, name, _, problem in found.broken]


async def test_a_default_class_is_taken_and_an_empty_one_is_meant() -> None:
    default = class_(annotations={"storageclass.kubernetes.io/is-default-class": "true"})
    kinds = {each[0] for each in (await mounted(claim("Pending"), default)).broken}
    assert kinds == {"PersistentVolumeClaim"}
    kinds = {each[0] for each in (await mounted(claim("Pending", storageClassName=""))).broken}
    assert kinds == {"PersistentVolumeClaim"}


async def test_a_default_class_may_stand_in_what_was_not_read_of_a_long_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = FakeReader.manifests

    async def cut(self: FakeReader, path: ResourcePath, **asked: Any) -> tuple[Manifest, ...]:
        return Listed(await whole(self, path, **asked), more=True)

    assert "StorageClass" in {
        each[0] for each in (await mounted(claim("Pending"), class_())).broken
    }
    monkeypatch.setattr(FakeReader, "manifests", cut)
    found = await mounted(claim("Pending"), class_())
    assert {each[0] for each in found.broken} == {"PersistentVolumeClaim"}


def test_a_list_that_was_cut_has_at_least_so_many_more_volumes() -> None:
    volumes = tuple(volume(f"pv-{number}") for number in range(9))
    (whole,) = unfit_evidence(claim("Pending"), volumes)
    (cut,) = unfit_evidence(claim("Pending"), Listed(volumes, more=True))
    assert whole.text.replace("; and ", "; and at least ") == cut.text != whole.text


async def test_a_class_of_which_files_do_not_tell_is_said_in_other_words() -> None:
    unknown: dict[str, Exception] = {"StorageClass": NotRecordedError("unknown")}
    found = await mounted(claim("Pending", storageClassName="fast"), errors=unknown)
    assert ("StorageClass", "fast", "", "is not in the snapshot") in found.broken


async def test_a_snapshot_that_is_not_ready_says_why() -> None:
    snapshot = made(
        "VolumeSnapshot", "s", status={"readyToUse": False, "error": {"message": "no space"}}
    )
    source = {"kind": "VolumeSnapshot", "name": "s"}
    found = await mounted(claim("Pending", dataSource=source), snapshot)
    assert ("VolumeSnapshot", "s", "", "is not ready to use") in found.broken
    assert "no space" in found.words()


async def test_an_attachment_that_fails_tells_its_error() -> None:
    csi = volume(csi={"driver": "disk"})
    driver = made("CSIDriver", "disk", namespace=None)
    attachment = made(
        "VolumeAttachment",
        "a",
        namespace=None,
        spec={"source": {"persistentVolumeName": "pv-1"}, "nodeName": "node-1"},
        status={"attached": False, "attachError": {"message": "Multi-Attach error"}},
    )
    other = {**attachment, "spec": {"source": {"persistentVolumeName": "pv-9"}}}
    found = await mounted(claim(volumeName="pv-1"), csi, driver, attachment, other)
    assert "cannot be attached to node node-1: Multi-Attach error" in found.words()
    assert "pv-9" not in found.words()


async def test_a_volume_that_the_node_cannot_reach_is_told() -> None:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}
    far = volume(nodeAffinity={"required": {"nodeSelectorTerms": [term]}})
    found = await mounted(claim(volumeName="pv-1"), far)
    assert "zone in (b), and node node-1 is not there" in found.words()


async def test_claims_that_wait_are_found_where_the_spec_does_not_name_them() -> None:
    symptom = Symptom(
        category=Category.VOLUME, reason="FailedMount", reason_class="x", detail="", message=""
    )
    reader = FakeReader(manifests=(raw_pod(POD), claim("Pending"), class_()))
    found = await bring(gather_volumes, reader, pod=POD, symptom=symptom)
    assert ("PersistentVolumeClaim", "data", "", "is Pending") in found.broken
    other = Symptom(
        category=Category.CRASH_LOOP, reason="Error", reason_class="x", detail="", message=""
    )
    assert not (await bring(gather_volumes, reader, pod=POD, symptom=other)).references


async def test_the_class_of_claims_to_be_made_is_looked_for() -> None:
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": "gone"}}
    database = made(
        "StatefulSet", "db", api_version="apps/v1", spec={"volumeClaimTemplates": [template]}
    )
    found = await bring(gather_volumes, FakeReader(manifests=(database,)), shown_by=database)
    assert found.broken == [("StorageClass", "gone", "", "does not exist")]


@pytest.mark.parametrize(
    ("has", "words"),
    [
        ({"claimRef": {"namespace": "a", "name": "b"}}, "is claimed by a/b"),
        ({"phase": "Released"}, "is Released"),
        ({"accessModes": ["ReadOnlyMany"]}, "offers ReadOnlyMany, not ReadWriteOnce"),
        ({"storageClassName": "slow"}, "has class slow, not none"),
        ({"capacity": {"storage": "1Gi"}}, "has 1Gi of 2Gi asked for"),
        ({"volumeMode": "Block"}, "is Block, not Filesystem"),
        ({}, ""),
    ],
)
def test_each_volume_says_why_it_is_none_for_the_claim(has: dict[str, Any], words: str) -> None:
    assert ", ".join(objections(claim("Pending"), volume(**has))) == words


async def test_a_claim_that_grows_is_found_where_the_spec_does_not_name_it() -> None:
    grows = claim()
    grows["status"]["conditions"] = [{"type": "FileSystemResizePending", "status": "True"}]
    symptom = Symptom(
        category=Category.VOLUME, reason="FailedMount", reason_class="FailedMount", detail="",
        message="timed out",
    )  # fmt: skip
    found = await bring(gather_volumes, FakeReader(manifests=(grows,)), pod=POD, symptom=symptom)
    assert "FileSystemResizePending" in found.words()
