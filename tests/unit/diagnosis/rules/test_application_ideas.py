"""Programs that end tell why in their own words; each idea is known by them and told with names."""

from __future__ import annotations

import pytest
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.engine import decide_by_rules, find_all
from kausa.resources.category import Category


def crashing(exit_code: int = 1) -> Pod:
    return pod(
        container(waiting("CrashLoopBackOff"), last=terminated(exit_code), restarts=3),
    )


def best(log: str, *, exit_code: int = 1) -> Finding:
    return find_all(dossier(crashing(exit_code), log=log))[0]


CASES: tuple[tuple[str, str, Category, tuple[str, ...]], ...] = (
    # Variables and settings.
    (
        "Traceback (most recent call last):\n"
        '  File "/srv/run.py", line 4, in <module>\n'
        '    key = os.environ["LEDGER_TOKEN"]\n'
        "KeyError: 'LEDGER_TOKEN'\n",
        "variable-missing",
        Category.CONFIG,
        ("LEDGER_TOKEN", "not set"),
    ),
    ("panic: required key BROKER_URL missing value\n", "variable-missing", Category.CONFIG,
     ("BROKER_URL",)),
    ("Error: environment variable MAIL_FROM must be set\n", "variable-missing", Category.CONFIG,
     ("MAIL_FROM",)),
    ("/start.sh: line 7: TENANT: unbound variable\n", "variable-missing", Category.CONFIG,
     ("TENANT",)),
    (
        "java.lang.IllegalArgumentException: Could not resolve placeholder 'mail.host' in value\n",
        "variable-missing", Category.CONFIG, ("mail.host",),
    ),
    (
        "pydantic_core.ValidationError: 1 validation error for Settings\nQUEUE_NAME\n"
        "  Field required [type=missing, input_value={}, input_type=dict]\n",
        "variable-missing", Category.CONFIG, ("QUEUE_NAME",),
    ),
    # Files and permissions.
    ("panic: open /etc/tuner/rules.yaml: no such file or directory\n", "file-missing",
     Category.CONFIG, ("/etc/tuner/rules.yaml",)),
    ("PermissionError: [Errno 13] Permission denied: '/var/spool/jobs'\n", "permission-denied",
     Category.PERMISSION, ("/var/spool/jobs", "ermission denied")),
    ("OSError: [Errno 30] Read-only file system: '/srv/cache/a.tmp'\n", "read-only",
     Category.PERMISSION, ("/srv/cache/a.tmp", "read-only")),
    ("listen tcp 0.0.0.0:81: bind: permission denied\n", "privileged-port", Category.PERMISSION,
     ("port 81",)),
    # Reaching others.
    ("dial tcp 10.9.8.7:5432: connect: connection refused\n", "connection-refused",
     Category.DEPENDENCY, ("10.9.8.7:5432", "PostgreSQL", "refused")),
    ("Error: getaddrinfo ENOTFOUND stock.example.org\n", "host-unknown", Category.NETWORK,
     ("stock.example.org",)),
    ("dial tcp: lookup stock.example.org on 10.96.0.10:53: server misbehaving\n",
     "name-server-fails",
     Category.NETWORK, ("stock", "DNS")),
    ("dial tcp 10.9.8.7:9092: i/o timeout\n", "timeout", Category.DEPENDENCY,
     ("10.9.8.7:9092", "Kafka")),
    ("dial tcp 10.9.8.7:80: connect: no route to host\n", "no-route", Category.NETWORK,
     ("10.9.8.7:80",)),
    (
        'Get "https://kubernetes.default.svc:443/api": dial tcp: lookup kubernetes.default.svc on '
        "10.96.0.10:53: read udp 10.1.0.9:1234->10.96.0.10:53: i/o timeout\n",
        "api-server-unreachable", Category.NETWORK, ("API server", "kubernetes.default.svc"),
    ),
    # Credentials.
    ('FATAL: password authentication failed for user "ledger"\n', "authentication-failed",
     Category.PERMISSION, ("ledger", "authentication failed")),
    ("WRONGPASS invalid username-password pair or user is disabled.\n", "authentication-failed",
     Category.PERMISSION, ("authentication failed",)),
    (
        'configmaps is forbidden: User "system:serviceaccount:shop:robot" cannot watch resource '
        '"configmaps" in API group "" in the namespace "shop"\n',
        "rbac-forbidden", Category.PERMISSION, ("watch", "configmaps", "robot"),
    ),
    # TLS.
    ("x509: certificate signed by unknown authority\n", "authority-unknown", Category.DEPENDENCY,
     ("unknown authority",)),
    ("Error: certificate has expired\n    code: 'CERT_HAS_EXPIRED'\n", "certificate-expired",
     Category.DEPENDENCY, ("expired",)),
    ("http: server gave HTTP response to HTTPS client\n", "tls-against-plain",
     Category.DEPENDENCY, ("TLS",)),
    # What runs out.
    ("Error: listen EADDRINUSE: address already in use :::7070\n", "port-in-use",
     Category.CRASH_LOOP, ("7070",)),
    ("write /data/journal/7: no space left on device\n", "disk-full", Category.STORAGE,
     ("/data/journal/7", "space")),
    ("accept tcp [::]:7070: accept4: too many open files\n", "open-files", Category.CRASH_LOOP,
     ("too many open files",)),
    ("failed to start watcher: inotify_init: too many open files\n", "inotify-limit",
     Category.NODE,
     ("inotify",)),
    ("java.lang.OutOfMemoryError: unable to create native thread\n", "processes",
     Category.CRASH_LOOP, ("thread",)),
    ("java.lang.OutOfMemoryError: Java heap space\n", "runtime-memory", Category.OOM_KILLED,
     ("Java heap space",)),
    # Databases.
    ('ERROR: relation "invoices" does not exist at character 15\n', "schema",
     Category.DEPENDENCY, ("invoices",)),
    ('FATAL: database "ledger" does not exist\n', "database-missing", Category.DEPENDENCY,
     ("ledger",)),
    ("error: Dirty database version 14. Fix and force version.\n", "migration",
     Category.DEPENDENCY, ("14",)),
    # Code, configuration, parts.
    ('nginx: [emerg] unknown directive "lisen" in /etc/nginx/conf.d/a.conf:3\n',
     "configuration-syntax", Category.CONFIG, ("/etc/nginx/conf.d/a.conf", "3", "lisen")),
    ("yaml: line 12: did not find expected key\n", "configuration-syntax", Category.CONFIG,
     ("line 12",)),
    ("ModuleNotFoundError: No module named 'orjson'\n", "module-missing", Category.CRASH_LOOP,
     ("orjson",)),
    ("/app/run: error while loading shared libraries: libxml2.so.2: cannot open shared object "
     "file: No such file or directory\n", "library-missing", Category.CRASH_LOOP,
     ("libxml2.so.2",)),
    ("exec /app/run: exec format error\n", "architecture", Category.CRASH_LOOP,
     ("exec format error", "architecture")),
    ("/bin/sh: 1: pyhton3: not found\n", "command-not-found", Category.CRASH_LOOP,
     ("pyhton3", "python3")),
    ("flag provided but not defined: -adress\n", "argument-unknown", Category.CRASH_LOOP,
     ("adress",)),
    # Faults.
    ("panic: runtime error: index out of range [3] with length 3\n", "programming-error",
     Category.CRASH_LOOP, ("index out of range",)),
    ("E0101 01:01:01.000000 1 main.go:9] leaderelection lost\n", "leader-lost",
     Category.CONTROL_PLANE, ("leader",)),
    ("Your license has expired on 2020-01-01\n", "licence", Category.CONFIG, ("expired",)),
    ("requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: "
     "http://stock:8080/a\n", "server-error", Category.DEPENDENCY, ("503", "stock:8080")),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("log", "rule", "category", "said"), CASES, ids=lambda each: str(each)[:40]
)
def test_the_programs_words_name_the_cause(
    log: str, rule: str, category: Category, said: tuple[str, ...]
) -> None:
    finding = best(log)
    assert finding.rule == f"application.{rule}"
    assert finding.category is category
    for word in said:
        assert word in finding.summary + finding.root_cause
    assert "CrashLoopBackOff" in finding.root_cause
    assert "exit code 1" in finding.root_cause
    assert len(finding.summary) + len(finding.root_cause) <= 680


