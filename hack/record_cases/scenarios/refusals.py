"""What the API server, a quota or a policy does not let in; and what a node throws out."""

from __future__ import annotations

from hack.record_cases.building import container, deployment, job, pod, prints
from hack.record_cases.scenario import Expected, Scenario, Step

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "team-limit"},
    "spec": {"hard": {"pods": "1"}},
}
RANGE = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small-only"},
    "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]},
}
FILLS_ITS_DISK = "head -c 30000000 /dev/zero > /tmp/big; while true; do sleep 1; done"

SCENARIOS = (
    Scenario(
        id="quota-of-pods",
        title="The quota allows one Pod and three are wanted",
        target="Deployment/shop",
        steps=(
            Step(manifests=(QUOTA,), seconds=2),
            Step(manifests=(deployment("shop", container(), replicas=3),)),
        ),
        expected=Expected(category="Quota", says=(("team-limit",), ("pods",))),
    ),
    Scenario(
        id="quota-wants-limits",
        title="The quota counts memory limits, and the Pods have none",
        target="Deployment/shop",
        steps=(
            Step(
                manifests=(
                    {
                        **QUOTA,
                        "metadata": {"name": "memory-budget"},
                        "spec": {"hard": {"limits.memory": "1Gi"}},
                    },
                ),
                seconds=2,
            ),
            Step(manifests=(deployment("shop", container()),)),
        ),
        expected=Expected(category="Quota", says=(("memory-budget",), ("limits\\.memory",))),
    ),
    Scenario(
        id="admission-limit-range",
        title="A container asks for more than the LimitRange allows",
        target="Deployment/bigger",
        steps=(
            Step(manifests=(RANGE,), seconds=2),
            Step(
                manifests=(
                    deployment("bigger", container(resources={"limits": {"memory": "128Mi"}})),
                )
            ),
        ),
        expected=Expected(category="Quota", says=(("64Mi",), ("128Mi|maximum|LimitRange",))),
    ),
    Scenario(
        id="admission-pod-security",
        title="The namespace allows restricted Pods only",
        target="Deployment/legacy",
        labels={"pod-security.kubernetes.io/enforce": "restricted"},
        steps=(
            Step(
                manifests=(deployment("legacy", container(securityContext={"privileged": True})),)
            ),
        ),
        expected=Expected(
            category="Admission", says=(("PodSecurity|pod security",), ("restricted",))
        ),
    ),
    Scenario(
        id="admission-webhook-away",
        title="A webhook that must be asked has nobody to answer",
        target="Deployment/guarded",
        cluster_wide=(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "guard.example.com"},
                "webhooks": [
                    {
                        "name": "pods.guard.example.com",
                        "admissionReviewVersions": ["v1"],
                        "sideEffects": "None",
                        "failurePolicy": "Fail",
                        "timeoutSeconds": 2,
                        "clientConfig": {
                            "service": {"name": "guard", "namespace": "admission-webhook-away"}
                        },
                        "rules": [
                            {
                                "apiGroups": [""],
                                "apiVersions": ["v1"],
                                "operations": ["CREATE"],
                                "resources": ["pods"],
                            }
                        ],
                        "namespaceSelector": {
                            "matchLabels": {"kubernetes.io/metadata.name": "admission-webhook-away"}
                        },
                    }
                ],
            },
        ),
        steps=(Step(manifests=(deployment("guarded", container()),)),),
        expected=Expected(
            category="Admission", says=(("pods\\.guard\\.example\\.com",), ("webhook",))
        ),
    ),
    Scenario(
        id="permission-no-service-account",
        title="The ServiceAccount does not exist, so there is no Pod at all",
        target="Deployment/robot",
        steps=(Step(manifests=(deployment("robot", container(), serviceAccountName="robot-sa"),)),),
        expected=Expected(category=None, says=(("robot-sa",), ("not found|does not exist",))),
    ),
    Scenario(
        id="permission-rbac",
        title="The program may not list what it watches",
        target="Deployment/controller",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "controller",
                        prints(
                            "I0203 04:05:06.789012       1 main.go:40] starting",
                            "E0203 04:05:07.123456       1 reflector.go:158] failed to list "
                            "*v1.Secret: secrets is forbidden: User "
                            '"system:serviceaccount:permission-rbac:default" cannot list resource '
                            '"secrets" in API group "" at the cluster scope',
                            "F0203 04:05:37.000000       1 main.go:88] caches did not sync",
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(
            category="Permission", says=(("secrets",), ("forbidden|cannot list|may not",))
        ),
    ),
    Scenario(
        id="eviction-own-disk-limit",
        title="The Pod writes more than its limit of ephemeral storage",
        target="Pod/scratch",
        steps=(
            Step(
                manifests=(
                    pod(
                        "scratch",
                        container(
                            script=FILLS_ITS_DISK,
                            resources={"limits": {"ephemeral-storage": "5Mi"}},
                        ),
                        restartPolicy="Never",
                    ),
                ),
                seconds=120,
            ),
        ),
        expected=Expected(category="Eviction", says=(("ephemeral|storage",), ("5Mi|limit",))),
    ),
    Scenario(
        id="eviction-volume-limit",
        title="The Pod fills an emptyDir beyond its size",
        target="Pod/buffer",
        steps=(
            Step(
                manifests=(
                    pod(
                        "buffer",
                        container(
                            script="head -c 30000000 /dev/zero > /buffer/big; sleep 999",
                            volumeMounts=[{"name": "buffer", "mountPath": "/buffer"}],
                        ),
                        volumes=[{"name": "buffer", "emptyDir": {"sizeLimit": "5Mi"}}],
                        restartPolicy="Never",
                    ),
                ),
                seconds=120,
            ),
        ),
        expected=Expected(category="Eviction", says=(("emptyDir|volume",), ("5Mi|limit",))),
    ),
    Scenario(
        id="node-lost",
        title="The node of the Pod has stopped to report",
        target="Pod/stranded",
        cluster_wide=(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": "lost-node",
                    "labels": {"kubernetes.io/hostname": "lost-node"},
                },
                "spec": {"taints": [{"key": "lost", "effect": "NoSchedule"}]},
            },
        ),
        steps=(Step(manifests=(pod("stranded", container(), nodeName="lost-node"),), seconds=120),),
        expected=Expected(category="Node", says=(("lost-node",),)),
    ),
    Scenario(
        id="sandbox-unknown-runtime",
        title="The RuntimeClass names a handler that the node does not have",
        target="Pod/isolated",
        cluster_wide=(
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": "micro-vm"},
                "handler": "micro-vm",
            },
        ),
        steps=(
            Step(
                manifests=(pod("isolated", container(), runtimeClassName="micro-vm"),), seconds=60
            ),
        ),
        expected=Expected(category="Sandbox", says=(("micro-vm",), ("runtime|handler",))),
    ),
    Scenario(
        id="job-always-fails",
        title="A Job fails as often as it may",
        target="Job/import",
        steps=(
            Step(
                manifests=(
                    job("import", prints("ERROR row 17: bad date '2026-13-01'"), backoffLimit=1),
                ),
                seconds=75,
            ),
        ),
        expected=Expected(category="Job", says=(("row 17|bad date",),)),
    ),
    Scenario(
        id="job-too-slow",
        title="A Job does not end in the time that it has",
        target="Job/slow",
        steps=(Step(manifests=(job("slow", container(), activeDeadlineSeconds=15),), seconds=60),),
        expected=Expected(category="Job", says=(("deadline|15 ?s",),)),
    ),
)
