"""What a command may read: kinds of a closed list, containers that exist, no values in bulk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unit.diagnosis.model.steering import request_with

from kausa.diagnosis.model.command_objects import judge
from kausa.diagnosis.model.protocol import KnownObject, NumberedEvidence

OTHERS = (
    KnownObject(kind="Deployment", name="payments", namespace="shop", containers=("pay",)),
    KnownObject(kind="ConfigMap", name="settings", namespace="shop"),
    KnownObject(kind="SealedSecret", name="db", namespace="shop"),
    KnownObject(kind="Certificate", name="web", namespace="shop"),
)
BASE = request_with(None)
REQUEST = replace(BASE, objects=(*BASE.objects, *OTHERS))


@pytest.mark.parametrize(
    "words",
    [
        *("logs checkout-0 api", "logs checkout-0 -c api", "logs deployment/payments pay"),
        *("get pods -o yaml", "get pods -A", "get configmap settings -o yaml", "get configmaps"),
        *("describe cm settings", "get certificate web -o yaml", "describe certificate/web"),
        *("get sealedsecret db", "get sealedsecret/db -o name", "get pods,services", "get all"),
        *("get failurediagnoses", "get endpointslices", "get crd", "get storageclasses -o yaml"),
        *("events --for deployment/checkout -o yaml", "events -A", "explain pod.spec"),
    ],
)
def test_what_exists_and_is_on_the_list_may_be_read(words: str) -> None:
    assert judge(f"kubectl {words}", REQUEST).problem == ""


@pytest.mark.parametrize(
    "words",
    [
        *(
            "logs checkout-0 nosuch -n shop",
            "logs checkout-0 pay extra",
            "logs deployment/payments api",
        ),
        *("logs checkout-0 -c pay2", "get raw -n shop", "get raw /api", "get", "describe"),
        *(
            "get configmaps -A -o yaml",
            "get cm -o json",
            "describe configmaps",
            "get configmaps.v1 -oyaml",
        ),
        *("get pods,configmaps -o yaml", "get configmaps -o jsonpath='{.items[*].data}'"),
        *("get configmap settings -A -o yaml", "get pods -A -o yaml", "describe pods -A"),
        *("get sealedsecrets -A -o yaml", "get sealedsecrets", "get sealedsecret db -o yaml"),
        *("describe sealedsecret db", "get certificates", "get certificate web -A"),
        *("get externalsecrets -o yaml", "get secretstores.external-secrets.io -A"),
        *("events pods", "get pods,raw", "get custom-columns=a"),
        *("get pods -A=true -o yaml", "get pods --all-namespaces=true -oyaml"),
    ],
)
def test_what_does_not_exist_or_holds_values_may_not(words: str) -> None:
    assert judge(f"kubectl {words}", REQUEST).command is None


def test_where_no_container_is_known_only_a_name_may_be_one() -> None:
    pod = replace(BASE, objects=(KnownObject(kind="Pod", name="checkout-0", namespace="shop"),))
    assert judge("kubectl logs checkout-0 api", pod).command
    assert judge("kubectl logs checkout-0 API", pod).command is None


def test_a_source_that_was_read_is_no_command_about_something_else() -> None:
    evidence = NumberedEvidence(id="E9", kind="Status", source="Node/n1 status", text="ready")
    known = replace(REQUEST, evidence=(*REQUEST.evidence, evidence))
    assert judge("kubectl describe node n1", known).command == "kubectl describe node n1"
    assert judge("kubectl describe node n2", known).command is None
