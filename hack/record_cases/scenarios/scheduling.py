"""Pods that no node takes."""

from __future__ import annotations

from hack.record_cases.building import claim, container, deployment, pod, stateful_set
from hack.record_cases.scenario import Expected, Scenario, Step

AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {
                    "matchExpressions": [
                        {
                            "key": "topology.kubernetes.io/zone",
                            "operator": "In",
                            "values": ["eu-north-1z"],
                        }
                    ]
                }
            ]
        }
    }
}
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "labelSelector": {"matchLabels": {"app": "replica"}},
                "topologyKey": "kubernetes.io/hostname",
            }
        ]
    }
}
HOST_PORT = [{"containerPort": 8080, "hostPort": 31999}]

SCENARIOS = (
    Scenario(
        id="scheduling-too-much-cpu",
        title="Requests more processors than any node has",
        target="Deployment/trainer",
        steps=(
            Step(
                manifests=(deployment("trainer", container(resources={"requests": {"cpu": "64"}})),)
            ),
        ),
        expected=Expected(category="Scheduling", says=(("cpu",), ("64",))),
    ),
    Scenario(
        id="scheduling-too-much-memory",
        title="Requests more memory than any node has",
        target="Deployment/warehouse",
        steps=(
            Step(
                manifests=(
                    deployment("warehouse", container(resources={"requests": {"memory": "900Gi"}})),
                )
            ),
        ),
        expected=Expected(category="Scheduling", says=(("memory",), ("900Gi",))),
    ),
    Scenario(
        id="scheduling-no-such-label",
        title="Selects nodes by a label that none has",
        target="Deployment/renderer",
        steps=(
            Step(
                manifests=(
                    deployment("renderer", container(), nodeSelector={"accelerator": "a100"}),
                )
            ),
        ),
        expected=Expected(category="Scheduling", says=(("accelerator",), ("selector|label",))),
    ),
    Scenario(
        id="scheduling-wrong-zone",
        title="Requires a zone in which no node is",
        target="Pod/zonal",
        steps=(Step(manifests=(pod("zonal", container(), affinity=AFFINITY),)),),
        expected=Expected(category="Scheduling", says=(("affinity|zone",),)),
    ),
    Scenario(
        id="scheduling-extended-resource",
        title="Requests a device that no node offers",
        target="Pod/inference",
        steps=(
            Step(
                manifests=(
                    pod(
                        "inference",
                        container(resources={"limits": {"example.com/gpu": "1"}}),
                    ),
                )
            ),
        ),
        expected=Expected(category="Scheduling", says=(("example\\.com/gpu",),)),
    ),
    Scenario(
        id="scheduling-host-port-taken",
        title="Two Pods want one port of the only node",
        target="Pod/second",
        steps=(
            Step(manifests=(pod("first", container(ports=HOST_PORT)),), seconds=10),
            Step(manifests=(pod("second", container(ports=HOST_PORT)),)),
        ),
        expected=Expected(category="Scheduling", says=(("port",), ("31999|free|host ?port",))),
    ),
    Scenario(
        id="scheduling-replicas-apart",
        title="Two replicas may not share a node, and there is one",
        target="Deployment/replica",
        steps=(Step(manifests=(deployment("replica", container(), replicas=2, affinity=APART),)),),
        expected=Expected(category="Scheduling", says=(("anti-?affinity",),)),
    ),
    Scenario(
        id="scheduling-unknown-scheduler",
        title="Names a scheduler that does not run",
        target="Pod/batch",
        steps=(
            Step(
                manifests=(pod("batch", container(), schedulerName="batch-scheduler"),), seconds=90
            ),
        ),
        expected=Expected(category="Scheduling", says=(("batch-scheduler|scheduler",),)),
    ),
    Scenario(
        id="volume-class-missing",
        title="The claim of a StatefulSet names a StorageClass that does not exist",
        target="StatefulSet/ledgerdb",
        steps=(
            Step(
                manifests=(
                    stateful_set(
                        "ledgerdb",
                        container(volumeMounts=[{"name": "data", "mountPath": "/data"}]),
                        spec={
                            "volumeClaimTemplates": [
                                {
                                    "metadata": {"name": "data"},
                                    "spec": claim("x", storage_class="fast-ssd")["spec"],
                                }
                            ]
                        },
                    ),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(category="Volume", says=(("fast-ssd",), ("storage ?class",))),
    ),
    Scenario(
        id="volume-claim-missing",
        title="Mounts a claim that does not exist",
        target="Deployment/archive",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "archive",
                        container(),
                        volumes=[
                            {
                                "name": "data",
                                "persistentVolumeClaim": {"claimName": "archive-data"},
                            }
                        ],
                    ),
                )
            ),
        ),
        expected=Expected(
            category="Volume", says=(("archive-data",), ("not found|does not exist",))
        ),
    ),
    Scenario(
        id="volume-no-default-class",
        title="A claim without a class where no class is the default",
        target="Pod/notes",
        steps=(
            Step(
                manifests=(
                    claim("notes"),
                    pod(
                        "notes",
                        container(),
                        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "notes"}}],
                    ),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(category="Volume", says=(("notes",), ("claim|PersistentVolume",))),
    ),
)
