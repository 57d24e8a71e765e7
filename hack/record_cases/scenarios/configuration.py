"""Configuration that is missing or wrong, and files that cannot be used."""

from __future__ import annotations

from hack.record_cases.building import (
    config_map,
    container,
    deployment,
    from_config_map,
    pod,
    prints,
)
from hack.record_cases.scenario import Expected, Scenario, Step

READS_LEVEL = (
    'case "$(cat /etc/app/level)" in '
    'debug|info) trap "exit 0" TERM; while true; do sleep 1; done;; esac; '
    'echo "invalid log level: $(cat /etc/app/level)"; sleep 1; exit 3'
)
SETTINGS = [{"name": "settings", "configMap": {"name": "settings"}}]
MOUNTED = [{"name": "settings", "mountPath": "/etc/app"}]

SCENARIOS = (
    Scenario(
        id="config-map-missing",
        title="The environment comes from a ConfigMap that does not exist",
        target="Deployment/cart",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "cart",
                        container(envFrom=[{"configMapRef": {"name": "cart-settings"}}]),
                    ),
                )
            ),
        ),
        expected=Expected(
            category="Config", says=(("cart-settings",), ("not found|does not exist|missing",))
        ),
    ),
    Scenario(
        id="config-key-missing",
        title="The ConfigMap is there, the key is not",
        target="Deployment/cart",
        steps=(
            Step(
                manifests=(
                    config_map("cart-settings", currency="EUR"),
                    deployment(
                        "cart",
                        container(
                            env=[from_config_map("TAX", name="cart-settings", key="tax-rate")]
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="Config", says=(("tax-rate",), ("cart-settings",))),
    ),
    Scenario(
        id="config-secret-missing",
        title="A variable comes from a Secret that does not exist",
        target="Deployment/payments",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "payments",
                        container(
                            env=[
                                {
                                    "name": "API_KEY",
                                    "valueFrom": {
                                        "secretKeyRef": {"name": "payments-api", "key": "key"}
                                    },
                                }
                            ]
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(
            category="Config", says=(("payments-api",), ("not found|does not exist|missing",))
        ),
    ),
    Scenario(
        id="config-secret-key-missing",
        title="The Secret is there, the key is not",
        target="Deployment/payments",
        secrets={"payments-api": {"token": "not-a-real-one"}},
        steps=(
            Step(
                manifests=(
                    deployment(
                        "payments",
                        container(
                            env=[
                                {
                                    "name": "API_KEY",
                                    "valueFrom": {
                                        "secretKeyRef": {"name": "payments-api", "key": "key"}
                                    },
                                }
                            ]
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="Config", says=(("payments-api",), ("\\bkey\\b",))),
    ),
    Scenario(
        id="config-volume-missing",
        title="Mounts a ConfigMap that does not exist",
        target="Deployment/rules",
        steps=(
            Step(
                manifests=(deployment("rules", container(volumeMounts=MOUNTED), volumes=SETTINGS),),
                seconds=75,
            ),
        ),
        expected=Expected(
            category="Config", says=(("settings",), ("not found|does not exist|missing",))
        ),
    ),
    Scenario(
        id="config-edited-after",
        title="An edit of a ConfigMap breaks the Pods that start after it",
        target="Deployment/audit",
        steps=(
            Step(
                manifests=(
                    config_map("settings", level="info"),
                    deployment(
                        "audit",
                        container(script=READS_LEVEL, volumeMounts=MOUNTED),
                        volumes=SETTINGS,
                    ),
                ),
                seconds=15,
            ),
            Step(
                manifests=(config_map("settings", level="verbose"),), scale={"audit": 0}, seconds=8
            ),
            Step(manifests=(), scale={"audit": 1}),
        ),
        expected=Expected(category=None, says=(("verbose|log level",),)),
    ),
    Scenario(
        id="config-must-not-be-root",
        title="The image runs as root and the Pod forbids it",
        target="Deployment/hardened",
        steps=(
            Step(
                manifests=(
                    deployment("hardened", container(securityContext={"runAsNonRoot": True})),
                )
            ),
        ),
        expected=Expected(category="Config", says=(("root",), ("runAsNonRoot|non-?root",))),
    ),
    Scenario(
        id="config-read-only-root",
        title="The program writes to a root file system that is read-only",
        target="Deployment/spool",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "spool",
                        container(
                            script="echo starting; mkdir /var/spool-cache; sleep 1; exit 1",
                            securityContext={"readOnlyRootFilesystem": True},
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(
            category=None, says=(("read-?only",), ("/var/spool-cache|file ?system",))
        ),
    ),
    Scenario(
        id="config-yaml-broken",
        title="The program cannot parse its configuration",
        target="Deployment/router",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "router",
                        prints(
                            "loading /etc/router/routes.yaml",
                            "yaml: line 14: did not find expected key",
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category="Config", says=(("routes\\.yaml|yaml",), ("line 14",))),
    ),
    Scenario(
        id="storage-no-space",
        title="The program fills its volume",
        target="Deployment/recorder",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "recorder",
                        container(
                            script="dd if=/dev/zero of=/data/big bs=1M count=4; sleep 1; exit 1",
                            volumeMounts=[{"name": "data", "mountPath": "/data"}],
                        ),
                        volumes=[
                            {"name": "data", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
                        ],
                    ),
                )
            ),
        ),
        expected=Expected(category="Storage", says=(("no space|full|out of disk|space left",),)),
    ),
    Scenario(
        id="storage-host-path-not-there",
        title="Mounts a folder of the node that does not exist",
        target="Pod/collector",
        steps=(
            Step(
                manifests=(
                    pod(
                        "collector",
                        container(volumeMounts=[{"name": "logs", "mountPath": "/logs"}]),
                        volumes=[
                            {
                                "name": "logs",
                                "hostPath": {"path": "/srv/missing-logs", "type": "Directory"},
                            }
                        ],
                    ),
                ),
                seconds=75,
            ),
        ),
        expected=Expected(
            category="Volume", says=(("/srv/missing-logs",), ("directory|hostPath",))
        ),
    ),
)
