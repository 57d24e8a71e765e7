"""What was edited around a workload is told where it may have led to the failure."""

from __future__ import annotations

from typing import Any

import pytest
from support.changes import changed, dossier_of, symptom
from support.pods import at, event, stamp
from support.templates import config_map, deployment, template

from kausa.resources.category import Category

WORKLOAD = deployment(template())


async def test_a_key_of_a_config_map_that_somebody_edited_is_told_with_its_value() -> None:
    settings = config_map(
        ("helm", -86_400 * 30, ("db", "level")),
        ("kubectl-edit", -120, ("db",)),
        data={"db": "db.wrong:5432", "level": "info"},
    )
    found = await dossier_of(WORKLOAD, settings)
    (edit,) = (each for each in found.changes if each.path.startswith("ConfigMap"))
    assert edit.path == "ConfigMap/settings data[db]"
    assert (edit.after, edit.at) == ("db.wrong:5432", at(-120))
    (evidence,) = (each for each in found.evidence if edit.citation in each.text)
    assert "edited by kubectl-edit" in evidence.text
    assert "2 minutes before it began to fail" in evidence.text


@pytest.mark.parametrize(
    "seconds", [-86_400 * 2, 3_000], ids=["two days before it failed", "long after it failed"]
)
async def test_an_edit_that_cannot_have_led_to_the_failure_is_not_told(seconds: float) -> None:
    settings = config_map(
        ("helm", -86_400 * 30, ("a",)), ("kubectl-edit", seconds, ("db",)), data={"db": "x"}
    )
    assert not await changed(WORKLOAD, settings)


async def test_an_edit_before_a_start_that_went_well_is_not_told() -> None:
    settings = config_map(
        ("helm", -86_400 * 30, ("a",)), ("kubectl-edit", -120, ("db",)), data={"db": "x"}
    )
    # The Pod was made when everything here begins, and failed an hour later.
    assert not await changed(WORKLOAD, settings, seen=symptom(seconds=3_600))
    (edit,) = await changed(WORKLOAD, settings, seen=symptom(seconds=60))
    assert edit.after == "x"


async def test_the_writing_that_made_a_config_map_is_no_edit_of_it() -> None:
    settings = config_map(("helm", -86_400 * 30, ("db",)), data={"db": "x"})
    settings["metadata"]["creationTimestamp"] = stamp(-86_400 * 30)
    assert not await changed(WORKLOAD, settings)


async def test_a_config_map_of_one_manager_tells_its_keys_and_not_which_was_changed() -> None:
    settings = config_map(("helm", -120, ("db", "level")), data={"db": "x", "level": "info"})
    found = await dossier_of(WORKLOAD, settings)
    (edit,) = found.changes
    assert (edit.path, edit.after) == ("ConfigMap/settings", None)
    assert "its keys: db, level" in found.evidence[0].text


async def test_of_a_config_map_with_one_key_it_is_known_which_was_changed() -> None:
    settings = config_map(("helm", -120, ("level",)), data={"level": "verbose"})
    found = await dossier_of(WORKLOAD, settings)
    assert found.changes[0].path == "ConfigMap/settings data[level]"
    assert found.evidence[0].text == (
        "key level of ConfigMap settings was edited by helm (now level=verbose) at "
        f"{stamp(-120)}, 2 minutes before it began to fail"
    )


async def test_a_config_map_that_nobody_reads_is_not_told() -> None:
    other = config_map(("helm", -9_000, ("a",)), ("me", -120, ("db",)), data={"db": "x"})
    other["metadata"]["name"] = "others"
    assert not await changed(WORKLOAD, other)


async def test_a_config_map_that_was_made_anew_is_told() -> None:
    settings = config_map(data={"db": "x"})
    settings["metadata"]["creationTimestamp"] = stamp(-120)
    (made,) = await changed(WORKLOAD, settings)
    assert (made.path, made.at) == ("ConfigMap/settings", at(-120))


