"""Whatever happens to the operator or around it: nothing is lost, doubled or left unsaid."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench.faults.faults import (
    api_server_away,
    killed_again_and_again,
    past_forgotten,
    watches_cut,
)
from bench.faults.leaders import leader_lost
from bench.faults.scene import Outcome, Scene, scene
from kubernetes import client, utils
from support.cluster import REPOSITORY, cluster_tool, is_local
from support.crds import apply_crds
from support.namespace import Namespace, condition
from support.operator_process import OperatorProcess, wait_for
from support.workloads import crashes, healthy, lacks_its_configmap, runs_out_of_memory

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def place(kubeconfig: str, namespace: Namespace, tmp_path: Path) -> Iterator[Scene]:
    """Where faults happen and are counted; `make bench-faults` has them in their full size."""
    with scene(kubeconfig=kubeconfig, folder=tmp_path, namespace=namespace) as found:
        yield found


@pytest.fixture
def api_server() -> Iterator[None]:
    """A cluster whose API server can be stopped; it is started again whatever happens."""
    if not is_local():
        pytest.skip("the API server of a named cluster is not ours to stop")
    yield
    cluster_tool("up")


def nothing_lost_nothing_doubled(outcome: Outcome) -> None:
    assert not outcome.problems, "\n".join((*outcome.problems, *outcome.notes))
    print(
        f"\n{outcome.fault}: {outcome.count.failures} failures, 0 lost, 0 doubled, all found after "
        f"{outcome.found_seconds:.1f} s; {'; '.join(outcome.notes)}"
    )


def test_an_operator_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(
    place: Scene,
) -> None:
    place.namespace.apply(healthy())
    outcome = killed_again_and_again(place, times=12, failures=16, seconds=18)
    nothing_lost_nothing_doubled(outcome)
    for each in place.namespace.diagnoses():
        failure = each["status"]["failure"]
        assert failure["occurrences"] == sum(pod["occurrences"] for pod in failure["pods"]), each


def test_an_api_server_that_goes_away_is_waited_for_and_said_once(
    place: Scene, tmp_path: Path, api_server: None
) -> None:
    nothing_lost_nothing_doubled(api_server_away(place, seconds=12, elects=False))
    log = (tmp_path / "faults" / "operator.log").read_text()
    for kind in ("pods", "events"):
        lines = [line for line in log.splitlines() if f'"{kind}"' in line]
        said = [line for line in lines if "Watch failed" in line]
        # None where it waited out the whole time: a server that is going down accepts watches and
        # cuts them at once, so the pauses have grown by the time it is gone.
        assert len(said) <= 1, said
        assert sum("Watch is back" in line for line in lines) == len(said)
    assert log.count("Cannot connect") >= 1
    assert "Traceback" not in log


def test_a_leader_that_cannot_renew_its_lease_ends_and_the_next_one_misses_nothing(
    place: Scene, tmp_path: Path, api_server: None
) -> None:
    nothing_lost_nothing_doubled(api_server_away(place, seconds=12, elects=True))
    assert "Lost the Lease" in (tmp_path / "faults" / "operator.log").read_text()


def test_what_came_and_went_before_a_forgotten_past_is_found_and_forgotten(
    place: Scene, api_server: None
) -> None:
    nothing_lost_nothing_doubled(past_forgotten(place))


def test_watches_that_are_cut_every_second_lose_nothing(place: Scene) -> None:
    nothing_lost_nothing_doubled(watches_cut(place, seconds=10, failures=16))


def test_a_leader_that_dies_is_replaced_and_two_never_write_at_a_time(place: Scene) -> None:
    found = leader_lost(place, failures=16, seconds=20, freeze=False)
    nothing_lost_nothing_doubled(found.outcome)
    killed, ended = found.take_overs
    assert killed.seconds < 20
    assert ended.seconds < 5, "who is told to end gives the Lease back at once"
    assert (found.strays, found.idle_watches) == ((), ())


def test_without_our_resources_it_ends_with_a_sentence_that_says_what_to_do(
    start_operator: Callable[..., OperatorProcess], kubeconfig: str, api: Any
) -> None:
    crds = client.ApiextensionsV1Api(api)
    names = ("failurediagnoses.kausa.dev", "runbooks.kausa.dev")
    for name in names:
        crds.delete_custom_resource_definition(name)
    present = client.ApiextensionsV1Api(api).list_custom_resource_definition
    try:
        wait_for(
            lambda: not {each.metadata.name for each in present().items} & set(names),
            what="the CRDs to go",
        )
        operator = start_operator(launch_only=True)
        assert operator.wait() == 3
        (line,) = operator.log().splitlines()
        assert "does not know FailureDiagnosis" in line
        assert "kubectl apply --server-side -f crds/" in line
    finally:
        apply_crds(kubeconfig)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("clusters: [", "is not YAML"),
        ("clusters: 7", "does not have the shape of one"),
        (None, "cannot be read"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_ends_it_with_one_line(
    start_operator: Callable[..., OperatorProcess], tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    operator = start_operator(launch_only=True, kubeconfig=str(path))
    assert operator.wait() == 2
    (line,) = operator.log().splitlines()
    assert said in line
    assert str(path) in line


@pytest.fixture
def account(
    api: Any, kubeconfig: str, namespace: Namespace, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """A kubeconfig for a ServiceAccount with the least privileges, less those that are named."""
    rbac = client.RbacAuthorizationV1Api(api)
    name = f"{namespace.name}-operator"
    role = yaml.safe_load((REPOSITORY / "hack" / "rbac.yaml").read_text())
    role["metadata"]["name"] = name

    def make(*, without: str | None = None) -> str:
        for rule in role["rules"]:
            rule["resources"] = [each for each in rule["resources"] if each != without]
        role["rules"] = [rule for rule in role["rules"] if rule["resources"]]
        utils.create_from_dict(api, role)
        namespace.core.create_namespaced_service_account(
            namespace.name, {"metadata": {"name": name}}
        )
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace.name}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        rbac.create_cluster_role_binding(
            {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference}
        )
        token = namespace.core.create_namespaced_service_account_token(
            name, namespace.name, {"spec": {}}
        ).status.token
        config = yaml.safe_load(Path(kubeconfig).read_text())
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
        path = tmp_path / "least-privilege.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return str(path)

    yield make
    rbac.delete_cluster_role_binding(name)
    rbac.delete_cluster_role(name)


def test_the_least_privileges_are_enough(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    account: Callable[..., str],
) -> None:
    operator = start_operator(kubeconfig=account())
    namespace.apply(crashes())
    resource = namespace.diagnosis_of("checkout")
    assert condition(resource, "EvidenceGathered")["status"] == "True"
    assert "orbidden" not in operator.log()


def test_forbidden_logs_are_said_in_a_condition_and_the_rest_is_diagnosed(
    start_operator: Callable[..., OperatorProcess],
    namespace: Namespace,
    account: Callable[..., str],
) -> None:
    operator = start_operator(kubeconfig=account(without="pods/log"))
    namespace.apply(runs_out_of_memory(), crashes())
    killed = namespace.diagnosis_of("indexer")
    gathered = condition(killed, "EvidenceGathered")
    assert (gathered["status"], gathered["reason"]) == ("False", "Forbidden")
    assert "get pods/log" in gathered["message"]
    assert condition(killed, "Diagnosed")["status"] == "True"
    (gap,) = killed["status"]["evidenceGaps"]
    assert "get pods/log" in gap["permission"]

    crashed = namespace.diagnosis_of("checkout")
    assert condition(crashed, "Diagnosed")["reason"] == "Undetermined"
    assert operator.running
    said = [
        line
        for line in operator.log().splitlines()
        if "want of a permission" in line and namespace.name in line
    ]
    assert len(said) == 1
    assert "get pods/log" in said[0]


def test_pods_that_may_not_be_watched_are_said_once_and_waited_for(
    start_operator: Callable[..., OperatorProcess],
    account: Callable[..., str],
    settle: Callable[[float], None],
) -> None:
    operator = start_operator(kubeconfig=account(without="pods"))
    settle(4.0)
    assert operator.running
    said = [line for line in operator.log().splitlines() if '"pods"' in line]
    assert len(said) == 1
    assert "forbidden" in said[0]


def test_without_the_embedding_model_rules_decide_and_a_condition_says_what_is_missing(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace, tmp_path: Path
) -> None:
    start_operator(KAUSA_EMBEDDER_MODEL_PATH=str(tmp_path / "nowhere"))
    namespace.apply(lacks_its_configmap())
    resource = namespace.diagnosis_of("cart")
    assert condition(resource, "Diagnosed")["status"] == "True"
    recalled = condition(resource, "MemoryRecalled")
    assert (recalled["status"], recalled["reason"]) == ("False", "EmbedderMissing")
    assert "make embedded-models" in recalled["message"]


def test_a_model_that_is_not_there_changes_nothing_but_a_condition(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    # Rules may be sure of it: it is asked anyway.
    start_operator(KAUSA_MODEL_URL="http://127.0.0.1:9", KAUSA_MODEL_BELOW_CONFIDENCE="101")
    namespace.apply(crashes())
    resource = namespace.diagnosis_of("checkout")
    assert condition(resource, "Diagnosed")["reason"] == "DecidedByRules"
    assert condition(resource, "ModelConsulted")["reason"] == "Unavailable"


def test_it_ends_cleanly_when_asked_to(
    start_operator: Callable[..., OperatorProcess], namespace: Namespace
) -> None:
    operator = start_operator()
    namespace.apply(lacks_its_configmap())
    namespace.diagnosis_of("cart")
    assert operator.stop() == 0
    assert "Traceback" not in operator.log()
    left = subprocess.run(
        ["pgrep", "-f", f"edge.worker.*{operator.log_path.parent}"], capture_output=True
    ).stdout
    assert left == b""
