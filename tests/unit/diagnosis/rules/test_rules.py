"""Each rule names the cause with the names and numbers in it, and cites what it rests on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dossiers import dossier
from support.pods import condition, container, pod, terminated, waiting

from kausa.cluster.objects import Pod
from kausa.detection.scheduling import parse_verdict
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.diagnosis.rules.image_name import ImageName
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category


def decided(found: Dossier) -> Diagnosis:
    """The rules' answer; every id that it cites exists."""
    diagnosis = decide_by_rules(found)
    ids = {each.id for each in found.evidence}
    assert set(diagnosis.citations) <= ids
    for fix in diagnosis.fixes:
        assert set(fix.citations) <= ids
    if diagnosis.determined:
        assert diagnosis.citations
    return diagnosis


def image_pod(message: str, *, image: str = "registry.example/shop/mailer:2.4.1") -> Pod:
    return pod(
        container(waiting("ImagePullBackOff", message), name="mailer", image=""),
        image=image,
        phase="Pending",
    )


def crashing(exit_code: int, *, reason: str = "Error", message: str = "") -> Pod:
    state = terminated(exit_code, reason, message)
    return pod(container(waiting("CrashLoopBackOff"), last=state, restarts=3))


def test_a_memory_limit_that_was_reached_is_named() -> None:
    killed = container(waiting("CrashLoopBackOff"), last=terminated(137, "OOMKilled"), restarts=2)
    diagnosis = decided(dossier(pod(killed, limits={"memory": "256Mi"})))
    assert diagnosis.category is Category.OOM_KILLED
    assert diagnosis.summary == "container api reached its memory limit of 256Mi"
    assert "137, SIGKILL" in diagnosis.root_cause
    assert diagnosis.fixes[0].command == (
        "kubectl -n shop set resources deployment/checkout -c api --limits=memory=<NEW LIMIT>"
    )


def test_a_kill_for_memory_without_a_limit_does_not_invent_one() -> None:
    diagnosis = decided(dossier(pod(container(terminated(137, "OOMKilled")))))
    assert "no memory limit" in diagnosis.summary


@pytest.mark.parametrize(
    ("message", "rule", "said"),
    [
        (
            'failed to resolve reference "registry.example/shop/mailer:2.4.1": not found',
            "tag 2.4.1 does not exist in registry.example/shop/mailer",
            "answered",
        ),
        (
            "dial tcp: lookup registry.example on 10.0.0.2:53: no such host",
            "registry host registry.example cannot be resolved",
            "no such host",
        ),
        (
            "pull access denied, repository does not exist or may require authorization",
            "registry registry.example refuses access to shop/mailer",
            "no image pull secret",
        ),
        (
            "dial tcp 10.0.0.9:443: connect: connection refused",
            "registry registry.example cannot be reached",
            "cannot reach",
        ),
        (
            "x509: certificate signed by unknown authority",
            "the node does not trust registry registry.example",
            "TLS certificate",
        ),
        ("429 Too Many Requests: toomanyrequests", "limits the rate", "too many pulls"),
    ],
)
def test_the_registrys_answer_decides_why_an_image_cannot_be_pulled(
    message: str, rule: str, said: str
) -> None:
    diagnosis = decided(dossier(image_pod(f'Back-off pulling image "x": {message}')))
    assert diagnosis.category is Category.IMAGE_PULL
    assert rule in diagnosis.summary
    assert said in diagnosis.root_cause
    assert "registry.example/shop/mailer:2.4.1" in diagnosis.summary + diagnosis.root_cause or (
        "shop/mailer" in diagnosis.root_cause
    )


def test_a_registry_whose_name_says_not_found_does_not_mislead() -> None:
    image = "not-found.example/denied/timeout:1"
    found = dossier(
        image_pod(f'failed to pull "{image}": x509: certificate has expired', image=image)
    )
    assert "does not trust" in decided(found).summary


def test_an_answer_that_names_no_cause_is_quoted_and_not_guessed_at() -> None:
    diagnosis = decided(dossier(image_pod("something quite new happened")))
    assert "something quite new happened" in diagnosis.summary
    assert diagnosis.confidence <= 50


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("docker.io", "nginx", "latest", "")),
        ("team/app:1.2", ("docker.io", "team/app", "1.2", "")),
        ("r.example:5000/app", ("r.example:5000", "app", "latest", "")),
        ("localhost/a/b:x", ("localhost", "a/b", "x", "")),
        ("r.example/app@sha256:ab", ("r.example", "app", "", "sha256:ab")),
        ("r.example/app:1@sha256:ab", ("r.example", "app", "1", "sha256:ab")),
    ],
)
def test_an_image_reference_is_taken_apart_as_runtimes_do(
    reference: str, parts: tuple[str, str, str, str]
) -> None:
    name = ImageName.parse(reference)
    assert (name.registry, name.repository, name.tag, name.digest) == parts


