"""Services, policies and the hosts that texts name."""

from __future__ import annotations

from typing import Any

import pytest
from support.dossiers import FakeReader
from support.inquiries import Brought, bring, made, raw_pod
from support.pods import container, pod, running

from kausa.cluster.paging import Listed
from kausa.cluster.paths import ResourcePath
from kausa.cluster.reader import Manifest
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.hosts import gather_hosts, hosts_in
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.reading import Reading
from kausa.evidence.service_references import gather_services
from kausa.resources.evidence import EvidenceKind

POD = pod(container(running()))
BY = Source(kind="Pod", name="checkout", field_path="log[api]")


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return made("Service", name, spec={"selector": {"app": "web"}, "ports": ports, **spec})


def slices(*ready: bool, of: str = "web") -> dict[str, Any]:
    return made(
        "EndpointSlice",
        f"{of}-1",
        labels={"kubernetes.io/service-name": of},
        endpoints=[{"conditions": {"ready": each}} for each in ready],
    )


def server(
    name: str = "web-1", *, labels: dict[str, str] | None = None, **port: Any
) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 8080}] if not port else [port]
    return made(
        "Pod",
        name,
        labels={"app": "web"} if labels is None else labels,
        spec={"containers": [{"name": "web", "ports": ports}]},
        status={"conditions": [{"type": "Ready", "status": "True"}]},
    )


async def served(it: dict[str, Any], *objects: dict[str, Any]) -> Brought:
    return await bring(gather_services, FakeReader(manifests=(it, *objects)), shown_by=it)


async def test_a_service_that_sends_to_somebody_is_told_and_has_no_problem() -> None:
    found = await served(service(), server(), slices(True))
    assert not found.references
    assert "1 endpoints ready" in found.words(EvidenceKind.OTHER)


async def test_a_service_that_selects_nobody_is_told_with_those_that_nearly_fit() -> None:
    found = await served(service(), server(labels={"app": "webb"}))
    assert ("Service", "web", "", "selects no Pod") in found.broken
    assert "app=webb" in found.words(EvidenceKind.REFERENCE)


async def test_pods_with_quite_other_labels_are_no_near_miss() -> None:
    found = await served(service(), server(labels={"app": "mailer"}))
    assert found.broken == [("Service", "web", "", "selects no Pod")]
    assert "mailer" not in found.words()


def workload(replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web"}]}}
    return made("Deployment", "web", spec={"replicas": replicas, "template": template})


async def test_a_service_whose_workload_was_put_to_rest_has_no_problem_but_who_calls_it() -> None:
    resting = await served(service(), workload(0))
    assert not resting.references
    assert "Deployment web is scaled to zero" in resting.words()
    assert ("Service", "web", "", "selects no Pod") in (await served(service(), workload(2))).broken
    called = await heard("dial http://web:80 refused", service(), workload(0))
    assert called.broken == [("Service", "web", "", "has no endpoint that is ready")]
    assert "Deployment web is scaled to zero" in called.words(EvidenceKind.REFERENCE)


async def test_a_service_without_a_ready_endpoint_is_told() -> None:
    found = await served(service(), server(), slices(False, False))
    assert found.broken == [("Service", "web", "", "has no endpoint that is ready")]
    assert "2 are not ready" in found.words(EvidenceKind.REFERENCE)


@pytest.mark.parametrize(
    ("target", "port", "problem"),
    [
        ("http", {"name": "web", "containerPort": 8080}, "is a port that no container has"),
        (9090, {"containerPort": 8080}, "is declared by no container"),
    ],
)
async def test_a_target_port_that_no_container_has_is_told(
    target: Any, port: dict[str, Any], problem: str
) -> None:
    it = service(ports=[{"port": 80, "targetPort": target}])
    ((*_, key, told),) = (await served(it, server(**port), slices(True))).broken
    assert (key, told) == (str(target), problem)


@pytest.mark.parametrize(
    "it",
    [
        service(ports=[{"port": 80, "targetPort": 8080}]),
        service(type="ExternalName", externalName="db.example", selector=None),
    ],
    ids=["the number of a port", "a name for something outside"],
)
async def test_a_service_that_is_right_is_not_told(it: dict[str, Any]) -> None:
    assert not (await served(it, server(), slices(True))).references


async def test_a_container_that_declares_no_port_at_all_proves_nothing() -> None:
    it = service(ports=[{"port": 80, "targetPort": 8080}])
    silent = made("Pod", "web-1", labels={"app": "web"}, spec={"containers": [{"name": "web"}]})
    assert not (await served(it, silent, slices(True))).references


async def test_policies_and_budgets_that_select_the_pod_are_told() -> None:
    deny = made(
        "NetworkPolicy",
        "deny-all",
        spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]},
    )
    other = made("NetworkPolicy", "other", spec={"podSelector": {"matchLabels": {"app": "x"}}})
    reader = FakeReader(manifests=(raw_pod(POD, labels={"app": "web"}), deny, other))
    found = await bring(gather_services, reader, pod=POD)
    assert "Ingress: nothing is allowed" in found.words()
    assert "Egress: 1 rules allow" in found.words()
    assert "other" not in found.words()


