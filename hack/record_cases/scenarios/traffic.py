"""Services, what stands behind them, and programs that wait for each other."""

from __future__ import annotations

from hack.record_cases.building import (
    container,
    cron_job,
    deployment,
    http_probe,
    prints,
    service,
)
from hack.record_cases.scenario import Expected, Scenario, Step

WAITS = (
    "for i in 1 2 3; do nc -z -w 1 orders-db 5432 && exit 0; "
    "echo 'dial tcp: connect to orders-db:5432: connection refused'; sleep 1; done; exit 1"
)
HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "front"},
    "spec": {
        "minReplicas": 1,
        "maxReplicas": 4,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "front"},
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 60},
                },
            }
        ],
    },
}
INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "public"},
    "spec": {
        "rules": [
            {
                "host": "shop.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "storefront", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ]
    },
}

SCENARIOS = (
    Scenario(
        id="service-selects-nothing",
        title="The selector of a Service matches no Pod",
        target="Service/catalog",
        steps=(
            Step(
                manifests=(
                    deployment("catalog-v2", container()),
                    service("catalog", selects="catalog"),
                )
            ),
        ),
        expected=Expected(
            category="Service", says=(("selector|selects|matches",), ("app=catalog|no pod",))
        ),
    ),
    Scenario(
        id="service-pods-not-ready",
        title="All Pods behind a Service fail",
        target="Service/catalog",
        steps=(
            Step(
                manifests=(
                    deployment("catalog", container(readinessProbe=http_probe(8080))),
                    service("catalog", selects="catalog"),
                ),
                seconds=60,
            ),
        ),
        expected=Expected(category="Service", says=(("ready|endpoint",), ("catalog",))),
    ),
    Scenario(
        id="ingress-without-service",
        title="An Ingress leads to a Service that does not exist",
        target="Ingress/public",
        steps=(Step(manifests=(INGRESS,), seconds=10),),
        expected=Expected(
            category="Service", says=(("storefront",), ("does not exist|not found|missing",))
        ),
    ),
    Scenario(
        id="dependency-not-there",
        title="A program gives up on a database whose Service has nobody behind it",
        target="Deployment/orders",
        steps=(
            Step(
                manifests=(
                    service("orders-db", selects="orders-db", port=5432, target_port=5432),
                    deployment("orders", container(script=WAITS)),
                )
            ),
        ),
        expected=Expected(
            category="Dependency",
            says=(("orders-db",), ("refused|endpoint|unreachable|cannot reach|connect",)),
        ),
    ),
    Scenario(
        id="dependency-crashes-too",
        title="A program gives up on a database that crashes itself",
        target="Deployment/orders",
        steps=(
            Step(
                manifests=(
                    service("orders-db", selects="orders-db", port=5432, target_port=5432),
                    deployment(
                        "orders-db",
                        prints("FATAL: data directory /var/lib/db has wrong ownership"),
                    ),
                    deployment("orders", container(script=WAITS)),
                )
            ),
        ),
        expected=Expected(category="Dependency", says=(("orders-db",),)),
    ),
    Scenario(
        id="dependency-password-wrong",
        title="The database refuses the password",
        target="Deployment/orders",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "orders",
                        prints(
                            "connecting to orders-db:5432 as app",
                            'FATAL:  password authentication failed for user "app"',
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category=None, says=(("authentication failed|password",), ("app",))),
    ),
    Scenario(
        id="network-name-unknown",
        title="The name of a host has no address",
        target="Deployment/feed",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "feed",
                        prints(
                            "Error: getaddrinfo ENOTFOUND rates.internal.invalid",
                            "    at GetAddrInfoReqWrap.onlookup (node:dns:109:26) {",
                            "  errno: -3008,",
                            "  code: 'ENOTFOUND',",
                            "  syscall: 'getaddrinfo',",
                            "  hostname: 'rates.internal.invalid'",
                            "}",
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(
            category="Network",
            says=(("rates\\.internal\\.invalid",), ("resolve|DNS|unknown|not found|no address",)),
        ),
    ),
    Scenario(
        id="network-certificate-expired",
        title="The certificate of what it calls has expired",
        target="Deployment/feed",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "feed",
                        prints(
                            'level=error msg="sync failed" '
                            'err="Get \\"https://rates.example.com/v1\\": tls: failed to verify '
                            "certificate: x509: certificate has expired or is "
                            "not yet valid: current time 2026-02-03T04:05:06Z is after "
                            '2026-02-01T00:00:00Z"',
                        ),
                    ),
                )
            ),
        ),
        expected=Expected(category=None, says=(("certificate",), ("expired",))),
    ),
    Scenario(
        id="autoscaler-no-metrics",
        title="An autoscaler has no metrics to go by",
        target="HorizontalPodAutoscaler/front",
        steps=(
            Step(
                manifests=(
                    deployment("front", container(resources={"requests": {"cpu": "10m"}})),
                    HPA,
                ),
                seconds=120,
            ),
        ),
        expected=Expected(category="Autoscaling", says=(("metric",),)),
    ),
    Scenario(
        id="autoscaler-no-target",
        title="An autoscaler is to scale what does not exist",
        target="HorizontalPodAutoscaler/front",
        steps=(Step(manifests=(HPA,), seconds=120),),
        expected=Expected(category="Autoscaling", says=(("front",), ("not found|does not exist",))),
    ),
    Scenario(
        id="rollout-does-not-finish",
        title="A rollout has passed its deadline, because the new Pods never become ready",
        target="Deployment/portal",
        steps=(
            Step(
                manifests=(
                    deployment("portal", container(), spec={"progressDeadlineSeconds": 30}),
                ),
                seconds=15,
            ),
            Step(
                manifests=(
                    deployment(
                        "portal",
                        container(readinessProbe=http_probe(8080)),
                        spec={"progressDeadlineSeconds": 30},
                    ),
                ),
                seconds=75,
            ),
        ),
        expected=Expected(category="Rollout", says=(("readiness|progress|deadline|ready",),)),
    ),
    Scenario(
        id="cron-job-run-fails",
        title="The runs of a CronJob fail",
        target="CronJob/nightly",
        steps=(
            Step(
                manifests=(
                    cron_job(
                        "nightly",
                        prints("pg_dump: error: no matching tables were found"),
                        schedule="* * * * *",
                    ),
                ),
                seconds=150,
            ),
        ),
        expected=Expected(category="Job", says=(("no matching tables|pg_dump|backoff",),)),
    ),
    Scenario(
        id="cron-job-suspended",
        title="A CronJob does not run, because somebody suspended it",
        target="CronJob/statements",
        steps=(
            Step(
                manifests=(
                    cron_job("statements", container(), schedule="* * * * *", suspend=True),
                ),
                seconds=75,
            ),
        ),
        expected=Expected(category="Job", says=(("suspend",),)),
    ),
)
