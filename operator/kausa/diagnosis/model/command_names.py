"""Which objects a command names, and of which kinds: `deploy/api`, `pod api-0`, `pvc`.

The kinds that may be listed are a closed list. Another one, such as a custom resource, may only be
read where it was read before and is named, and what holds other people's values isn't printed in
bulk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kausa.diagnosis.model.commands import Call

__all__ = ["NO_NAMESPACE", "Named", "kinds_of", "named", "reading_objection", "singular"]

Named = tuple[str, str]
"""Kind, in the singular and in lower case, and name."""

_SHORT: Final = {
    "po": "pod", "no": "node", "deploy": "deployment", "ds": "daemonset", "sts": "statefulset",
    "rs": "replicaset", "rc": "replicationcontroller", "cj": "cronjob", "svc": "service",
    "ep": "endpoints", "cm": "configmap", "ns": "namespace", "pvc": "persistentvolumeclaim",
    "pv": "persistentvolume", "sc": "storageclass", "ing": "ingress", "hpa":
    "horizontalpodautoscaler", "pdb": "poddisruptionbudget", "sa": "serviceaccount",
    "quota": "resourcequota", "netpol": "networkpolicy", "ev": "event", "limits": "limitrange",
    "ingresses": "ingress", "storageclasses": "storageclass", "endpoints": "endpoints",
    "networkpolicies": "networkpolicy", "priorityclasses": "priorityclass", "pc": "priorityclass",
    "ingressclasses": "ingressclass", "runtimeclasses": "runtimeclass", "crd":
    "customresourcedefinition", "crds": "customresourcedefinition",
    "failurediagnoses": "failurediagnosis", "failurediagnosis": "failurediagnosis",
}  # fmt: skip
NO_NAMESPACE: Final = frozenset(
    (
        *("node", "namespace", "persistentvolume", "storageclass", "priorityclass", "ingressclass"),
        *("runtimeclass", "csidriver", "csinode", "volumeattachment", "clusterrole"),
        *("clusterrolebinding", "customresourcedefinition", "apiservice"),
        *("mutatingwebhookconfiguration", "validatingwebhookconfiguration"),
    )
)
_READABLE: Final = NO_NAMESPACE | frozenset(
    (
        *("pod", "deployment", "daemonset", "statefulset", "replicaset", "replicationcontroller"),
        *("job", "cronjob", "service", "endpoints", "endpointslice", "ingress", "networkpolicy"),
        *("configmap", "persistentvolumeclaim", "horizontalpodautoscaler", "poddisruptionbudget"),
        *("serviceaccount", "role", "rolebinding", "resourcequota", "limitrange", "event", "lease"),
        *("controllerrevision", "failurediagnosis", "secret", "all"),
    )
)
_HOLDS_VALUES: Final = frozenset(("configmap",))


def singular(kind: str) -> str:
    """`deploy`, `Deployments` and `deployments.apps` are all `deployment`."""
    kind = kind.casefold().split(".")[0]
    if kind in _SHORT:
        return _SHORT[kind]
    return kind[:-1] if kind.endswith("s") and not kind.endswith("ss") else kind


def named(call: Call) -> Iterator[Named]:
    """Yield kind and name of each object that the command names."""
    words = [word for word in call.objects if "=" not in word]
    if call.verb == "explain":
        return
    yield from (_pair(value) for option, value in call.options if option == "--for")
    if call.verb == "logs":
        yield from (_pair(word) if "/" in word else ("pod", word) for word in words[:1])
    elif call.verb == "top":
        yield from ((singular(call.subcommand), word) for word in words)
    elif words and "/" in words[0]:
        yield from (_pair(word) for word in words)
    elif words:
        yield from ((singular(words[0]), word) for word in words[1:])


def kinds_of(call: Call) -> tuple[str, ...]:
    """The kinds that it is about, named objects or all of them."""
    found = [kind for kind, _ in named(call)]
    if not found and call.verb in ("get", "describe"):
        found = [singular(part) for part in (call.objects[:1] or ("",))[0].split(",")]
    return tuple(dict.fromkeys(found))


def reading_objection(call: Call) -> str:
    """Say why what it prints may not be asked for; empty where it may."""
    if call.verb == "events" and call.objects:
        return "events takes no object but --for"
    if call.verb not in ("get", "describe"):
        return ""
    objects, kinds = tuple(named(call)), kinds_of(call)
    outputs = [value for option, value in call.options if option in ("-o", "--output")]
    whole = call.verb == "describe" or any(each not in ("name", "wide") for each in outputs)
    everywhere = not {"-A", "--all-namespaces"}.isdisjoint(call.switches)
    for kind in kinds:
        listed = kind in _READABLE
        if not listed and (not objects or everywhere):
            return f"{kind or 'nothing'} is not on the list of kinds that may be read"
        if whole and not listed and "secret" in kind:
            return f"a {kind} holds what is secret"
        if whole and kind in _HOLDS_VALUES and not objects:
            return f"it prints the values of every {kind}"
    return "it prints whole objects of all namespaces" if whole and everywhere else ""


def _pair(word: str) -> Named:
    kind, _, name = word.partition("/")
    return singular(kind), name