@pytest.mark.parametrize(
    "log",
    [
        "all settings are set, no variable is missing\nserver is listening on port 8080\n",
        "INFO connected to db:5432\nINFO permission denied rate is 0\n",
        "goodbye\n",
        "FATAL: cannot open config\n",
        "init failing\n",
    ],
)
def test_words_that_only_sound_alike_are_quoted_and_not_explained(log: str) -> None:
    finding = best(log)
    assert finding.rule == "crash.exits"
    assert finding.category is Category.CRASH_LOOP


def test_what_a_program_survived_counts_less_than_what_it_died_of() -> None:
    log = (
        "WARN dial tcp 10.9.8.7:6379: connect: connection refused, trying again\n"
        "INFO connected\n"
        "panic: open /etc/tuner/rules.yaml: no such file or directory\n"
    )
    assert best(log).rule == "application.file-missing"


def test_an_error_before_a_word_of_farewell_is_the_cause() -> None:
    log = (
        "ERROR dial tcp 10.9.8.7:6379: connect: connection refused\nINFO shutting down\nINFO bye\n"
    )
    finding = best(log)
    assert finding.rule == "application.connection-refused"
    assert "10.9.8.7:6379" in finding.summary


def test_a_program_that_says_what_it_lacks_and_ends_with_zero_is_believed() -> None:
    finding = best("Environment variable REGION is undefined\n", exit_code=0)
    assert finding.rule == "application.variable-missing"
    assert "REGION" in finding.summary


def test_the_first_cause_of_a_chain_decides() -> None:
    log = (
        'Exception in thread "main" org.example.StartException: cannot start\n'
        "\tat org.example.Main.main(Main.java:9)\n"
        "Caused by: java.net.UnknownHostException: rates.example.org\n"
        "\tat java.base/java.net.Inet.get(Inet.java:1)\n"
    )
    finding = best(log)
    assert finding.rule == "application.host-unknown"
    assert "rates.example.org" in finding.summary


def test_an_exception_of_an_unknown_kind_is_named_with_its_frame() -> None:
    log = (
        "Traceback (most recent call last):\n"
        '  File "/srv/plan.py", line 41, in price\n'
        "    raise PricingError(sku)\n"
        "plan.PricingError: no price for sku 77\n"
    )
    finding = best(log)
    assert "PricingError: no price for sku 77" in finding.summary


def test_a_program_that_runs_well_is_not_judged_by_its_log() -> None:
    well = pod(container({"running": {}}, ready=True))
    answer = decide_by_rules(dossier(well, log="ERROR connection refused 10.9.8.7:5432\n"))
    assert answer.category is None
    assert "no failure found" in answer.summary
