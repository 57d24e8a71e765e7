"""The namespace `shop`: five workloads that fail, each in its own way, and one that does not.

A cluster may have a shop that is real. Ours carries a label, and no other is ever touched.
"""

from __future__ import annotations

from hack.demo.console import say, wait_for
from hack.demo.errors import DemoError
from hack.demo.kubectl import Kubectl
from hack.demo.place import CRDS, MANIFESTS

NAMESPACE = "shop"
LABEL = "kausa.dev/demo"
BROKEN = ("cart", "checkout", "indexer", "mailer", "trainer")
HEALTHY = "frontend"
READY_S = 60.0
GONE_S = 180.0


def missing_definitions(kubectl: Kubectl) -> tuple[str, ...]:
    """The CRDs of this checkout that the cluster does not know yet."""
    names = [path.stem for path in sorted(CRDS.glob("*.yaml"))]
    known = kubectl.do("get", "customresourcedefinitions", "-o", "name")
    return tuple(name for name in names if f"/{name}\n" not in known)


def define(kubectl: Kubectl) -> None:
    """Apply the CRDs, and wait until the API server serves them."""
    kubectl.do("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    wait_for(
        "the API server to serve FailureDiagnosis",
        lambda: kubectl.ask("get", "failurediagnoses,runbooks", "-A").code == 0,
        seconds=READY_S,
        otherwise="The definitions were accepted, but not established; "
        "`kubectl describe crd failurediagnoses.kausa.dev` says why.",
    )


def undefine(kubectl: Kubectl, names: tuple[str, ...]) -> None:
    for name in names:
        kubectl.do("delete", "crd", name, "--ignore-not-found", "--timeout=60s", seconds=70)


def open_(kubectl: Kubectl) -> None:
    """An empty namespace of ours, with the account that its Pods need."""
    check_free(kubectl)
    close(kubectl)
    kubectl.do("apply", "-f", str(MANIFESTS / "namespace.yaml"))
    wait_for(
        f"the default ServiceAccount of {NAMESPACE}",
        lambda: kubectl.ask("get", "serviceaccount", "default", "-n", NAMESPACE).code == 0,
        seconds=READY_S,
        otherwise="The controller manager makes it, so that one does not work; its log is "
        "kube-controller-manager.log, in the folder that hack/cluster/README.md names.",
    )


def stock(kubectl: Kubectl) -> None:
    """Start the workloads."""
    for name in (HEALTHY, *BROKEN):
        kubectl.do("apply", "-f", str(MANIFESTS / f"{name}.yaml"))


def close(kubectl: Kubectl) -> None:
    """Remove the namespace, where it is ours.

    Raises:
        DemoError: it is still there at the deadline.
    """
    labels = _labels(kubectl)
    if labels is None:
        return
    if not is_ours(labels):
        say(f"The namespace {NAMESPACE} is not the demo's (no label {LABEL}), and stays.")
        return
    say(f"Removing the namespace {NAMESPACE} with all that is in it.")
    kubectl.do("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
    wait_for(
        f"the namespace {NAMESPACE} to be gone",
        lambda: _labels(kubectl) is None,
        seconds=GONE_S,
        interval=0.5,
        otherwise=f"Kubernetes still removes what is in it; `kubectl get ns {NAMESPACE} -o yaml` "
        "says what is left. `make demo-down` tries again.",
    )


def check_free(kubectl: Kubectl) -> None:
    """Raises DemoError where the cluster has a namespace of this name that is not ours."""
    labels = _labels(kubectl)
    if labels is not None and not is_ours(labels):
        raise DemoError(
            f"The cluster has a namespace {NAMESPACE} that the demo did not make (it lacks the "
            f"label {LABEL}), so it is left alone. The demo needs that name: use another cluster, "
            "or remove that namespace."
        )


def is_ours(labels: str) -> bool:
    return f'"{LABEL}":"true"' in labels


def _labels(kubectl: Kubectl) -> str | None:
    """The namespace's labels as compact JSON; None where there is no such namespace."""
    template = "-o=jsonpath={.metadata.name}{.metadata.labels}"
    return kubectl.do("get", "namespace", NAMESPACE, "--ignore-not-found", template) or None
