"""Containers that cannot start, are killed, or wait: told with names and numbers from the spec."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from support.pods import container, terminated, waiting
from support.rule_dossiers import gathered, raw_pod

from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.diagnosis.rules.probes import killed_by_liveness_probe
from kausa.resources.category import Category

API = {"name": "api", "image": "registry.example/shop/api:1.2"}


def decided(document: dict[str, Any], **more: Any) -> Diagnosis:
    found = gathered(document, **more)
    answer = decide_by_rules(found)
    ids = {each.id for each in found.evidence}
    assert set(answer.citations) <= ids
    assert len(answer.summary) + len(answer.root_cause) <= 700
    return answer


def crashed(*, spec: dict[str, Any] | None = None, **ending: Any) -> dict[str, Any]:
    return raw_pod(
        containers=[{**API, **(spec or {})}],
        statuses=[container(waiting("CrashLoopBackOff"), last=terminated(**ending), restarts=4)],
    )


# Memory.


def test_a_heap_that_is_larger_than_the_limit_is_why_memory_runs_out() -> None:
    spec = {
        "env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xms256m -Xmx3g"}],
        "resources": {"limits": {"memory": "512Mi"}},
    }
    answer = decided(crashed(spec=spec, exit_code=137, reason="OOMKilled"))
    assert answer.category is Category.OOM_KILLED
    told = answer.summary + answer.root_cause
    assert "JVM" in told
    assert "-Xmx3g" in told
    assert "512Mi" in told
    assert "heap" in answer.fixes[0].title


def test_a_heap_that_fits_is_mentioned_and_not_blamed() -> None:
    spec = {"args": ["-Xmx256m"], "resources": {"limits": {"memory": "512Mi"}}}
    answer = decided(crashed(spec=spec, exit_code=137, reason="OOMKilled"))
    assert answer.summary == "container api reached its memory limit of 512Mi"
    assert "-Xmx256m" in answer.root_cause


def test_memory_that_an_event_tells_of_is_the_cause_of_an_end_that_nobody_knows() -> None:
    document = raw_pod(
        containers=[API], statuses=[container(waiting("CrashLoopBackOff"), restarts=2)]
    )
    answer = decided(
        document, events=(("OOMKilling", "Memory cgroup out of memory: Killed process 7"),)
    )
    assert answer.category is Category.OOM_KILLED


# Exit codes.


@pytest.mark.parametrize(
    ("code", "said"),
    [(127, "not found"), (126, "not executable"), (139, "segmentation fault"), (134, "abort")],
)
def test_an_exit_code_that_means_something_is_explained(code: int, said: str) -> None:
    answer = decided(crashed(exit_code=code))
    assert answer.determined
    assert said in answer.summary
    assert str(code) in answer.summary


def test_an_exit_code_that_means_nothing_is_not_explained() -> None:
    answer = decided(crashed(exit_code=1))
    assert not answer.determined
    assert "exit code 1" in answer.summary


# What the runtime says.

RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "


@pytest.mark.parametrize(
    ("reason", "message", "category", "said"),
    [
        (
            "RunContainerError",
            RUNC + 'container process: exec: "ngnix": executable file not found in $PATH: unknown',
            Category.CRASH_LOOP,
            ("ngnix", "nginx"),
        ),
        (
            "RunContainerError",
            RUNC + 'container process: exec: "/run.sh": permission denied: unknown',
            Category.PERMISSION,
            ("/run.sh", "permission"),
        ),
        (
            "RunContainerError",
            RUNC + 'container process: error during container init: error mounting "/a/b" to rootfs'
            ' at "/etc/x.conf": not a directory: unknown',
            Category.VOLUME,
            ("/etc/x.conf", "not a directory"),
        ),
        (
            "CreateContainerError",
            "failed to mount rootfs component: structure needs cleaning",
            Category.NODE,
            ("corrupt", "node-1"),
        ),
        (
            "CreateContainerError",
            "symlink /var/log/containers/x.log: no space left on device",
            Category.STORAGE,
            ("/var/log", "no space left"),
        ),
        (
            "CreateContainerError",
            "Error response from daemon: Minimum memory limit allowed is 12MB",
            None,
            ("memory limit", "12MB"),
        ),
    ],
)
def test_what_the_runtime_says_is_told_with_its_meaning(
    reason: str, message: str, category: Category | None, said: tuple[str, ...]
) -> None:
    document = raw_pod(containers=[API], statuses=[container(waiting(reason, message))])
    answer = decided(document)
    if category is not None:
        assert answer.category is category
    for word in said:
        assert word in answer.summary + answer.root_cause


# Probes.


def probing(probe: dict[str, Any], *, kind: str = "livenessProbe") -> dict[str, Any]:
    return {
        kind: {"httpGet": {"path": "/up", "port": 9000}, **probe},
        "ports": [{"containerPort": 8080}],
    }


def test_a_probe_is_told_with_its_numbers_and_the_port_that_nobody_declares() -> None:
    document = crashed(
        spec=probing({"initialDelaySeconds": 3, "periodSeconds": 5, "timeoutSeconds": 2}),
        exit_code=137,
    )
    answer = decided(
        document,
        events=(
            ("Unhealthy", "Liveness probe failed: dial tcp 10.1.0.9:9000: connection refused"),
        ),
    )
    assert answer.category is Category.PROBE
    assert "liveness" in answer.summary
    for word in ("GET /up on port 9000", "3 s", "every 5 s", "timeout 2 s", "8080", "kills"):
        assert word in answer.root_cause


def test_a_container_that_was_killed_is_not_told_as_a_probe_without_its_event() -> None:
    answer = decided(crashed(spec=probing({}), exit_code=137))
    assert answer.category is Category.CRASH_LOOP


@pytest.mark.parametrize(
    ("seconds", "owns"), [(0, True), (600, True), (3000, False), (-600, False)]
)
def test_a_probe_ends_only_the_run_of_which_it_was_told(seconds: float, owns: bool) -> None:
    """The Event is of the moment at which everything here begins; the run ends so long after."""
    document = raw_pod(
        containers=[{**API, **probing({})}],
        statuses=[
            container(
                waiting("CrashLoopBackOff"), last=terminated(137, seconds=seconds), restarts=4
            )
        ],
    )
    found = gathered(document, events=(("Unhealthy", "Liveness probe failed: HTTP 500"),))
    assert found.symptom is not None
    crash = msgspec.structs.replace(found.symptom, category=Category.CRASH_LOOP, exit_code=137)
    answer = killed_by_liveness_probe(dataclasses.replace(found, symptom=crash))
    assert (answer is not None) is owns


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("HTTP probe failed with statuscode: 404", "404"),
        ("HTTP probe failed with statuscode: 500", "500"),
        ('Get "http://10.1.0.9/": context deadline exceeded (Client.Timeout exceeded)', "timeout"),
        ('service unhealthy (responded with "NOT_SERVING")', "NOT_SERVING"),
        ("cat: /tmp/alive: No such file or directory", "/tmp/alive"),
    ],
)
def test_what_a_probe_was_answered_is_told(message: str, said: str) -> None:
    document = raw_pod(
        containers=[{**API, "readinessProbe": {"httpGet": {"path": "/", "port": 80}}}],
        statuses=[container({"running": {"startedAt": "2026-01-02T03:04:05Z"}})],
    )
    answer = decided(document, events=(("Unhealthy", f"Readiness probe failed: {message}"),))
    assert answer.category is Category.PROBE
    assert said in answer.summary
    assert "no requests" in answer.root_cause


# Images.


def pulling(message: str, *, image: str = "registry.example/shop/api:1.2") -> dict[str, Any]:
    return raw_pod(
        containers=[{"name": "api", "image": image}],
        statuses=[container(waiting("ImagePullBackOff", message), image="")],
        phase="Pending",
    )


@pytest.mark.parametrize(
    ("message", "rule", "said"),
    [
        ("no matching manifest for linux/arm64 in the manifest list", "platform", "arm64"),
        ("no match for platform in manifest: not found", "platform", "architecture"),
        ("pull QPS exceeded", "pull-rate", "QPS"),
        ("unexpected status code 503 Service Unavailable", "registry-fails", "unavailable"),
        ("proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout", "proxy", "proxy"),
        ("SignatureValidationFailed: Source image rejected", "policy", "signature"),
        ("failed to extract layer: no space left on device", "disk-full", "no space"),
        ("toomanyrequests: You have reached your pull rate limit", "rate-limited", "rate"),
    ],
)
def test_each_answer_of_a_registry_has_its_cause(message: str, rule: str, said: str) -> None:
    answer = decided(pulling(f"rpc error: {message}"))
    assert answer.category is Category.IMAGE_PULL
    assert said in answer.summary + answer.root_cause
    assert rule


def test_a_well_known_image_that_is_misspelt_is_guessed() -> None:
    answer = decided(pulling("manifest unknown", image="ngnix:1.27"))
    assert "perhaps nginx is meant" in answer.summary


@pytest.mark.parametrize(
    ("image", "odd"),
    [
        ("Shop/API:1", "capital letters"),
        ("shop/api::1", "two colons"),
        ("shop/api:${TAG}", "variable"),
        ("https://registry.example/shop/api:1", "scheme"),
    ],
)
def test_what_is_wrong_in_an_image_name_is_said(image: str, odd: str) -> None:
    document = raw_pod(
        containers=[{"name": "api", "image": image}],
        statuses=[
            container(
                waiting("InvalidImageName", "couldn't parse image name: invalid reference format"),
                image="",
            )
        ],
        phase="Pending",
    )
    answer = decided(document)
    assert odd in answer.summary


def test_an_init_containers_image_is_the_cause_of_what_waits_behind_it() -> None:
    document = raw_pod(
        containers=[API],
        statuses=[container(waiting("CrashLoopBackOff"))],
        init_containers=[{"name": "migrate", "image": "registry.example/shop/migrate:9"}],
    )
    answer = decided(
        document,
        events=(("Failed", 'Failed to pull image "registry.example/shop/migrate:9": not found'),),
        about="migrate",
    )
    assert answer.category is Category.IMAGE_PULL
    assert "shop/migrate" in answer.summary
    assert "init container" in answer.root_cause


# Configuration.


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('configmap "rates" not found', "ConfigMap rates does not exist"),
        ("couldn't find key url in Secret shop/rates", "key url is missing in Secret rates"),
        ("container has runAsNonRoot and image will run as root", "must not run as root"),
        ("container's runAsUser breaks non-root policy", "user 0"),
    ],
)
def test_what_the_kubelet_misses_is_named(message: str, said: str) -> None:
    status = container(waiting("CreateContainerConfigError", message))
    answer = decided(raw_pod(containers=[API], statuses=[status], phase="Pending"))
    assert answer.category is Category.CONFIG
    assert said in answer.summary


def test_a_missing_object_is_found_where_the_kubelet_says_nothing_yet() -> None:
    spec = {**API, "envFrom": [{"configMapRef": {"name": "rates"}}]}
    status = container(waiting("CreateContainerConfigError"))
    answer = decided(raw_pod(containers=[spec], statuses=[status], phase="Pending"))
    assert answer.category is Category.CONFIG
    assert "ConfigMap rates does not exist" in answer.summary


def test_keys_that_are_no_names_of_variables_are_listed() -> None:
    document = raw_pod(
        containers=[API],
        statuses=[container(waiting("CrashLoopBackOff"), restarts=2)],
    )
    answer = decided(
        document,
        events=(
            (
                "InvalidEnvironmentVariableNames",
                "Keys [1st, a-b] from the EnvFrom configMap shop/rates were skipped since they are "
                "considered invalid environment variable names.",
            ),
        ),
    )
    assert "a-b" in answer.summary
    assert "rates" in answer.summary