@given(st.text(max_size=60))
def test_no_image_reference_raises(reference: str) -> None:
    ImageName.parse(reference)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('configmap "settings" not found', "ConfigMap settings does not exist"),
        ('secret "db" not found', "Secret db does not exist"),
        (
            "couldn't find key url in ConfigMap shop/settings",
            "key url is missing in ConfigMap settings",
        ),
        (
            'container has runAsNonRoot and image will run as root (pod: "x_y(z)", container: c)',
            "must not run as root, but its image will run as root",
        ),
        ("something else", "cannot be created: something else"),
    ],
)
def test_what_is_missing_in_a_configuration_is_named(message: str, said: str) -> None:
    diagnosis = decided(
        dossier(
            pod(container(waiting("CreateContainerConfigError", message)), phase="Pending"),
            events=(("Failed", f"Error: {message}"),),
        )
    )
    assert diagnosis.category is Category.CONFIG
    assert said in diagnosis.summary
    assert "api" in diagnosis.summary


def unschedulable(message: str, **options: object) -> Pod:
    return pod(
        phase="Pending",
        node="",
        conditions=(condition("PodScheduled", "False", "Unschedulable", message),),
        **options,  # type: ignore[arg-type]
    )


def test_what_no_node_has_is_named_with_what_the_pod_requests() -> None:
    diagnosis = decided(
        dossier(
            unschedulable(
                "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint "
                "{gpu: true}. no new claims to deallocate, preemption: 0/3 nodes are available: "
                "3 Preemption is not helpful for scheduling.",
                requests={"cpu": "100"},
            )
        )
    )
    assert diagnosis.category is Category.SCHEDULING
    assert "1 node with insufficient cpu (the Pod requests 100)" in diagnosis.summary
    assert "2 nodes with untolerated taint gpu=true" in diagnosis.summary
    assert "no new claims" not in diagnosis.root_cause


def test_a_claim_that_does_not_exist_is_kept_as_the_scheduler_says_it() -> None:
    verdict = parse_verdict(
        '0/1 nodes are available: persistentvolumeclaim "data" not found. not found'
    )
    assert verdict is not None
    assert verdict.clauses[0][0] == 1
    assert 'persistentvolumeclaim "data" not found' in verdict.clauses[0][1]


@given(st.text(max_size=200))
def test_no_scheduler_message_raises(message: str) -> None:
    parse_verdict(message)
    parse_verdict(f"0/4 nodes are available: {message}")


def test_a_crash_is_told_in_the_programs_last_words() -> None:
    log = "starting\nreading config\nerror: cannot open config /etc/app.yaml\nbye\n"
    diagnosis = decided(dossier(crashing(3), log=log))
    assert diagnosis.category is Category.CRASH_LOOP
    assert diagnosis.summary == (
        "container api ends with exit code 3: cannot open config /etc/app.yaml"
    )


def test_a_crash_without_a_word_is_not_explained() -> None:
    diagnosis = decided(dossier(crashing(1)))
    assert not diagnosis.determined
    assert diagnosis.confidence == 0
    assert diagnosis.summary.endswith("ends with exit code 1 and wrote nothing to its log")
    assert diagnosis.alternatives


def test_a_program_that_finishes_is_not_said_to_crash() -> None:
    diagnosis = decided(dossier(crashing(0, reason="Completed"), log="all done\n"))
    assert "finishes with exit code 0" in diagnosis.summary


def test_a_container_that_the_kubelet_kills_for_its_probe_is_not_said_to_crash_by_itself() -> None:
    ended = terminated(137, lasted=60)
    asked = {"name": "api", "image": "i", "livenessProbe": {"periodSeconds": 10}}
    diagnosis = decided(
        dossier(
            pod(
                container(waiting("CrashLoopBackOff"), last=ended, restarts=3),
                spec={"containers": [asked]},
            ),
            log="serving on :8080\n",
            events=(
                ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
            ),
        )
    )
    assert diagnosis.category is Category.PROBE
    assert "500" in diagnosis.summary
    assert all(each.category is not Category.CRASH_LOOP for each in diagnosis.alternatives)


def test_a_command_that_is_not_in_the_image_is_named() -> None:
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        'runc create failed: unable to start container process: exec: "/no/such": stat /no/such: '
        "no such file or directory: unknown"
    )
    diagnosis = decided(dossier(crashing(128, reason="StartError", message=message)))
    assert "cannot start: its command /no/such does not exist" in diagnosis.summary


def test_a_healthy_pod_is_said_to_be_healthy() -> None:
    diagnosis = decided(dossier(pod(container({"running": {}}, ready=True))))
    assert diagnosis.summary.startswith("no failure found: Pod checkout-5d4f8-abcde runs, 1 of 1")
    assert diagnosis.category is None


