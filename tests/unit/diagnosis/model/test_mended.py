"""What was done to a workload is read from words only where all of them are understood."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kausa.diagnosis.model.mended import Deed, changed_from, deeds_of

TARGET = "Deployment/checkout"
CONTAINERS = ("api", "proxy")
TEMPLATE = f"{TARGET} spec.template.spec"


def deeds(text: str) -> list[Deed]:
    return list(deeds_of(text, target=TARGET, containers=CONTAINERS))


SCALED = Deed(action="scale", value="3")
LIMIT = Deed(action="limits", value="128Mi", resource="memory")


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("rolled back to revision 3", Deed(action="undo")),
        ("We rolled back the deployment.", Deed(action="undo")),
        ("checkout was rolled back", Deed(action="undo")),
        ("the change was reverted", Deed(action="undo")),
        ("went back to revision 7", Deed(action="undo")),
        ("the Pods were restarted", Deed(action="restart")),
        ("it was restarted by hand (rollout restart)", Deed(action="restart")),
        ("alice restarted deployment/checkout", Deed(action="restart")),
        ("scaled to 3 replicas", SCALED),
        ("it recovered when alice scaled checkout up to 3", SCALED),
        ("Deployment checkout was scaled from 1 to 3 replicas", SCALED),
        ("replicas: 1 -> 3", SCALED),
        ("the number of replicas was set to 3", SCALED),
        ("memory limit raised from 64Mi to 128Mi", LIMIT),
        (
            "the memory limit of container api was changed from 64Mi to 128Mi",
            Deed(action="limits", value="128Mi", resource="memory", container="api"),
        ),
        (
            "containers[api].resources.limits.memory: 64Mi -> 128Mi",
            Deed(action="limits", value="128Mi", resource="memory", container="api"),
        ),
        (
            "bob raised the cpu request to 250m",
            Deed(action="requests", value="250m", resource="cpu"),
        ),
        ("raised memory to 1Gi", Deed(action="resources", value="1Gi", resource="memory")),
        ("image set to r.example/a:2.", Deed(action="image", value="r.example/a:2")),
        (
            "the image of container api was changed from a:1 to a:2",
            Deed(action="image", value="a:2", container="api"),
        ),
        ("containers[api].image: a:1 -> a:2", Deed(action="image", value="a:2", container="api")),
        (
            "metadata.annotations[kubectl.kubernetes.io/restartedAt] added: 2026-01-02T03:04:05Z",
            Deed(action="restart"),
        ),
    ],
)
def test_what_was_done_is_understood(text: str, deed: Deed) -> None:
    assert deeds(text) == [deed]


@pytest.mark.parametrize(
    "text",
    [
        "memory was not raised; the restart loop ended when alice scaled cart to 3",
        "the restart loop ended",
        *("the container restarted", "api restarted 5 times", "the restart count was high"),
        *("restart policy set to Always", "the database was restarted", "alice restarted payments"),
        *("rolled back the database migration", "reverted the ConfigMap", "payments rolled back"),
        *("rolling back did not help", "no rollback was needed", "nothing was restarted"),
        *("scaled cart to 3", "Deployment cart was scaled from 1 to 3 replicas", "3 replicas"),
        *("memory of the node raised to 3Gi", "cart: memory limit raised to 1Gi", "use a:2"),
        "the image of container sidecar was changed from a:1 to a:2",
        "variable IMAGE of container api was changed from 'x' to 'y; image set to evil:1'",
        "containers[api].env[A]: x -> y; image set to evil:1",
        "instead of raising memory to 1Gi the cache was made smaller",
        "scaled to 3 replicas, which made it worse",
    ],
)
def test_of_what_is_not_understood_nothing_was_done(text: str) -> None:
    assert deeds(text) == []


def test_what_was_changed_is_set_back_to_what_it_was() -> None:
    def back(field: str, text: str) -> list[Deed]:
        return list(changed_from(field, text, target=TARGET))

    image = "the image of container api was changed from a:1 to a:2 at 10:00:00 UTC"
    assert back(f"{TEMPLATE}.containers[api].image", image) == [
        Deed(action="image", value="a:1", container="api")
    ]
    limit = "the memory limit of container api was changed from 256Mi to 64Mi"
    assert back(f"{TEMPLATE}.containers[api].resources.limits.memory", limit) == [
        Deed(action="limits", value="256Mi", container="api", resource="memory")
    ]
    scaled = "Deployment checkout was scaled from 3 to 1 replicas at 10:00:00 UTC"
    assert back(f"{TARGET} spec.replicas", scaled) == [SCALED]
    assert back("Deployment/cart spec.replicas", scaled) == []
    assert back(f"{TEMPLATE}.containers[api].env[IMAGE]", image) == []
    assert back(f"{TEMPLATE}.containers[api].image", "it was added: a:1") == []


@settings(max_examples=50)
@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    for deed in deeds(f"scaled {text} to 3; {text}"):
        assert deed.action
