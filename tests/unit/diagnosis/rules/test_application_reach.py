"""Whom a program tried to reach, and whether that is a Service with something behind it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pods import container, terminated, waiting
from support.rule_dossiers import gathered, raw_pod

from kausa.diagnosis.rules.application.services import service_name
from kausa.diagnosis.rules.application.targets import find_target, software_at
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.resources.category import Category

CRASHING = raw_pod(
    containers=[{"name": "api", "image": "shop/api:1"}],
    statuses=[container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3)],
)


def service(name: str, *, port: int = 5432, namespace: str = "shop") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "uid": f"service-{name}"},
        "spec": {"selector": {"app": name}, "clusterIP": "10.96.7.7", "ports": [{"port": port}]},
    }


def endpoints(name: str, *, ready: int) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-x",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": name},
        },
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}] * ready,
    }


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("dial tcp: lookup stock.prod on 10.96.0.10:53: no such host", "stock.prod"),
        ("dial tcp 10.1.2.3:5432: connect: connection refused", "10.1.2.3:5432"),
        ("connect ECONNREFUSED 10.1.2.3:6379", "10.1.2.3:6379"),
        ("getaddrinfo ENOTFOUND stock stock:80", "stock"),
        ('could not translate host name "stock-db" to address: Name or service', "stock-db"),
        ('connection to server at "stock-db" (10.1.2.3), port 5432 failed', "stock-db:5432"),
        ("Can't connect to MySQL server on 'stock-db:3306' (111)", "stock-db:3306"),
        ("HTTPConnectionPool(host='stock', port=8080): Max retries exceeded", "stock:8080"),
        ("failed to connect to postgres://app:x@stock-db:5432/a", "stock-db:5432"),
        ("app:x@tcp(stock-db:3306)/a: refused", "stock-db:3306"),
        ("wget: bad address 'stock:8080'", "stock:8080"),
        ("nc: connect to stock port 80 (tcp) failed: Connection refused", "stock:80"),
        ("curl: (6) Could not resolve host: stock.example.org", "stock.example.org"),
        ("curl: (7) Failed to connect to stock port 8080 after 2 ms: refused", "stock:8080"),
        ("java.net.UnknownHostException: stock: Name or service not known", "stock"),
        ("Connection to stock-db:5432 refused. Check that the hostname", "stock-db:5432"),
        ("[emerg] host not found in upstream \"stock\" in /etc/nginx/a.conf:3", "stock"),
        ("** server can't find stock.shop.svc.cluster.local: NXDOMAIN",
         "stock.shop.svc.cluster.local"),
        ("waiting for stock-db...", "stock-db"),
        ("Error 111 connecting to cache:6379. Connection refused.", "cache:6379"),
        ("read tcp 10.1.0.9:4711->10.1.2.3:443: connection reset by peer", "10.1.2.3:443"),
        ("the server stock-db is down", "stock-db"),
        ("service stock.shop did not answer within 3 s", "stock.shop"),
    ],
)  # fmt: skip
def test_the_host_is_found_however_it_is_written(text: str, target: str) -> None:
    assert str(find_target(text)) == target


@pytest.mark.parametrize(
    "text",
    [
        "server is listening on 0.0.0.0:8080",
        "main.go:108 something",
        "at 12:34:56 nothing happened",
        "waiting for connections",
        "",
    ],
)
def test_what_is_no_host_is_not_taken_for_one(text: str) -> None:
    assert find_target(text) is None


def test_a_port_tells_what_usually_listens_there() -> None:
    assert "PostgreSQL" in software_at(find_target("dial tcp 10.1.2.3:5432: refused"), "")
    assert software_at(find_target("dial tcp 10.1.2.3:8080: refused"), "") == ""


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("db", ("db", "shop")),
        ("db.prod", ("db", "prod")),
        ("db.prod.svc", ("db", "prod")),
        ("db.prod.svc.cluster.local", ("db", "prod")),
        ("db-0.db.prod.svc.cluster.local", ("db", "prod")),
        ("www.example.org", None),
    ],
)
def test_a_host_is_read_as_a_service_in_its_namespace(
    host: str, found: tuple[str, str] | None
) -> None:
    assert service_name(host, namespace="shop") == found


def test_a_service_that_does_not_exist_is_the_cause_of_an_unknown_host() -> None:
    answer = decide_by_rules(
        gathered(CRASHING, log="dial tcp: lookup stock-db on 10.96.0.10:53: no such host\n")
    )
    assert answer.category is Category.DEPENDENCY
    assert "Service stock-db does not exist" in answer.summary
    assert "no such host" in answer.root_cause


def test_a_service_without_a_ready_endpoint_explains_a_refused_connection() -> None:
    answer = decide_by_rules(
        gathered(
            CRASHING,
            log="failed to connect to postgres://stock-db:5432/a: connection refused\n",
            manifests=(service("stock-db"), endpoints("stock-db", ready=0)),
        )
    )
    assert answer.category is Category.DEPENDENCY
    assert "no ready endpoint" in answer.root_cause


def test_a_port_that_the_service_does_not_have_is_named() -> None:
    answer = decide_by_rules(
        gathered(
            CRASHING,
            log="failed to connect to http://stock:8081/a: connection refused\n",
            manifests=(service("stock", port=80), endpoints("stock", ready=2)),
        )
    )
    told = f"{answer.summary} {answer.root_cause}"
    assert "8081" in told
    assert "80" in told.replace("8081", "")


def test_a_service_with_endpoints_is_said_to_be_there() -> None:
    answer = decide_by_rules(
        gathered(
            CRASHING,
            log="failed to connect to postgres://stock-db:5432/a: connection refused\n",
            manifests=(service("stock-db"), endpoints("stock-db", ready=2)),
        )
    )
    assert "Service stock-db exists and has 2 ready endpoints" in answer.root_cause


@given(st.text(max_size=300))
def test_no_text_makes_the_search_for_a_host_raise(text: str) -> None:
    found = find_target(text)
    assert found is None or found.host
