"""Whatever cannot be read is a gap, the rest is brought home, and nothing is an error."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.dossiers import forbidden
from support.inquiries import made
from support.scenes import SHOWN, failed, gathered, reader_of, scene

from kausa.cluster.errors import NotRecordedError, OverloadedError
from kausa.cluster.kinds import KINDS
from kausa.cluster.paths import ResourcePath
from kausa.evidence.around import MORE_KINDS
from kausa.evidence.dossier import Dossier
from kausa.evidence.single_reader import FILES_ONLY
from kausa.resources.evidence import EvidenceKind

ROOT = Path(__file__).resolve().parents[3]
EVERY = sorted({each["kind"] for each in scene()} | {"Event", "log", "ReplicaSet"})
FAULTS: dict[str, Exception] = {
    "forbidden": forbidden("that"),
    "overloaded": OverloadedError("etcd is away", status=500),
    "not recorded": NotRecordedError("not in the snapshot"),
}


@pytest.fixture(scope="module")
def whole() -> Dossier:
    """What comes home where all can be read."""
    return asyncio.run(gathered(reader_of(scene())))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", EVERY)
async def test_one_kind_that_cannot_be_read_costs_its_own_evidence_only(
    kind: str, fault: str, whole: Dossier
) -> None:
    found = await gathered(reader_of(scene(), errors={kind: FAULTS[fault]}))
    assert not failed(found)
    # A log that was forbidden is one thing, an object that only the other shows another.
    assert len(found.evidence) >= len(whole.evidence) // 3
    assert EvidenceKind.STATUS in {each.kind for each in found.evidence}
    if fault == "forbidden" and found.gaps:
        assert all(gap.permission for gap in found.gaps)
    else:
        assert not any(gap.permission for gap in found.gaps)


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("fault", FAULTS)
async def test_where_nothing_can_be_read_what_was_seen_is_told(fault: str, shown: str) -> None:
    found = await gathered(reader_of(scene(), errors={"*": FAULTS[fault]}), shown=shown)
    assert not failed(found)
    assert found.gaps
    assert {EvidenceKind.QUESTION, EvidenceKind.STATUS} <= {each.kind for each in found.evidence}
    permissions = [gap.permission for gap in found.gaps]
    if fault == "forbidden":
        assert len(permissions) == len(set(permissions))
        assert None not in permissions
    else:
        assert len(found.gaps) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ConfigMap", "Node", "Pod", "*"])
async def test_what_hangs_is_given_up_at_the_deadline_and_the_rest_is_kept(kind: str) -> None:
    started = time.monotonic()
    found = await gathered(reader_of(scene(), slow={kind}), deadline=0.2)
    assert time.monotonic() - started < 3
    assert any("no answer within" in gap.why for gap in found.gaps)
    assert EvidenceKind.STATUS in {each.kind for each in found.evidence}
    if kind == "ConfigMap":
        # The gatherer that waited for it brought home what else it had found.
        assert ("PriorityClass", "high") in {(each.kind, each.name) for each in found.references}


async def test_a_defect_of_one_gatherer_is_a_gap_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = await gathered(reader_of(scene(), errors={"NetworkPolicy": ZeroDivisionError()}))
    (gap,) = [each for each in found.gaps if "while it was read" in each.why]
    assert gap.why == "ZeroDivisionError while it was read"
    assert gap.permission is None
    assert EvidenceKind.NODE in {each.kind for each in found.evidence}


async def test_nothing_is_read_twice() -> None:
    for shown in SHOWN:
        reader = reader_of(scene())
        await gathered(reader, shown=shown)
        reads = [each for each in reader.reads if each[1] != "log"]
        lists = [
            each for each in reads if each[0] == "list" and each[1] not in ("Pod", "EndpointSlice")
        ]
        gets = [each for each in reads if each[0] == "get"]
        assert len(gets) == len(set(gets))
        assert len(lists) == len(set(lists))
        assert len(reads) < 60


# -- permissions -----------------------------------------------------------------------------------


def granted(file: str) -> set[tuple[str, str, str]]:
    """Verb, group and resource of every rule."""
    role = yaml.safe_load((ROOT / "hack" / file).read_text())
    return {
        (verb, group, resource)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def needed(verb: str, path: ResourcePath) -> tuple[str, str, str]:
    return verb, path.api_version.rpartition("/")[0], path.plural


@pytest.mark.slow
@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("pending", [False, True])
async def test_all_that_is_read_on_a_live_cluster_is_granted(shown: str, pending: bool) -> None:
    objects = scene()
    source = {"kind": "VolumeSnapshot", "name": "s"}
    objects.append(made("PersistentVolumeClaim", "more", spec={"dataSource": source}))
    reader = reader_of(objects)
    await gathered(reader, shown=shown, pending=pending, recorded=False)
    kinds: dict[str, ResourcePath] = {**KINDS, **MORE_KINDS}
    asked = {needed(verb, kinds[kind]) for verb, kind, _ in reader.reads if kind != "log"}
    assert asked <= granted("rbac.yaml")
    namespaced = {
        needed(verb, kinds[kind])
        for verb, kind, _ in reader.reads
        if kind != "log" and kinds[kind].namespaced
    }
    assert namespaced <= granted("rbac-namespaced.yaml")
    assert not FILES_ONLY & {kind for _, kind, _ in reader.reads}


@pytest.mark.parametrize("file", ["rbac.yaml", "rbac-namespaced.yaml"])
def test_no_role_grants_secrets_or_a_change_to_what_is_not_ours(file: str) -> None:
    rights = granted(file)
    assert not [each for each in rights if each[2] in ("secrets", "*") or each[0] == "*"]
    writes = {each for each in rights if each[0] in ("create", "update", "patch", "delete")}
    assert {resource for _, _, resource in writes} == {
        "events",
        "leases",
        "failurediagnoses",
        "failurediagnoses/status",
        "runbooks/status",
    }
    assert {verb for verb, _, resource in rights if resource == "runbooks"} == {
        "get",
        "list",
        "watch",
    }
    assert {verb for verb, _, resource in rights if resource == "runbooks/status"} == {"patch"}


async def test_values_of_secrets_in_files_never_leave() -> None:
    hidden = "".join(("plain", "words", "of", "nobody"))
    objects: list[dict[str, Any]] = [
        each if each["kind"] != "Secret" else {**each, "data": {"k": hidden}} for each in scene()
    ]
    found = await gathered(reader_of(objects), recorded=True)
    assert hidden not in repr(found)
    assert found.object("Secret", "s") is not None
