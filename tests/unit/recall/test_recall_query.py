"""What a question gives away, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kausa.recall.query import QueryAnalysis, analyse
from kausa.recall.query.names import owner_of_pod
from kausa.recall.query.wording import search_words, split_camel

NOW = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)  # a Saturday
TODAY = NOW.replace(hour=0)


def read(question: str) -> QueryAnalysis:
    return analyse(question, now=NOW)


def test_the_question_of_the_issue_is_understood() -> None:
    found = read(
        "Why is pod web-app-123 crashing in namespace prod, and how do I fix the registry secret?"
    )
    assert found.pods == ("web-app-123",)
    assert found.namespaces == ("prod",)
    assert found.categories == ("CrashLoop", "ImagePull")
    assert [part.text for part in found.sub_questions] == [
        "Why is pod web-app-123 crashing in namespace prod",
        "how do I fix the registry secret",
    ]
    assert found.sub_questions[0].search == "Why is pod crashing"
    assert found.sub_questions[0].categories == ("CrashLoop",)
    assert found.sub_questions[1].categories == ("ImagePull",)


@pytest.mark.parametrize(
    ("question", "namespaces"),
    [
        ("pods in namespace prod fail", ("prod",)),
        ("pods in the prod namespace fail", ("prod",)),
        ("kubectl get pods -n team-a", ("team-a",)),
        ("kubectl logs web --namespace=team-a", ("team-a",)),
        ("what fails in ns/shop", ("shop",)),
        ("namespace called blue is slow", ("blue",)),
        ("between namespace team-a and namespace team-b", ("team-a", "team-b")),
        ("namespace hangs in terminating", ()),
        ("the namespace is stuck", ()),
        ("a namespace with default deny", ()),
        ("which namespace has a quota", ()),
        ("the namespace isn't there", ()),
        ("between two namespaces traffic is dropped", ()),
    ],
)
def test_namespaces_are_found_where_they_are_named(
    question: str, namespaces: tuple[str, ...]
) -> None:
    assert read(question).namespaces == namespaces


@pytest.mark.parametrize(
    "question",
    [
        "not in namespace prod",
        "not in the prod namespace",
        "not in namespace prod postgres",
        "pods not from -n prod",
        "except namespace prod",
        "everything but ns/prod",
        "everything but namespace prod",
        "any namespace but prod",
        "other than in namespace prod",
        "in any namespace other than prod",
        "all namespaces except prod",
        "outside of namespace prod",
        "outside the prod namespace",
        "crashes without pods of ns/prod",
        "what fails, but not in namespace prod?",
        "apart from pods in namespace prod",
        "what isn't in namespace prod",
        "what isn\N{RIGHT SINGLE QUOTATION MARK}t in namespace prod",
        "neither in namespace prod nor in namespace staging",
        "not in namespaces prod and staging",
        "not in namespace prod, in namespace staging or in namespace dev",
        "excluding the prod and staging namespaces",
        "except ns/prod and ns/staging",
    ],
)
def test_a_namespace_that_is_denied_never_narrows_and_is_told(question: str) -> None:
    found = read(question)
    assert found.namespaces == ()
    assert "prod" in " ".join(found.notes)
    assert any(clue.left_out for clue in found.clues)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("all pods except web-7d4b9c6f5d-x2x4k", "pods"),
        ("all pods except web-7d4b9c6f5d-x2x4k", "owners"),
        ("pods without label app=web and tier=front", "labels"),
        ("pods with !app=web", "labels"),
        ("everything but deploy/web", "owners"),
        ("not on node worker-1", "nodes"),
        ("not in container istio-proxy", "containers"),
        ("not OOMKilled", "reasons"),
        ("not OOMKilled", "categories"),
    ],
)
def test_nothing_that_is_denied_becomes_a_filter(question: str, field: str) -> None:
    found = read(question)
    assert getattr(found, field) == ()
    assert found.notes
    assert read("except exit code 137").exit_code is None
    assert read("except yesterday").after is None


def test_a_denial_reaches_no_further_than_what_it_denies() -> None:
    found = read("pods in namespace staging but not in namespace prod")
    assert found.namespaces == ("staging",)
    assert "prod" not in found.sub_questions[0].search
    for question in (
        "pods not running in namespace prod",
        "not only in namespace prod",
        "it works not. In namespace prod it fails",
        "why isn't pod web-0 ready in namespace prod",
        "why is not pod web-0 up in namespace prod",
        "all pods without errors in namespace prod",
        "it is slow but in namespace prod only",
    ):
        assert read(question).namespaces == ("prod",), question
    assert read("why isn't pod web-0 ready").pods == ("web-0",)
    assert read("a pod without readiness probe").categories == ("Probe",)


def test_the_words_of_a_denial_are_not_searched_for() -> None:
    [part] = read("not in namespace shop postgres").sub_questions
    assert part.search == "postgres"


@pytest.mark.parametrize(
    ("question", "namespaces"),
    [
        ("namespaces prod and staging", ("prod", "staging")),
        ("what fails in namespaces prod, staging and dev since today", ("prod", "staging", "dev")),
        ("in namespace prod or staging", ("prod", "staging")),
        ("in the prod and staging namespaces", ("prod", "staging")),
        ("in the team-a, team-b and team-c namespaces", ("team-a", "team-b", "team-c")),
        ("in namespace prod and postgres is slow", ("prod",)),
        ("in namespace prod, web fails", ("prod",)),
        ("why do namespaces hang and stick", ()),
        ("why do pods and workers namespaces", ()),
    ],
)
def test_several_namespaces_are_taken_all(question: str, namespaces: tuple[str, ...]) -> None:
    assert read(question).namespaces == namespaces


def test_several_pods_are_taken_all() -> None:
    found = read("pods web-0 and web-1 fail")
    assert found.pods == ("web-0", "web-1")
    assert found.sub_questions[0].search == "pods fail"


@pytest.mark.parametrize(
    "pair", ["password=hunter2hunter2", "db.password=x", "token=abc", "labels password=abc"]
)
def test_a_secret_is_no_label(pair: str) -> None:
    assert read(f"it fails with {pair} set").labels == ()


@pytest.mark.parametrize(
    ("question", "owners"),
    [
        ("deploy/web fails", ("Deployment/web",)),
        ("the checkout-api deployment fails", ("Deployment/checkout-api",)),
        ("the web deployment fails", ("Deployment/web",)),
        ("statefulset db-main does not start", ("StatefulSet/db-main",)),
        ("cronjob called backup did not run", ("CronJob/backup",)),
        ("pod web-7d4b9c6f5d-x2x4k restarts", ("Deployment/web",)),
        ("web-7d4b9c6f5d-x2x4k restarts", ("Deployment/web",)),
        ("pod db-0 restarts", ("StatefulSet/db",)),
        ("my deployment is failing", ()),
        ("service exists but has no endpoints", ()),
        ("the deployment exceeded its deadline", ()),
        ("the failing deployment", ()),
        ("job was tried six times", ()),
    ],
)
def test_owners_are_named_or_made_out_of_a_pods_name(
    question: str, owners: tuple[str, ...]
) -> None:
    assert read(question).owners == owners


@pytest.mark.parametrize(
    "question",
    [
        "when nodes download the image",
        "service exists but has no endpoints although pods run",
        "a container that completes is started again",
        "pod waits for a claim that nobody made",
        "node reports DiskPressure",
    ],
)
def test_no_word_of_a_question_is_taken_away_because_it_might_be_a_name(question: str) -> None:
    assert read(question).sub_questions[0].search == question


def test_containers_nodes_labels_and_exit_codes_are_found() -> None:
    found = read(
        "container istio-proxy on node worker-2 exits with code 137, labels app=web and tier=front"
    )
    assert found.containers == ("istio-proxy",)
    assert found.nodes == ("worker-2",)
    assert found.labels == ("app=web", "tier=front")
    assert found.exit_code == 137


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("exit code: 1", 1),
        ("exitCode=139", 139),
        ("it exited with status 2", 2),
        ("exits 127 at once", 127),
        ("exit code 4711", None),
        ("http status 503 on exit of the tunnel", None),
        ("3 pods exit", None),
    ],
)
def test_exit_codes(question: str, code: int | None) -> None:
    assert read(question).exit_code == code


def test_a_variable_is_no_label() -> None:
    assert read("DATABASE_URL=postgres is not set, FOO=bar").labels == ()
    assert read("pods with app.kubernetes.io/name=web fail").labels == (
        "app.kubernetes.io/name=web",
    )


@pytest.mark.parametrize(
    ("question", "reason", "category"),
    [
        ("CrashLoopBackOff", "CrashLoopBackOff", "CrashLoop"),
        ("it is in crash loop back off", "CrashLoopBackOff", "CrashLoop"),
        ("image-pull-back-off since an hour", "ImagePullBackOff", "ImagePull"),
        ("oomkilled again", "OOMKilled", "OOMKilled"),
        ("FailedMount of the volume", "FailedMount", "Volume"),
        ("FailedFrobnication of the volume", "FailedFrobnication", "Volume"),
    ],
)
def test_reasons_are_known_however_they_are_spelt(
    question: str, reason: str, category: str
) -> None:
    found = read(question)
    assert reason in found.reasons
    assert category in found.categories


def test_error_is_a_word_unless_it_is_written_as_the_reason() -> None:
    assert read("an error in the log").reasons == ()
    assert read("status is Error").reasons == ("Error",)


@pytest.mark.parametrize(
    ("question", "after", "before"),
    [
        ("what failed today", TODAY, None),
        ("what failed yesterday", TODAY - timedelta(days=1), TODAY),
        ("fails since yesterday", TODAY - timedelta(days=1), None),
        ("in the last 2 hours", NOW - timedelta(hours=2), None),
        ("in the past 30m", NOW - timedelta(minutes=30), None),
        ("last hour", NOW - timedelta(hours=1), None),
        ("over the last couple of days", NOW - timedelta(days=2), None),
        ("since 14:30", NOW.replace(hour=14, minute=30), None),
        ("since 23:00", NOW.replace(hour=23) - timedelta(days=1), None),
        ("on Monday", datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 17, tzinfo=UTC)),
        ("since friday", datetime(2026, 11, 20, tzinfo=UTC), None),
        ("before 2026-11-01", None, datetime(2026, 11, 1, tzinfo=UTC)),
        (
            "between 2026-11-01 and 2026-11-05",
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 11, 6, tzinfo=UTC),
        ),
        (
            "between 2026-11-20 and 2026-11-01",
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 11, 21, tzinfo=UTC),
        ),
        (
            "from 2026-11-05 to 2026-11-01",
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 11, 6, tzinfo=UTC),
        ),
        (
            "between 2 hours ago and 3 hours ago",
            NOW - timedelta(hours=3),
            NOW - timedelta(hours=2),
        ),
        # What comes again is meant in the order in which it is said: the weekend, the night.
        (
            "between friday and monday",
            datetime(2026, 11, 13, tzinfo=UTC),
            datetime(2026, 11, 17, tzinfo=UTC),
        ),
        (
            "between 18:00 and 06:00",
            NOW.replace(hour=18) - timedelta(days=1),
            NOW.replace(hour=6),
        ),
        ("since 2026-11-01T08:00:00Z", datetime(2026, 11, 1, 8, tzinfo=UTC), None),
        ("since 2 hours ago", NOW - timedelta(hours=2), None),
        ("kubectl logs --since=1h", NOW - timedelta(hours=1), None),
        ("on 9999-12-31", None, None),
        ("since 2026-13-45", None, None),
        ("0/3 nodes are available", None, None),
        ("the second replica on the last node", None, None),
    ],
)
def test_times(question: str, after: datetime | None, before: datetime | None) -> None:
    found = read(question)
    assert (found.after, found.before) == (after, before)


def test_an_end_that_is_not_kept_is_told() -> None:
    found = read("it worked before 2026-11-01 and fails since 2026-11-20")
    assert (found.after, found.before) == (datetime(2026, 11, 20, tzinfo=UTC), None)
    assert "'before 2026-11-01'" in found.notes[0]


def test_so_long_ago_is_a_range_around_that_time() -> None:
    found = read("it broke 3 days ago")
    then = NOW - timedelta(days=3)
    assert found.after is not None
    assert found.before is not None
    assert found.after < then < found.before
    assert found.before - found.after < timedelta(days=2)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Why does it crash? How do I fix it?", 1),
        ("Why does the image not pull? How do I add a registry secret?", 2),
        ("the pod is pending; what is a node taint", 2),
        ("the program writes to a disk, which is full", 1),
        ("the service exists but has no endpoints and is not reached", 1),
        ("the pod is evicted and can I see which node it was", 2),
        ("My pods restart all the time. What does exit code 137 mean", 2),
        ("search and rescue fails", 1),
        (
            "why do pods wait and what fills disks and which nodes leave and why is dns slow",
            4,
        ),
    ],
)
def test_questions_that_are_asked_at_once_are_told_apart(question: str, parts: int) -> None:
    found = read(question)
    assert len(found.sub_questions) == parts
    # Nothing that was asked is lost.
    for word in ("crash", "taint", "137", "rescue", "dns"):
        assert (word in question) == any(word in part.text for part in found.sub_questions)


def test_the_part_that_does_not_say_what_it_is_about_inherits_it() -> None:
    found = read("Why do I get ImagePullBackOff here? What can I change tomorrow morning?")
    assert found.sub_questions[1].reasons == ("ImagePullBackOff",)


def test_every_clue_says_where_it_stands_and_why() -> None:
    question = "Why is pod web-1 OOMKilled in namespace prod since yesterday?"
    for clue in read(question).clues:
        assert question[clue.start : clue.end]
        assert clue.why


def test_words_are_searched_as_machines_print_them() -> None:
    words = search_words("the pvc is full and python cannot import a package")
    assert "persistentvolumeclaim" in words
    assert "ModuleNotFoundError" in words
    assert "space" in words
    assert search_words("crash loop back off", reasons=("CrashLoopBackOff",)).count(
        "CrashLoopBackOff"
    )
    assert split_camel("CreateContainerConfigError") == "Create Container Config Error"


def test_who_made_a_pod_is_told_by_its_name() -> None:
    assert owner_of_pod("web-7d4b9c6f5d-x2x4k") == ("Deployment/web",)
    assert owner_of_pod("logs-x7k2p") == ("DaemonSet/logs", "Job/logs")
    assert owner_of_pod("web") == ()
