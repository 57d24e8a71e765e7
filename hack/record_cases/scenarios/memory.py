"""Memory that runs out."""

from __future__ import annotations

from hack.record_cases.building import container, deployment, memory, prints
from hack.record_cases.scenario import Expected, Scenario, Step

FILLS = "exec tail /dev/zero"
NEEDS_30_MIB = (
    "dd if=/dev/zero of=/dev/null bs=30M count=1 || exit 1; "
    "trap 'exit 0' TERM; while true; do sleep 1; done"
)

SCENARIOS = (
    Scenario(
        id="memory-limit-reached",
        title="The container takes more than its limit",
        target="Deployment/indexer",
        steps=(
            Step(
                manifests=(
                    deployment("indexer", container(script=FILLS, resources=memory("24Mi"))),
                )
            ),
        ),
        expected=Expected(category="OOMKilled", says=(("24Mi",), ("memory limit|out of memory",))),
    ),
    Scenario(
        id="memory-of-a-child",
        title="A child process is killed for memory; the container ends with another exit code",
        target="Deployment/converter",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "converter",
                        container(
                            script="tail /dev/zero; echo conversion ended with $?; exit 1",
                            resources=memory("24Mi"),
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="OOMKilled", says=(("24Mi",), ("memory limit|out of memory",))),
    ),
    Scenario(
        id="memory-limit-lowered",
        title="A rollout lowers the limit below what the program needs",
        target="Deployment/session",
        steps=(
            Step(
                manifests=(
                    deployment("session", container(script=NEEDS_30_MIB, resources=memory("64Mi"))),
                ),
                seconds=15,
            ),
            Step(
                manifests=(
                    deployment("session", container(script=NEEDS_30_MIB, resources=memory("24Mi"))),
                )
            ),
        ),
        expected=Expected(category="OOMKilled", says=(("24Mi",), ("memory limit|out of memory",))),
    ),
    Scenario(
        id="memory-and-missing-config",
        title="One container runs out of memory, another crashes for want of a variable",
        target="Deployment/twofold",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "twofold",
                        container("cache", script=FILLS, resources=memory("24Mi")),
                        prints("Error: environment variable REGION is not set", name="api"),
                    ),
                )
            ),
        ),
        expected=Expected(category=None, says=(("24Mi|memory limit", "REGION"),)),
    ),
)
