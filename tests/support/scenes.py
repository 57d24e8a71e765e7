"""One of everything that gatherers look at, and gathering about it from start to end."""

from __future__ import annotations

from typing import Any

from support.dossiers import DEPLOYMENT, FakeReader
from support.inquiries import made, raw_pod, reference_to
from support.pods import container, event, pod, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.resources.category import Category

__all__ = ["PENDING", "POD", "SHOWN", "failed", "gathered", "reader_of", "scene"]

REDACTOR = Redactor(key=b"k" * 32)
POD = pod(
    container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3),
    spec={"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
)
PENDING = pod(name="checkout-2", uid="uid-2", node="", phase="Pending")
OWNS = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout", "controller": True}
SYMPTOM = Symptom(
    category=Category.VOLUME,
    reason="x",
    reason_class="x",
    detail="",
    message="db:80",
    container=None,
)


def term(operator: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "zone", "operator": operator, "values": ["1"]}]}


def scene() -> list[dict[str, Any]]:
    """One of everything that is looked at, with every field that is looked into."""
    spec = {
        "containers": [
            {
                "name": "api",
                "image": "x",
                "command": ["run"],
                "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}],
                "envFrom": [{"secretRef": {"name": "s"}}],
                "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"port": 80}},
                "ports": [{"containerPort": 80, "name": "http"}],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                "securityContext": {"capabilities": {"drop": ["ALL"]}},
            }
        ],
        "initContainers": [{"name": "init", "restartPolicy": "Always"}],
        "volumes": [
            {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "p", "projected": {"sources": [{"configMap": {"name": "c"}}]}},
        ],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [term("Gt")]
                }
            }
        },
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "topologySpreadConstraints": [{"topologyKey": "zone", "labelSelector": {}}],
        "nodeSelector": {"disk": "ssd"},
        "priorityClassName": "high",
        "imagePullSecrets": [{"name": "reg"}],
    }
    labels = {"app": "checkout"}
    first = raw_pod(POD, labels=labels, ownerReferences=[OWNS], **spec)
    second = raw_pod(PENDING, labels=labels, ownerReferences=[OWNS], **spec)
    return [
        first,
        second,
        made(
            "Deployment",
            "checkout",
            api_version="apps/v1",
            spec={
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
                "volumeClaimTemplates": [{"spec": {"storageClassName": "x"}}],
            },
            status={"conditions": [{"type": "Progressing", "status": "True", "message": "m"}]},
        ),
        made("ConfigMap", "c", data={"k": "v"}),
        made("Secret", "s", data={"k": "v"}),
        made(
            "Service",
            "db",
            spec={"selector": labels, "ports": [{"port": 80}], "clusterIP": "1.1.1.1"},
        ),
        made(
            "EndpointSlice",
            "db",
            labels={"kubernetes.io/service-name": "db"},
            endpoints=[{"conditions": {"ready": True}}],
        ),
        made("Endpoints", "db", subsets=[{"addresses": [{"ip": "1.1.1.1"}]}]),
        made("NetworkPolicy", "n", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
        made("PodDisruptionBudget", "b", spec={"selector": {}}, status={"disruptionsAllowed": 0}),
        made(
            "HorizontalPodAutoscaler",
            "h",
            spec={
                "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"averageUtilization": 1}},
                    }
                ],
            },
        ),
        made(
            "PersistentVolumeClaim",
            "data",
            spec={"volumeName": "pv", "storageClassName": "fast", "accessModes": ["ReadWriteOnce"]},
            status={"phase": "Pending"},
        ),
        made(
            "PersistentVolume",
            "pv",
            namespace=None,
            spec={
                "csi": {"driver": "d"},
                "claimRef": {"name": "x"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term("In")]}},
            },
        ),
        made(
            "StorageClass",
            "fast",
            namespace=None,
            allowedTopologies=[{"matchLabelExpressions": [{"key": "z"}]}],
        ),
        made(
            "VolumeAttachment",
            "a",
            namespace=None,
            spec={"source": {"persistentVolumeName": "pv"}},
            status={"attachError": {"message": "m"}},
        ),
        made("ResourceQuota", "q", status={"hard": {"pods": "1"}, "used": {"pods": "1"}}),
        made("LimitRange", "l", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]}),
        made(
            "Node",
            "node-1",
            namespace=None,
            spec={"taints": [{"key": "a", "effect": "NoSchedule"}]},
            status={
                "allocatable": {"cpu": "1"},
                "conditions": [{"type": "Ready", "status": "False"}],
            },
        ),
        made(
            "Ingress",
            "i",
            api_version="networking.k8s.io/v1",
            spec={
                "rules": [
                    {
                        "http": {
                            "paths": [
                                {"backend": {"service": {"name": "db", "port": {"number": 1}}}}
                            ]
                        }
                    }
                ],
                "tls": [{"secretName": "t"}],
            },
        ),
    ]


SHOWN = (
    "Pod",
    "Deployment",
    "Ingress",
    "Service",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "Node",
)


def reader_of(objects: list[dict[str, Any]], **faults: Any) -> FakeReader:
    """A reader of these objects, with the faults that FakeReader takes."""
    return FakeReader(
        manifests=tuple(objects),
        events=(event("BackOff", "db:80"),),
        previous="db:80",
        current="db:80",
        pods=(POD, PENDING),
        **faults,
    )


async def gathered(
    reader: FakeReader,
    *,
    shown: str = "Pod",
    pending: bool = False,
    deadline: float = 5.0,
    recorded: bool = True,
) -> Dossier:
    """Gather about the Pod, or about another object of the scene."""
    gatherer = Gatherer(
        reader=reader, redactor=REDACTOR, deadline_seconds=deadline, recorded=recorded
    )
    by_kind = {each["kind"]: each for each in scene()}
    about = PENDING if pending else POD
    if shown not in ("Pod", "Deployment"):
        about = Pod()
    return await gatherer.gather(
        owner=DEPLOYMENT,
        pod=about,
        symptom=SYMPTOM,
        shown_by=None if shown == "Pod" else reference_to(by_kind[shown]),
        question="why?",
    )


def failed(found: Dossier) -> list[str]:
    """Gatherers that fell over: their gap names the error."""
    return [f"{gap.what}: {gap.why}" for gap in found.gaps if "while it was read" in gap.why]
