"""The status is whole and true at every point of the way, and its conditions say how far it is."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import yaml
from support.dossiers import DEPLOYMENT, dossier
from support.pods import container, pod, terminated, waiting
from support.records import RECORD

from kausa.controller.report import Report
from kausa.controller.sighting_documents import new_resource
from kausa.diagnosis.consultation import Consultation
from kausa.diagnosis.finding import Fix, Patch
from kausa.diagnosis.recollection import Recollection
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.dossier import Change, Dossier
from kausa.memory.records import RunbookChunk
from kausa.recall.ranking import ScoreParts
from kausa.recall.results import Scored
from kausa.recall.similar import SimilarFailure
from kausa.resources.condition import find_condition
from kausa.resources.diagnosis import DryRun
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def resource(status: FailureDiagnosisStatus | None = None, generation: int = 1) -> FailureDiagnosis:
    made = new_resource(name="x", owner=DEPLOYMENT, container="api", trigger=Trigger.AUTOMATIC)
    metadata = made.metadata.model_copy(update={"generation": generation})
    return made.model_copy(update={"status": status, "metadata": metadata})


def killed() -> Dossier:
    state = container(waiting("CrashLoopBackOff"), last=terminated(137, "OOMKilled"), restarts=1)
    return dossier(pod(state, limits={"memory": "24Mi"}))


def conditions(report: Report) -> dict[str, tuple[str, str]]:
    found = report.status().conditions or ()
    return {each.type: (str(each.status), each.reason) for each in found}


def finished() -> Report:
    report = Report(resource(), clock=lambda: NOW)
    found = killed()
    report.gathered(found, seconds=0.01)
    report.decided(decide_by_rules(found), detected_at=None)
    report.recalled(Recollection())
    report.consulted(Consultation())
    return report


def test_the_first_visit_sets_every_condition_to_unknown() -> None:
    assert set(conditions(Report(resource(), clock=lambda: NOW)).values()) == {
        ("Unknown", "Gathering")
    }


def test_what_rules_decided_is_there_before_memory_and_model_were_asked() -> None:
    report = Report(resource(), clock=lambda: NOW)
    found = killed()
    report.gathered(found, seconds=0.01)
    report.decided(decide_by_rules(found), detected_at=None)
    assert conditions(report) == {
        "Diagnosed": ("True", "DecidedByRules"),
        "EvidenceGathered": ("True", "Complete"),
        "MemoryRecalled": ("Unknown", "Gathering"),
        "ModelConsulted": ("Unknown", "Gathering"),
    }
    assert not Report(resource(report.status()), clock=lambda: NOW).complete()


def test_a_finished_status_is_complete_until_the_generation_changes() -> None:
    status = finished().status()
    assert Report(resource(status), clock=lambda: NOW).complete()
    assert not Report(resource(status, generation=2), clock=lambda: NOW).complete()


def test_a_memory_that_is_away_is_said_and_the_diagnosis_stands() -> None:
    report = finished()
    report.recalled(Recollection(unavailable=("StoreLocked", "another process holds it")))
    assert conditions(report)["MemoryRecalled"] == ("False", "StoreLocked")
    assert conditions(report)["Diagnosed"][0] == "True"


def test_similar_failures_are_listed_and_counted_for_the_table() -> None:
    report = finished()
    similar = SimilarFailure(
        reference="shop/y", score_percent=91, when=NOW, cause="c", resolution="", outcome="Open"
    )
    report.recalled(Recollection(similar=(similar,)))
    status = report.status()
    assert status.similar_count == 1
    assert status.similar is not None
    assert (status.similar[0].reference, status.similar[0].resolution) == ("shop/y", None)


def test_passages_of_runbooks_are_listed_where_they_are_relevant() -> None:
    chunk = RunbookChunk(
        cluster="test", name="oom", source="ops/oom", title="Out of memory",
        headings=("What to do",), text="Raise the limit.", position=0, count=1, last_seen=NOW,
    )  # fmt: skip
    parts = dict.fromkeys((each.name for each in dataclasses.fields(ScoreParts)), 0.9)
    found = [
        Scored(
            record=chunk,
            record_id=chunk.record_id,
            passage=chunk.text,
            score=ScoreParts(**{**parts, "relevance": relevance}),  # type: ignore[arg-type]
            seen="today",
        )
        for relevance in (0.8, 0.1)
    ]
    report = finished()
    report.recalled(Recollection(record=RECORD, runbooks=tuple(found)))
    (shown,) = report.status().runbooks or ()
    assert (shown.title, shown.source, shown.score) == ("Out of memory", "ops/oom", 80)
    assert Report(resource(report.status()), clock=lambda: NOW).status().runbooks == (shown,)


def test_a_target_without_a_pod_is_undetermined_and_says_what_to_do() -> None:
    report = Report(resource(), clock=lambda: NOW)
    report.no_target()
    diagnosed = find_condition(report.status().conditions or (), "Diagnosed")
    assert diagnosed is not None
    assert diagnosed.reason == "Undetermined"
    assert "Deployment/checkout with a container api does not exist" in diagnosed.message
    assert Report(resource(report.status()), clock=lambda: NOW).complete()


def test_the_same_answer_has_the_same_version_so_that_it_is_announced_once() -> None:
    assert finished().version() == finished().version()


def test_times_of_transition_survive_a_second_run_that_says_the_same() -> None:
    later = datetime(2026, 5, 5, tzinfo=UTC)
    report = Report(resource(finished().status(), generation=2), clock=lambda: later)
    found = killed()
    report.gathered(found, seconds=0.01)
    report.decided(decide_by_rules(found), detected_at=None)
    diagnosed = find_condition(report.status().conditions or (), "Diagnosed")
    assert diagnosed is not None
    assert diagnosed.observed_generation == 2


def test_a_condition_turns_when_it_is_known_and_not_when_the_look_began() -> None:
    # In a storm a look waits for a minute between the two.
    times = iter(NOW + timedelta(minutes=each) for each in range(20))
    report = Report(resource(), clock=lambda: next(times))
    begun = find_condition(report.status().conditions or (), "Diagnosed")
    found = killed()
    report.gathered(found, seconds=0.01)
    report.decided(decide_by_rules(found), detected_at=None)
    diagnosed = find_condition(report.status().conditions or (), "Diagnosed")
    assert begun is not None
    assert diagnosed is not None
    assert diagnosed.last_transition_time > begun.last_transition_time


def test_no_part_of_the_status_is_ever_an_empty_object() -> None:
    """The API server turns an empty object that is applied over a filled one into null."""
    report = Report(resource(finished().status(), generation=2), clock=lambda: NOW)
    assert {} not in report.status().to_dict().values()


def test_a_resource_that_was_suspended_before_anybody_looked_says_so() -> None:
    report = Report(resource(), clock=lambda: NOW)
    report.suspended()
    assert set(conditions(report).values()) == {("Unknown", "Suspended")}
    assert not Report(resource(report.status()), clock=lambda: NOW).complete()
    assert Report(resource(finished().status()), clock=lambda: NOW).diagnosed_before


def test_a_second_look_takes_nothing_away_before_it_has_something_newer() -> None:
    before = finished().status()
    begun = Report(resource(before), clock=lambda: NOW).status()
    assert begun.diagnosis == before.diagnosis
    assert begun.evidence == before.evidence
    assert begun.conditions == before.conditions


def test_what_changed_is_in_the_status_with_its_time() -> None:
    report = Report(resource(), clock=lambda: NOW)
    change = Change(path="Deployment/checkout revision", before="2", after="3", at=NOW)
    report.gathered(dataclasses.replace(killed(), changes=(change,)), seconds=0.01)
    assert report.status().to_dict()["changes"] == [
        {
            "path": "Deployment/checkout revision",
            "before": "2",
            "after": "3",
            "time": "2026-01-02T03:04:05Z",
        }
    ]
    again = Report(resource(report.status(), generation=2), clock=lambda: NOW)
    assert again.status().changes == report.status().changes
    again.gathered(killed(), seconds=0.01)
    assert again.status().changes is None


def test_a_patch_is_shown_with_its_object_and_what_the_api_server_said_of_it() -> None:
    report = Report(resource(), clock=lambda: NOW)
    fix = Fix(
        title="Raise it",
        rationale="It helps.",
        patch=Patch(
            api_version="apps/v1",
            kind="Deployment",
            name="checkout",
            namespace="shop",
            body={"spec": {"replicas": 2, "paused": None}},
        ),
        dry_run=DryRun.FAILED,
        dry_run_message="spec.replicas: no",
    )
    diagnosis = dataclasses.replace(decide_by_rules(killed()), fixes=(fix,))
    report.decided(diagnosis, detected_at=None)
    report.checked(diagnosis)
    (shown,) = report.status().to_dict()["diagnosis"]["remediation"]
    assert yaml.safe_load(shown["patch"]) == {"spec": {"replicas": 2, "paused": None}}
    assert shown["patchTarget"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "checkout",
        "namespace": "shop",
    }
    assert (shown["dryRun"], shown["dryRunMessage"]) == ("Failed", "spec.replicas: no")


def test_a_defect_of_ours_leaves_an_earlier_answer_and_is_tried_again_without_one() -> None:
    earlier = Report(resource(finished().status()), clock=lambda: NOW)
    earlier.failed(ValueError())
    assert conditions(earlier)["Diagnosed"] == ("True", "DecidedByRules")
    first = Report(resource(), clock=lambda: NOW)
    first.failed(ValueError())
    assert conditions(first)["Diagnosed"] == ("False", "Failed")
    assert not Report(resource(first.status()), clock=lambda: NOW).complete()