def test_a_secret_in_the_last_words_is_not_in_the_diagnosis() -> None:
    secret = "".join(("hun", "ter2", "-fake"))
    log = f"error: cannot connect to postgres://app:{secret}@db.example/orders\n"
    found = dossier(crashing(1), log=log)
    said = repr(decided(found)) + repr(found)
    assert secret not in said
    assert "db.example" in decided(found).summary
    assert sum(found.redactions.values()) > 0


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Get https://10.0.0.1:4013/v2/: connect: connection refused", "cannot be reached"),
        ("manifest unknown: sha256:ab401c0d", "does not exist"),
        ("write /var/lib/tmp4031: no space left on device", "disk is full"),
        ("unexpected status code 401", "refuses access"),
        ("unexpected status: 403 Forbidden", "refuses access"),
    ],
)
def test_digits_in_a_port_a_digest_or_a_path_are_no_status_of_a_registry(
    message: str, said: str
) -> None:
    assert said in decided(dossier(image_pod(message))).summary


def test_an_exit_code_that_the_kubelet_lost_is_not_made_up() -> None:
    diagnosis = decided(dossier(pod(container(waiting("CrashLoopBackOff"), restarts=4))))
    assert "None" not in diagnosis.summary
    assert "the kubelet has lost" in diagnosis.summary


def test_every_alternative_cites_evidence_that_exists_too() -> None:
    found = dossier(
        crashing(137),
        log="serving\n",
        events=(("Unhealthy", "Liveness probe failed: no"),),
    )
    ids = {each.id for each in found.evidence}
    for alternative in decided(found).alternatives:
        assert alternative.citations
        assert set(alternative.citations) <= ids


@pytest.mark.parametrize(
    ("standing", "events", "said"),
    [
        (pod(container(terminated(98)), phase="Failed"), (), "ends with exit code 98"),
        (
            pod(container(waiting("ContainerCreating")), phase="Pending"),
            (("FailedMount", 'secret "tls-cert" not found'),),
            "Secret tls-cert does not exist",
        ),
        (
            pod(container({"running": {}}, ready=True, last=terminated(137), restarts=30)),
            (("Unhealthy", "Liveness probe failed: no"),),
            "30 restarts",
        ),
        (
            pod(container({"running": {}})),
            (("Unhealthy", "Readiness probe failed: no"),),
            "readiness probe of container api fails: no",
        ),
    ],
    ids=["failed", "waits for a volume", "crashed before", "is not ready"],
)
def test_a_pod_that_is_not_well_is_never_said_to_be_healthy(
    standing: Pod, events: tuple[tuple[str, str], ...], said: str
) -> None:
    diagnosis = decided(dossier(standing, events=events))
    told = f"{diagnosis.summary} {diagnosis.root_cause} {diagnosis.explanation}"
    assert said.lower() in told.lower()
    assert "no failure" not in told


def test_a_warning_from_before_a_pod_was_ready_does_not_make_it_ill() -> None:
    ready = pod(
        container({"running": {}}, ready=True),
        conditions=(condition("Ready", "True"),),
    )
    diagnosis = decided(dossier(ready, events=(("FailedScheduling", "0/1 nodes"),)))
    assert diagnosis.summary.startswith("no failure found")


def test_what_an_event_says_of_another_container_is_not_this_ones_cause() -> None:
    both = pod(
        container(waiting("ErrImagePull", "x509: cannot validate certificate"), name="a", image=""),
        container(waiting("ErrImagePull", "no such host"), name="b", image=""),
        image="10.0.0.1:4013/a/b:1",
        phase="Pending",
    )
    found = dossier(both, events=(("Failed", "Failed to pull image: no such host"),), about="b")
    assert "does not trust" in decided(found).summary


def test_a_claim_that_does_not_exist_is_to_be_created() -> None:
    diagnosis = decided(
        dossier(
            unschedulable(
                '0/1 nodes are available: persistentvolumeclaim "nopvc" not found. not found'
            )
        )
    )
    assert diagnosis.summary.count("not found") == 1
    assert diagnosis.fixes[0].title.startswith("Create the PersistentVolumeClaim nopvc")


@pytest.mark.parametrize(
    "unwell",
    [
        pod(container({"running": {}}, ready=True), conditions=(condition("Ready", "False"),)),
        pod(container({"running": {}}, ready=True), deleting=True),
    ],
    ids=["its node is gone", "it is being deleted"],
)
def test_a_pod_whose_containers_are_ready_may_be_unwell_all_the_same(unwell: Pod) -> None:
    assert "no failure found" not in decided(dossier(unwell)).summary
