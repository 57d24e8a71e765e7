"""An answer stays for as long as what it was asked about does, and no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.cluster.objects import Probe
from kausa.diagnosis.decide import decide
from kausa.diagnosis.model.answers import Answers, KnownAnswer, digest_of, essence
from kausa.diagnosis.model.choosing import Choice, Complexity, Role
from kausa.evidence.dossier import Change, Dossier, Reference, Source

LOG = "2026-01-02T03:04:05Z INFO starting\n2026-01-02T03:04:06Z ERROR cannot open /etc/app.yaml\n"


def seen(
    *,
    restarts: int = 2,
    log: str = LOG,
    state: Any = None,
    limits: dict[str, str] | None = None,
    image: str = "shop/api:1",
    events: tuple[tuple[str, str], ...] = (),
) -> Dossier:
    status = container(state or waiting("CrashLoopBackOff"), last=terminated(1), restarts=restarts)
    return dossier(pod(status, limits=limits, image=image), log=log, events=events)


def hashed(found: Dossier, question: str | None = None) -> str:
    return essence(found, decide(found), question=question)


def test_counts_times_and_phases_of_a_crash_change_nothing() -> None:
    usual = hashed(seen())
    assert hashed(seen(restarts=57)) == usual
    assert hashed(seen(restarts=0)) == usual
    later = LOG.replace("2026-01-02T03", "2026-02-09T23")
    assert hashed(seen(log=later)) == usual


def test_one_second_more_or_less_before_memory_is_used_up_changes_nothing() -> None:
    asked = set()
    for lasted in (0.4, 1, 2, 57):
        ended = terminated(137, "OOMKilled", lasted=lasted)
        status = container(waiting("CrashLoopBackOff"), last=ended, restarts=2)
        asked.add(hashed(dossier(pod(status, limits={"memory": "64Mi"}), log="")))
    assert len(asked) == 1


def test_ids_and_durations_in_a_log_change_nothing() -> None:
    said = "ERROR request 8f14e45f-ceea-467f-9c3c-0a1b2c3d4e5f failed after 13ms\n"
    other = "ERROR request 11111111-2222-4333-8444-0a1b2c3d4e5f failed after 977ms\n"
    assert hashed(seen(log=said)) == hashed(seen(log=other))


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("ledger peer 10.0.0.5:5432 said goodbye", "ledger peer 10.9.1.7:6379 said goodbye"),
        ("store format 41 read by build 42", "store format 17 read by build 99"),
    ],
)
def test_an_answer_about_another_address_or_version_does_not_stand(said: str, other: str) -> None:
    assert hashed(seen(log=f"ERROR {said}\n")) != hashed(seen(log=f"ERROR {other}\n"))


def test_the_same_failure_seen_again_is_the_same_question() -> None:
    said = "{} ERROR attempt {} to reach 10.0.0.5:5432 from 10.244.0.{}:{} failed after {}ms\n"
    first = said.format("2026-01-02T03:04:06Z", 1, 7, 45678, 13)
    second = said.format("2026-01-02T03:04:57Z", 4, 8, 50123, 2977)
    assert hashed(seen(log=first, restarts=1)) == hashed(seen(log=second, restarts=4))


def test_a_back_off_that_kubernetes_reports_a_moment_later_changes_nothing() -> None:
    said = ("BackOff", "Back-off restarting failed container api in pod checkout-1")
    assert hashed(seen(events=(said,))) == hashed(seen())
    other = ("FailedMount", "MountVolume.SetUp failed for volume data")
    assert hashed(seen(events=(other,))) != hashed(seen())


@pytest.mark.parametrize(
    "other",
    [
        seen(log=LOG.replace("app.yaml", "other.yaml")),
        seen(limits={"memory": "64Mi"}),
        seen(image="shop/api:2"),
        replace(seen(), changes=(Change(path="Deployment/checkout image", before="1", after="2"),)),
        replace(
            seen(),
            references=(
                Reference(by=Source(kind="Pod", name="x"), kind="ConfigMap", name="settings"),
            ),
        ),
    ],
    ids=["log", "limit", "image", "change", "reference"],
)
def test_what_matters_changes_it(other: Dossier) -> None:
    assert hashed(other) != hashed(seen())


@pytest.mark.parametrize("probe", ["liveness_probe", "readiness_probe", "startup_probe"])
def test_an_answer_about_a_probe_that_was_given_more_time_does_not_stand(probe: str) -> None:
    def asked(seconds: int) -> Dossier:
        found = seen()
        only, *_ = found.pod.spec.containers or ()
        given = structs.replace(only, **{probe: Probe(initial_delay_seconds=seconds)})
        spec = structs.replace(found.pod.spec, containers=(given,))
        return replace(found, pod=structs.replace(found.pod, spec=spec))

    assert hashed(asked(5)) == hashed(asked(5))
    assert hashed(asked(5)) != hashed(asked(60))


def test_another_message_exit_code_or_question_changes_it() -> None:
    found = seen()
    assert found.symptom is not None
    changed = structs.replace(found.symptom, exit_code=139)
    assert hashed(replace(found, symptom=changed)) != hashed(found)
    for reason, same in (("FailedScheduling", False), ("CrashLoopBackOff", True)):
        one, other = (
            replace(found, symptom=structs.replace(found.symptom, reason=reason, message=message))
            for message in ("back-off 40s restarting failed container", "exited with an error")
        )
        assert (hashed(one) == hashed(other)) is same
    assert hashed(found, "why?") != hashed(found)
    assert hashed(found, "why?") != hashed(found, "how?")


def test_a_limit_that_differs_in_its_number_alone_changes_it() -> None:
    assert hashed(seen(limits={"memory": "24Mi"})) != hashed(seen(limits={"memory": "48Mi"}))


def choice(model: str = "a", *, thinks: bool = False) -> Choice:
    return Choice(model=model, role=Role.SIMPLE, why="", complexity=Complexity(), thinks=thinks)


@pytest.mark.parametrize("version", ["VERSION", "CHECK_VERSION"])
def test_another_model_prompt_or_check_is_another_question(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    usual = digest_of("x", choice())
    assert digest_of("x", choice()) == usual
    assert digest_of("y", choice()) != usual
    assert digest_of("x", choice("b")) != usual
    assert digest_of("x", choice(thinks=True)) != usual
    monkeypatch.setattr(f"kausa.diagnosis.model.answers.{version}", "another")
    assert digest_of("x", choice()) != usual


def test_of_more_answers_than_are_kept_the_least_used_goes() -> None:
    answers = Answers(most=2)
    for name in ("a", "b"):
        answers.put(name, KnownAnswer(problem=name))
    assert answers.get("a") is not None
    answers.put("c", KnownAnswer(problem="c"))
    assert (answers.get("b"), len(answers)) == (None, 2)
    answers.forget("a")
    assert answers.get("a") is None
