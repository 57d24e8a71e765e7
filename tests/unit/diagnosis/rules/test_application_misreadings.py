"""Lines of well-known programs of which a part was taken for a host, a port or a variable."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.application.targets import find_target
from kausa.diagnosis.rules.engine import decide_by_rules

LESS_THAN_SURE = 60


def diagnosed(log: str) -> Diagnosis:
    ended = container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3)
    return decide_by_rules(dossier(pod(ended), log=f"{log}\n"))


@pytest.mark.parametrize(
    "log",
    [
        '{"ts":"2026-11-22T07:58:10.627Z","level":"error","msg":"connect failed",'
        '"err":"connection reset by peer"}',
        '{"time":"2026-11-22T07:58:10.627Z","level":"error","err":"i/o timeout"}',
        "2026-11-22T07:58:10.627Z error write failed: broken pipe",
        "ERROR [22/Nov/2026:07:58:10 +0000] connection reset by peer",
        "2026-11-22 07:58 i/o timeout",
        "07:58:10.627 [main] ERROR c.a.Main:42 - connection reset",
        "I1122 07:58:10.627000 1 main.go:42] i/o timeout",
        "request 3f2a:9090 timed out",
        "2026-11-22T07:58:10.627Z ERROR app::cache: GET user:1001 timed out after 5000ms",
        "ERROR link down on 00:1b:44:11:3a:b7: no response",
        '2026-11-22T07:58:10Z ERR no tunnel error="unexpected EOF" retry 3:1 version=1.2.3:4567',
        "CPU0:1500 i/o timeout",
    ],
)
def test_what_is_no_host_is_not_blamed(log: str) -> None:
    said = diagnosed(log)
    assert find_target(log) is None
    assert said.category is not None
    assert said.category.value == "CrashLoop"


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 12, 31)))
@settings(max_examples=50)
def test_a_connection_that_was_lost_at_some_time_was_not_lost_to_that_time(
    moment: datetime,
) -> None:
    for stamp in (f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}", f"{moment:%d/%b/%Y:%H:%M:%S +0000}"):
        assert find_target(f'{{"ts":"{stamp}","err":"connection reset by peer"}}') is None
        assert find_target(f"connection to {stamp} reset") is None


@pytest.mark.parametrize(
    ("log", "target"),
    [
        ("[2026-11-22 07:58:10,627] WARN [AdminClient clientId=a] Connection to node -1 "
         "(kafka/10.43.0.9:9092) could not be established. Broker may not be available.",
         "kafka:9092"),
        ("java.net.ConnectException: Connection refused: db/<unresolved>:5432", "db:5432"),
        ("panic: dial tcp [fd00:10:96::a]:5432: connect: connection refused",
         "[fd00:10:96::a]:5432"),
        ("2026/11/22 07:58:10 [error] 29#29: *1 upstream timed out (110: Connection timed out), "
         'client: 10.1.2.3, server: _, upstream: "http://10.43.0.7:8080/a"', "10.43.0.7:8080"),
        ('{"level":50,"time":1795334290627,"err":{"message":"connect ETIMEDOUT 10.43.0.7:5432",'
         '"stack":"Error\\\\n    at Socket (/app/client.js:132:19)"}}', "10.43.0.7:5432"),
        ('ts=2026-11-22T07:58:10.627Z caller=dedupe.go:112 url=http://mimir:9009/api '
         'err="context deadline exceeded"', "mimir:9009"),
    ],
)  # fmt: skip
def test_the_host_is_found_beside_times_and_places_in_files(log: str, target: str) -> None:
    assert str(find_target(log)) == target


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("error: bind failed at 07:58:10: address already in use", "listen on port: address"),
        ("listen tcp :8080: bind: address already in use", "port 8080"),
        ("Error: listen EADDRINUSE: address already in use :::3000", "port 3000"),
        ("[emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", "port 80"),
        ("bind: permission denied at 07:58:10", "is denied what it tries"),
    ],
)
def test_the_minutes_of_a_time_are_no_port(log: str, said: str) -> None:
    assert said in diagnosed(log).summary


@pytest.mark.parametrize(
    "log",
    [
        "Table USERS not found",
        "ERROR ISBN is required",
        "fatal: SKU is missing in order 12",
        "KeyError: 'USD'",
        "Traceback (most recent call last):\n"
        "  File \"/srv/run.py\", line 4, in <module>\n    rates['USD']\n"
        "KeyError: 'USD'",
    ],
)
def test_a_word_of_capitals_is_no_variable_where_nothing_speaks_of_settings(log: str) -> None:
    assert "variable" not in diagnosed(log).summary


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ("SECRET not set", "SECRET"),
        ("Error: API_KEY is required", "API_KEY"),
        ("Traceback (most recent call last):\n"
         '  File "/srv/run.py", line 4, in <module>\n    os.environ[\'TOKEN\']\n'
         "KeyError: 'TOKEN'", "TOKEN"),
    ],
)  # fmt: skip
def test_a_variable_is_one_where_something_does(log: str, name: str) -> None:
    assert f"the environment variable {name}" in diagnosed(log).summary


def test_what_dependency_injection_cannot_resolve_is_no_host() -> None:
    said = diagnosed(
        "Unhandled exception. System.InvalidOperationException: Unable to resolve service for "
        "type 'Acme.IStore' while attempting to activate 'Acme.Worker'."
    )
    assert "host" not in said.summary
    assert "DNS" not in said.root_cause


@pytest.mark.parametrize(
    "complaint",
    [
        "http proxy squid.infra answered 407, error ignored, going direct",
        "cannot connect to redis:6379: connection refused, falling back to memory",
        "ERROR could not read config.yaml: no such file or directory, using defaults",
        "error: dial tcp 10.1.2.3:6379: connect: connection refused; continuing without cache",
        '{"level":"error","msg":"falling back to memory","err":"dial tcp: connection refused"}',
    ],
)
def test_rules_are_not_sure_of_what_the_program_says_it_got_over(complaint: str) -> None:
    said = diagnosed(f"starting\n{complaint}\nloaded 3 rules\nserving")
    assert said.confidence < LESS_THAN_SURE


def test_words_that_nothing_follows_are_the_cause_whatever_the_program_meant_to_do() -> None:
    refused = "error: dial tcp 10.1.2.3:6379: connect: connection refused, using default"
    assert diagnosed(f"starting\n{refused}").confidence >= LESS_THAN_SURE
    assert diagnosed(f"starting\n{refused}\nserving").confidence < LESS_THAN_SURE


def test_what_the_program_got_over_is_no_cause_beside_what_it_ended_with() -> None:
    said = diagnosed(
        "cannot connect to redis:6379: connection refused, falling back to memory\n"
        'FATAL password authentication failed for user "app"'
    )
    assert "cannot log in as user app" in said.summary