def node(**fields: Any) -> dict[str, Any]:
    made = {"name": "node-1", "creationTimestamp": stamp(-86_400)}
    return {"kind": "Node", "metadata": made, "spec": {}, "status": {}, **fields}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            node(
                status={
                    "conditions": [
                        {
                            "type": "MemoryPressure",
                            "status": "True",
                            "reason": "KubeletHasInsufficientMemory",
                            "lastTransitionTime": stamp(-60),
                        }
                    ]
                }
            ),
            "Node node-1 got the condition MemoryPressure",
        ),
        (
            node(
                status={
                    "conditions": [
                        {"type": "Ready", "status": "True", "lastTransitionTime": stamp(-60)}
                    ]
                }
            ),
            "Node node-1 became ready again",
        ),
        (
            node(
                spec={
                    "taints": [
                        {
                            "key": "node.kubernetes.io/unschedulable",
                            "effect": "NoSchedule",
                            "timeAdded": stamp(-60),
                        }
                    ]
                }
            ),
            "Node node-1 was cordoned",
        ),
        (
            node(metadata={"name": "node-1", "creationTimestamp": stamp(-600)}),
            "Node node-1 was added to the cluster",
        ),
    ],
)
async def test_what_happened_to_the_node_is_told(found: dict[str, Any], said: str) -> None:
    dossier = await dossier_of(WORKLOAD, found)
    (change,) = dossier.changes
    assert dossier.evidence[0].text.startswith(said)
    assert said.startswith(change.citation)


async def test_a_node_as_it_was_all_day_is_not_told() -> None:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(-80_000)}
    pressure = {"type": "DiskPressure", "status": "False", "lastTransitionTime": stamp(-60)}
    assert not await changed(WORKLOAD, node(status={"conditions": [ready, pressure]}))


async def test_a_workload_that_was_scaled_is_told_and_a_rollout_is_not_taken_for_it() -> None:
    seen = symptom(Category.QUOTA, seconds=1)

    def scaled(*messages: str) -> dict[str, Any]:
        events = tuple(
            event("ScalingReplicaSet", each, type_="Normal", uid="owner-uid") for each in messages
        )
        return {"events": events, "seen": seen}

    asked = "Scaled up replica set checkout-3 from 2 to 6"
    (scale,) = await changed(WORKLOAD, **scaled(asked))
    assert (scale.path, scale.before, scale.after) == (
        "Deployment/checkout spec.replicas",
        "2",
        "6",
    )
    (older,) = await changed(WORKLOAD, **scaled("Scaled up replica set checkout-3 to 6 from 2"))
    assert (older.before, older.after) == ("2", "6")
    down = "Scaled down replica set checkout-2 from 2 to 1"
    assert not await changed(WORKLOAD, **scaled(asked, down))
    first = "Scaled up replica set checkout-3 from 0 to 2"
    assert not await changed(WORKLOAD, **scaled(first))


async def test_a_quota_that_was_edited_is_told_where_a_quota_may_matter() -> None:
    quota = {
        "kind": "ResourceQuota",
        "metadata": {
            "name": "team",
            "creationTimestamp": stamp(-86_400 * 60),
            "managedFields": [
                {"manager": "a", "time": stamp(-9_000), "fieldsV1": {"f:spec": {"f:scopes": {}}}},
                {
                    "manager": "kubectl-edit",
                    "time": stamp(-30),
                    "fieldsV1": {"f:spec": {"f:hard": {"f:pods": {}}}},
                },
                {
                    "manager": "kube-controller-manager",
                    "time": stamp(-1),
                    "subresource": "status",
                    "fieldsV1": {"f:status": {}},
                },
            ],
        },
    }
    dossier = await dossier_of(WORKLOAD, quota, seen=symptom(Category.QUOTA))
    assert dossier.evidence[0].text.startswith(
        "ResourceQuota team was edited by kubectl-edit (spec.hard.pods)"
    )
    assert not await changed(WORKLOAD, quota, seen=symptom(Category.CRASH_LOOP))