# -- hosts -----------------------------------------------------------------------------------------

SURE = [
    ("dial tcp: lookup db on 10.96.0.10:53: no such host", ("db", "", "")),
    ("getaddrinfo ENOTFOUND redis", ("redis", "", "")),
    ("java.net.UnknownHostException: kafka", ("kafka", "", "")),
    ('could not translate host name "db" to address', ("db", "", "")),
    ("curl: (6) Could not resolve host: backend", ("backend", "", "")),
    ("wget: bad address 'web:8080'", ("web", "", "8080")),
    ("GET http://web:8080/x refused", ("web", "", "8080")),
    ("amqp://user:secret@rabbit:5672 closed", ("rabbit", "", "5672")),
    ("Post https://hook.policies.svc:443/validate?timeout=10s: EOF", ("hook", "policies", "443")),
    ("cannot connect to db-0.db.data.svc.cluster.local:5432", ("db", "data", "5432")),
    ('connection to server at "db" (10.1.2.3), port 5432 failed', ("db", "", "5432")),
    ("failed to connect to db:5432", ("db", "", "5432")),
    ('host not found in upstream "api"', ("api", "", "")),
    ("app:pw@tcp(db:3306)/x: connection refused", ("db", "", "3306")),
    ("mysql://app:pw@tcp(db:3306)/x: connection refused", ("db", "", "3306")),
    ("connecting to a@tcp(db:3306)/x\nfatal: dial tcp: connection refused", ("db", "", "3306")),
    ("Error: ECONNREFUSED\n  at x\n  url: 'http://web:80/x'", ("web", "", "80")),
]


@pytest.mark.parametrize(("words", "expected"), SURE)
def test_a_host_is_found_where_a_text_speaks_of_one(
    words: str, expected: tuple[str, str, str]
) -> None:
    found = [each for each in hosts_in(words, by=BY) if each.sure]
    assert [(each.service, each.namespace, each.port) for each in found] == [expected]


@pytest.mark.parametrize(
    "words",
    [
        "failed to connect to database",
        "goroutine 1 [running]: main.go:42",
        "error:500 in line:12 sha256:12345",
        "listening on localhost:8080",
        "https://api.example.com/v1 timed out",
        "pulling docker://busybox:1.36 and containerd://0f7b",
        "12:30:45 started 1:22",
        "lookup table is empty",
        "could not resolve dependency tree",
        "failed, timed out: s3://bucket/x gs://bucket/x oci://repo/chart",
        "failed, refused: classpath://cfg jar:nested://app.jar!/x vscode://file",
        "INFO sending metrics to http://intranet/push ok",
        "FATAL invalid input: value at http://www/ is not allowed by policy",
        "INFO connecting to http://web with timeout: 30",
        "GET http://frontend/ from cache\nERROR failed lookup host redis: i/o timeout",
        "sending to http://web/push ok\ndial tcp: connection refused",
    ],
)
def test_what_only_looks_like_a_host_is_not_taken_for_one(words: str) -> None:
    assert not [each for each in hosts_in(words, by=BY) if each.sure]


async def heard(words: str, *objects: dict[str, Any]) -> Brought:
    said = (Evidence(kind=EvidenceKind.LOG, source=BY, text=words),)

    async def gather(inquiry: Inquiry) -> Reading:
        return await gather_hosts(inquiry, said=said)

    return await bring(gather, FakeReader(manifests=objects), pod=POD)


async def test_a_host_that_no_service_stands_for_is_a_reference() -> None:
    found = await heard("lookup db on 10.96.0.10:53: no such host", service())
    assert found.broken == [("Service", "db", "", "does not exist")]


