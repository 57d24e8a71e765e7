"""Probes that fail."""

from __future__ import annotations

from hack.record_cases.building import container, deployment, exec_probe, http_probe
from hack.record_cases.scenario import Expected, Scenario, Step

SERVES = "mkdir -p /tmp/www; echo ok > /tmp/www/index.html; httpd -f -p 8080 -h /tmp/www"
PORTS = [{"containerPort": 8080}]

SCENARIOS = (
    Scenario(
        id="probe-wrong-port",
        title="The readiness probe asks a port that nobody listens on",
        target="Deployment/web",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "web",
                        container(script=SERVES, ports=PORTS, readinessProbe=http_probe(8081)),
                    ),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(
            category="Probe", says=(("readiness",), ("8081",), ("refused|listens|listening",))
        ),
    ),
    Scenario(
        id="probe-wrong-path",
        title="The readiness probe asks a path that is not there",
        target="Deployment/web",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "web",
                        container(
                            script=SERVES, ports=PORTS, readinessProbe=http_probe(8080, "/healthz")
                        ),
                    ),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(category="Probe", says=(("readiness",), ("404",))),
    ),
    Scenario(
        id="probe-liveness-fails",
        title="The liveness probe fails, so the container is ended again and again",
        target="Deployment/queue",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "queue",
                        container(
                            livenessProbe=exec_probe("echo lag is 9000; exit 1", failureThreshold=2)
                        ),
                    ),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(category="Probe", says=(("liveness",), ("lag is 9000|fail",))),
    ),
    Scenario(
        id="probe-startup-too-short",
        title="The program needs longer to start than its startup probe allows",
        target="Deployment/analytics",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "analytics",
                        container(
                            script="echo loading the model; sleep 600",
                            ports=PORTS,
                            startupProbe=http_probe(8080, failureThreshold=3),
                        ),
                    ),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(category="Probe", says=(("startup",),)),
    ),
)
