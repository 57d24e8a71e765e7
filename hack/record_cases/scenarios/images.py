"""Images that do not come."""

from __future__ import annotations

from hack.record_cases.building import container, deployment, pod
from hack.record_cases.scenario import Expected, Scenario, Step

UNKNOWN_REGISTRY = "registry.invalid/billing/ledger:3.1.0"

SCENARIOS = (
    Scenario(
        id="image-registry-unknown",
        title="The host of the registry has no address",
        target="Deployment/ledger",
        steps=(Step(manifests=(deployment("ledger", container(image=UNKNOWN_REGISTRY)),)),),
        expected=Expected(
            category="ImagePull",
            says=(("registry\\.invalid",), ("host", "DNS", "resolve", "address", "no such host")),
        ),
    ),
    Scenario(
        id="image-never-pulled",
        title="The image is not on the node and may not be pulled",
        target="Pod/importer",
        steps=(
            Step(
                manifests=(
                    pod(
                        "importer",
                        container(image="localhost/importer:7", imagePullPolicy="Never"),
                    ),
                )
            ),
        ),
        expected=Expected(
            category="ImagePull", says=(("localhost/importer:7",), ("Never", "not present"))
        ),
    ),
    Scenario(
        id="image-name-invalid",
        title="The image's name has capitals",
        target="Deployment/mailer",
        steps=(Step(manifests=(deployment("mailer", container(image="Shop/Mailer:1")),)),),
        expected=Expected(
            category="ImagePull",
            says=(
                ("Shop/Mailer",),
                ("invalid", "not a valid", "upper ?case", "lower ?case", "capital"),
            ),
        ),
    ),
    Scenario(
        id="image-of-init-container",
        title="The init container's image is missing, the main one only waits",
        target="Deployment/catalog",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "catalog",
                        container("web"),
                        initContainers=[
                            container(
                                "migrate",
                                image="localhost/catalog-migrate:2",
                                imagePullPolicy="Never",
                            )
                        ],
                    ),
                )
            ),
        ),
        expected=Expected(category="ImagePull", says=(("migrate",), ("catalog-migrate:2",))),
    ),
    Scenario(
        id="image-of-one-of-two",
        title="One of two containers lacks its image, the other is well",
        target="Deployment/search",
        steps=(
            Step(
                manifests=(
                    deployment(
                        "search",
                        container("api"),
                        container("exporter", image=UNKNOWN_REGISTRY),
                    ),
                )
            ),
        ),
        expected=Expected(category="ImagePull", says=(("exporter",), ("ledger:3\\.1\\.0",))),
    ),
    Scenario(
        id="image-changed-in-rollout",
        title="A rollout names an image that is not there; the old Pod still serves",
        target="Deployment/checkout",
        steps=(
            Step(manifests=(deployment("checkout", container("api")),), seconds=15),
            Step(
                manifests=(
                    deployment(
                        "checkout",
                        container("api", image="localhost/checkout:5", imagePullPolicy="Never"),
                    ),
                )
            ),
        ),
        expected=Expected(category="ImagePull", says=(("localhost/checkout:5",),)),
    ),
)