async def test_a_service_that_answers_is_told_with_its_ports_and_endpoints() -> None:
    found = await heard("dial http://web:80 refused", service(), server(), slices(True))
    assert not found.references
    assert "ports http 80; 1 endpoints ready" in found.words(EvidenceKind.OTHER)


async def test_a_service_that_is_only_mentioned_has_no_problem() -> None:
    found = await heard("INFO web:80 is asked for metrics", service(), server(), slices(False))
    assert not found.references
    assert "Service web" in found.words()
    by_address = await heard("to 10.96.12.3:80 ok", service(clusterIP="10.96.12.3"), slices(False))
    assert not by_address.references


async def test_a_wrong_port_and_missing_endpoints_are_told() -> None:
    found = await heard("dial http://web:8443 refused", service(), server(), slices(False))
    assert ("Service", "web", "port 8443", "has no such port") in found.broken
    assert ("Service", "web", "", "has no endpoint that is ready") in found.broken


async def test_a_cluster_ip_is_known_for_the_service_that_has_it() -> None:
    it = service(clusterIP="10.96.12.3")
    found = await heard("dial tcp 10.96.12.3:80: refused", it, server(), slices(False))
    assert found.broken == [("Service", "web", "", "has no endpoint that is ready")]


async def test_a_word_before_a_colon_is_a_host_only_if_there_is_such_a_service() -> None:
    assert "Service web" in (await heard("web:80 is away", service(), slices(True))).words()
    assert not (await heard("step:80 is away", service(), slices(True))).references


async def test_a_service_without_a_slice_is_told_though_its_pods_are_ready() -> None:
    found = await heard("dial http://web:80: i/o timeout", service(), server())
    assert ("EndpointSlice", "web", "", "does not exist") in found.broken


def policy(**selector: Any) -> dict[str, Any]:
    return made(
        "NetworkPolicy",
        "guard",
        api_version="networking.k8s.io/v1",
        spec={"podSelector": selector},
    )


async def test_a_policy_that_selects_no_pod_says_so() -> None:
    found = await served(policy(matchLabels={"app": "webb"}), server())
    assert found.broken == [("NetworkPolicy", "guard", "", "selects no Pod")]
    assert "app=webb" in found.words(EvidenceKind.REFERENCE)


@pytest.mark.parametrize("asked", [{"matchLabels": {"app": "web"}}, {}])
async def test_a_policy_that_selects_somebody_or_everybody_is_fine(asked: dict[str, Any]) -> None:
    assert not (await served(policy(**asked), server())).references


class Cut(FakeReader):
    """As a cluster with more Pods than are read at once, and the one that is meant at the end."""

    async def manifests(
        self, path: ResourcePath, *, namespace: str | None = None, label_selector: str = ""
    ) -> tuple[Manifest, ...]:
        found = await super().manifests(path, namespace=namespace, label_selector=label_selector)
        return Listed(found[:2], more=len(found) > 2)


@pytest.mark.parametrize(
    "asked",
    [
        {"matchLabels": {"app": "web"}},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
    ],
)
async def test_a_policy_is_not_said_to_select_nobody_where_not_all_pods_were_read(
    asked: dict[str, Any],
) -> None:
    others = (server(f"other-{each}", labels={"app": "other"}) for each in range(3))
    it = policy(**asked)
    reader = Cut(manifests=(it, *others, server()))
    assert not (await bring(gather_services, reader, shown_by=it)).references


async def test_of_pods_that_were_not_all_read_at_least_so_many_are_selected() -> None:
    it = service()
    reader = Cut(manifests=(it, slices(True), *(server(f"web-{each}") for each in range(3))))
    found = await bring(gather_services, reader, shown_by=it)
    assert "at least 2 Pods selected" in found.words()


async def test_files_without_any_endpoints_do_not_tell_that_a_service_has_none() -> None:
    it = service(selector=None)

    async def recorded(*others: dict[str, Any]) -> Brought:
        reader = FakeReader(manifests=(it, *others))
        return await bring(gather_services, reader, shown_by=it, recorded=True)

    assert not (await recorded()).references
    nobody = [("Service", "web", "", "has no endpoint that is ready")]
    assert (await recorded(slices(True, of="other"))).broken == nobody
    assert (await served(it)).broken == nobody


async def test_a_policy_for_a_workload_that_rests_is_fine() -> None:
    assert not (await served(policy(matchLabels={"app": "web"}), workload(0))).references


async def test_endpoints_that_are_ready_without_their_pods_are_no_problem() -> None:
    assert not (await served(service(), slices(True))).references
