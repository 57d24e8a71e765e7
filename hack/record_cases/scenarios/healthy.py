"""What is well, however it looks."""

from __future__ import annotations

from hack.record_cases.building import (
    SLEEP,
    config_map,
    container,
    daemon_set,
    deployment,
    exec_probe,
    job,
    pod,
    service,
    stateful_set,
)
from hack.record_cases.scenario import HEALTHY, Scenario, Step

SAYS_ERROR = (
    "echo 'level=error msg=\"cannot reach telemetry, going on without\"'; "
    "echo 'ERROR 0 of 12 checks failed'; " + SLEEP
)
FAILS_ONCE = (
    "[ -e /dev/shm/lived ] || { touch /dev/shm/lived; echo 'waiting for the leader'; exit 1; }; "
    + SLEEP
)
OPTIONAL = [{"configMapRef": {"name": "not-there", "optional": True}}]

SCENARIOS = (
    Scenario(
        id="healthy-deployment",
        title="Runs and is ready",
        target="Deployment/web",
        steps=(Step(manifests=(deployment("web", container(), replicas=2),), seconds=30),),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-says-error",
        title="Writes of errors and does its work",
        target="Deployment/chatty",
        steps=(Step(manifests=(deployment("chatty", container(script=SAYS_ERROR)),), seconds=30),),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-after-a-restart",
        title="Crashed once, at the start, and is well since",
        target="Deployment/elected",
        steps=(Step(manifests=(deployment("elected", container(script=FAILS_ONCE)),), seconds=90),),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-finished-job",
        title="A Job that is done",
        target="Job/report",
        steps=(Step(manifests=(job("report", container(script="echo done")),), seconds=25),),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-job-second-try",
        title="A Job whose second try succeeded",
        target="Job/flaky",
        steps=(
            Step(
                manifests=(
                    {
                        **job("flaky", container(), backoffLimit=4),
                        "spec": {
                            "backoffLimit": 4,
                            "template": {
                                "metadata": {"labels": {"app": "flaky"}},
                                "spec": {
                                    "restartPolicy": "OnFailure",
                                    "containers": [
                                        container(
                                            script="[ -e /dev/shm/x ] || "
                                            "{ touch /dev/shm/x; exit 1; }; echo done"
                                        )
                                    ],
                                },
                            },
                        },
                    },
                ),
                seconds=60,
            ),
        ),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-optional-config",
        title="A ConfigMap that is not there, and need not be",
        target="Deployment/lenient",
        steps=(Step(manifests=(deployment("lenient", container(envFrom=OPTIONAL)),), seconds=30),),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-rolling-out",
        title="A rollout that replaces Pods",
        target="Deployment/fresh",
        steps=(
            Step(manifests=(deployment("fresh", container(), replicas=2),), seconds=15),
            Step(
                manifests=(
                    deployment(
                        "fresh",
                        container(readinessProbe=exec_probe("true", initialDelaySeconds=20)),
                        replicas=2,
                    ),
                ),
                seconds=10,
            ),
        ),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-scaled-to-zero",
        title="A Deployment that nobody wants to run, and its Service",
        target="Deployment/asleep",
        steps=(
            Step(
                manifests=(
                    deployment("asleep", container(), replicas=0),
                    service("asleep", selects="asleep"),
                ),
                seconds=15,
            ),
        ),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-stateful-set",
        title="A StatefulSet and a DaemonSet that run",
        target="StatefulSet/store",
        steps=(
            Step(
                manifests=(
                    config_map("settings", mode="fast"),
                    stateful_set("store", container()),
                    daemon_set("agent", container()),
                ),
                seconds=30,
            ),
        ),
        expected=HEALTHY,
    ),
    Scenario(
        id="healthy-slow-start",
        title="Not ready yet, and within its time",
        target="Pod/slow",
        steps=(
            Step(
                manifests=(
                    pod(
                        "slow",
                        container(
                            startupProbe=exec_probe("test -e /tmp/loaded", failureThreshold=60)
                        ),
                    ),
                ),
                seconds=20,
            ),
        ),
        expected=HEALTHY,
    ),
)
