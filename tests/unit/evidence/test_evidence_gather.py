"""Gathering brings home what can be read, and says what cannot."""

from __future__ import annotations

import time

import pytest
from support.dossiers import DEPLOYMENT, FakeReader, bad_request, forbidden
from support.pods import container, event, pod, terminated, waiting

from kausa.cluster.errors import OverloadedError
from kausa.cluster.objects import Pod
from kausa.detection.pods import detect_pod
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import EVIDENCE_TEXT
from kausa.resources.shortening import wire_length
from kausa.telemetry.clock import utc_now

CRASHING = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3))


async def gathered(reader: FakeReader, failing: Pod = CRASHING, deadline: float = 5) -> Dossier:
    gatherer = Gatherer(reader=reader, redactor=Redactor(key=b"k" * 32), deadline_seconds=deadline)
    (symptom, *_) = detect_pod(failing, now=utc_now()).symptoms
    return await gatherer.gather(owner=DEPLOYMENT, pod=failing, symptom=symptom)


async def test_evidence_is_numbered_from_one_without_gaps() -> None:
    found = await gathered(FakeReader(events=(event("BackOff", "again"),), previous="boom"))
    assert [each.id for each in found.evidence] == [
        f"E{number}" for number in range(1, len(found.evidence) + 1)
    ]
    kinds = {each.kind for each in found.evidence}
    assert {
        EvidenceKind.STATUS,
        EvidenceKind.EVENT,
        EvidenceKind.LOG,
        EvidenceKind.SPEC,
        EvidenceKind.NODE,
    } == kinds


async def test_the_log_of_the_run_that_crashed_comes_first() -> None:
    reader = FakeReader(previous="of the crash", current="of the new run")
    found = await gathered(reader)
    assert found.logs[0].text == "of the crash"
    assert reader.asked == [True]


async def test_the_runtimes_apology_is_not_taken_for_a_log() -> None:
    apology = "unable to retrieve container logs for containerd://0f7b0c2472f9"
    found = await gathered(FakeReader(previous=apology, current="the real thing"))
    assert found.logs[0].text == "the real thing"


async def test_a_log_that_is_not_there_falls_back_to_the_current_one() -> None:
    found = await gathered(FakeReader(previous=bad_request(), current="the real thing"))
    assert found.logs[0].text == "the real thing"


async def test_no_log_at_all_is_a_gap_and_no_error() -> None:
    found = await gathered(FakeReader(previous=bad_request(), current=bad_request()))
    (gap,) = found.gaps
    assert "log of container api" in gap.what


async def test_an_empty_log_is_evidence_of_silence_and_no_gap() -> None:
    found = await gathered(FakeReader(previous="\n", current=""))
    assert not found.gaps
    assert "wrote nothing to its log" in repr(found.evidence)


async def test_a_missing_permission_is_a_gap_that_names_it() -> None:
    found = await gathered(FakeReader(events=forbidden("events"), previous=forbidden("pods/log")))
    assert {gap.permission for gap in found.gaps} == {
        "list events in namespace shop",
        "list events in namespace default",
        "get pods/log in namespace shop",
    }
    kinds = {each.kind for each in found.evidence}
    assert kinds == {EvidenceKind.STATUS, EvidenceKind.SPEC, EvidenceKind.NODE}


async def test_a_reading_that_hangs_is_given_up_and_the_rest_is_kept() -> None:
    started = time.monotonic()
    found = await gathered(FakeReader(previous="boom", delay=30), deadline=0.05)
    assert time.monotonic() - started < 5
    assert "no answer within" in found.gaps[0].why
    assert found.logs


async def test_repeated_events_are_folded_with_their_counts() -> None:
    repeated = tuple(event("BackOff", "again", count=number) for number in (2, 3))
    found = await gathered(FakeReader(events=repeated, previous="boom"))
    (folded,) = (each for each in found.evidence if each.kind is EvidenceKind.EVENT)
    assert folded.text == "warning event BackOff, seen 5 times: again"


async def test_nothing_secret_gets_through_the_door() -> None:
    secret = "".join(("s3cr", "et", "-of-nobody"))
    failing = pod(
        container(
            waiting("CrashLoopBackOff"),
            last=terminated(1, message=f"password={secret}"),
            restarts=3,
        ),
        annotations={"note": f"token: {secret}"},
        spec={
            "containers": [
                {"name": "api", "image": "x", "args": [f"--password={secret}", "--verbose"]}
            ]
        },
    )
    reader = FakeReader(
        events=(event("Failed", f"Authorization: Bearer {secret}"),),
        previous=f'{{"level":"fatal","api_key":"{secret}"}}',
    )
    found = await gathered(reader, failing)
    assert secret not in repr(found)
    assert "--verbose" in repr(found)
    assert sum(found.redactions.values()) >= 5


@pytest.mark.parametrize(
    "log",
    [
        "x" * 380 + " error: postgres://app:{secret}@db.example/orders refused",
        "y" * 2000 + "password={secret} " + "z" * 990,
        "{pem}",
    ],
    ids=["cut by the decisive line", "cut by the excerpt", "a key that is longer than both"],
)
async def test_a_secret_is_hidden_before_anything_is_cut_out_of_a_log(log: str) -> None:
    secret = "".join(("Sup3r", "S3cret", "Passw0rd", "Fake"))
    body = "".join(("MIIEow", "IBAAKCAQEA")) + secret * 2
    key = "\n".join(
        ["-----BEGIN RSA PRIVATE " + "KEY-----", *[body] * 40, "-----END RSA PRIVATE " + "KEY-----"]
    )
    found = await gathered(FakeReader(previous=log.format(secret=secret, pem=key)))
    assert "Sup3rS3cret" not in repr(found)
    assert sum(found.redactions.values()) > 0


async def test_the_end_of_a_log_is_kept_where_it_takes_more_bytes_than_characters() -> None:
    lines = "\n".join(f'{{"message":"<{number}>&\\"quoted\\""}}' for number in range(100))
    found = await gathered(FakeReader(previous=f"{lines}\nthe last word"))
    shown = [each.text for each in found.evidence if each.kind is EvidenceKind.LOG]
    assert shown[-1].endswith("the last word")
    assert wire_length(shown[-1]) <= EVIDENCE_TEXT


async def test_logs_that_cannot_be_read_now_are_not_said_to_be_lost() -> None:
    away = OverloadedError("the kubelet does not answer", status=502)
    found = await gathered(FakeReader(previous=away, current=away))
    (gap,) = found.gaps
    assert "does not answer" in gap.why


class Unread(FakeReader):
    """Nobody may ask it for anything."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked for")


async def test_what_the_status_tells_is_known_without_reading_and_holds_no_secret() -> None:
    password = "hunter" + "2" * 6
    ended = terminated(1, message=f"cannot log in with password={password}")
    failing = pod(container(waiting("CrashLoopBackOff"), last=ended, restarts=3))
    (symptom,) = detect_pod(failing, now=utc_now()).symptoms
    gatherer = Gatherer(reader=Unread(), redactor=Redactor(key=b"k" * 32))
    found = await gatherer.known(owner=DEPLOYMENT, pod=failing, symptom=symptom)
    assert found.evidence[0].id == "E1"
    assert "cannot log in" in str(found)
    assert password not in str(found)
    assert sum(found.redactions.values()) >= 1
    assert [gap.why for gap in found.gaps] == ["not read yet"]
