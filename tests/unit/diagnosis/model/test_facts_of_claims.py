"""What happened has to stand in the evidence: no plain English may be a fact of a failure."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from unit.diagnosis.model.steering import HONEST, request_with

from kausa.diagnosis.errors import ModelInvalidAnswer
from kausa.diagnosis.model.answer import check_answer
from kausa.diagnosis.model.answer.counting import follows_from
from kausa.diagnosis.model.answer.facts import Facts, needs_proof
from kausa.diagnosis.model.answer.sources import Source
from kausa.diagnosis.model.answer.support import Corpus, Support
from kausa.diagnosis.model.prompt.screening import screen
from kausa.diagnosis.model.protocol import ModelRequest, NumberedEvidence

REFUSED = "dial tcp 10.2.0.9:5432: connect: connection refused"
DIAL = f"connecting to ledger-db:5432\n{REFUSED}\ngiving up after 5 attempts"
KEY = "KeyError: 'PAYMENTS_DB_DSN'"
HEAP = "java.lang.OutOfMemoryError: Java heap space"
EXPIRED = (
    "x509: certificate has expired or is not yet valid: current time 2026-11-22T08:00:00Z is after "
    "2026-11-20T00:00:00Z"
)
QUOTA = "disk quota exceeded while writing /data/wal/0001"
READY = "Readiness probe failed: HTTP probe failed with statuscode: 503\n12 of 400 keys loaded"
SHARD = "worker lost heartbeat of the scheduler, shard 7 reassigned"
SCHEMA = "schema version 41 found, this build needs 43\nrefusing to serve"
IN_USE = "bind: address already in use (0.0.0.0:8080)"
LOGIN = 'FATAL: password authentication failed for user "checkout"'
NO_HOST = "lookup ledger-db.shop.svc on 10.96.0.10:53: no such host"
PULL = 'Failed to pull image "registry.example/checkout:2.4.2": manifest unknown'


def request(log: str) -> ModelRequest:
    status, *_ = request_with(None).evidence
    evidence = (
        replace(status, text="container api: terminated, Error with exit code 1; restarts 7"),
        NumberedEvidence(id="E2", kind="Log", source="Pod/checkout-0", text=log),
    )
    return replace(request_with(None), evidence=evidence)


def support(log: str, said: str, *, strict: bool = True, also: str | None = None) -> Support:
    corpus = Corpus(screen(request(log)), evidence_ids=["E1", "E2"])
    return corpus.support(said, strict=strict, also=also)


INVENTED = [
    (DIAL, "The database password of ledger-db has expired."),
    (DIAL, "The certificate that ledger-db presents is signed by an unknown authority."),
    (DIAL, "ledger-db ran out of disk space."),
    (DIAL, "The network policy of the namespace blocks traffic to ledger-db."),
    (DIAL, "A NetworkPolicy blocks checkout from ledger-db."),
    (DIAL, "Someone deleted the volume of ledger-db yesterday."),
    (DIAL, "Container api exceeded its memory limit and was killed by the kernel."),
    (DIAL, "The checkout program has a memory leak in its connection pool."),
    (DIAL, "The operator upgraded ledger-db to an incompatible version, so the schema is corrupt."),
    (DIAL, "The team was compromised: an unknown person holds the admin credentials of ledger-db."),
    (DIAL, "ledger-db was hacked."),
    (DIAL, "A firewall between checkout and ledger-db drops the packets."),
    (DIAL, "DNS resolution of ledger-db fails."),
    (DIAL, "The maximum number of connections of ledger-db is exceeded."),
    (DIAL, "ledger-db is restarting because its liveness probe fails."),
    (DIAL, "An intern stopped ledger-db on purpose."),
    (DIAL, "ledger-db waits for a lock of a backup."),
    (KEY, "PAYMENTS_DB_DSN holds a password that was rotated last week."),
    (KEY, "The Secret that holds PAYMENTS_DB_DSN was deleted by a colleague."),
    (KEY, "The disk that holds PAYMENTS_DB_DSN is full."),
    (KEY, "An attacker removed PAYMENTS_DB_DSN."),
    (HEAP, "The database returned too many rows, so the Java heap space is exhausted."),
    (HEAP, "A denial of service attack filled the Java heap space."),
    (HEAP, "The network is too slow, so requests pile up in the Java heap space."),
    (EXPIRED, "The certificate was stolen and revoked by the authority."),
    (EXPIRED, "The private key of the certificate was leaked."),
    (EXPIRED, "The certificate's host name does not match the server."),
    (QUOTA, "A backup job filled the disk quota of /data."),
    (QUOTA, "The file system of /data/wal/0001 is mounted read-only."),
    (QUOTA, "Writing /data/wal/0001 fails since the permission on /data is wrong."),
    (READY, "The password of the cache expired, so the readiness probe gets 503."),
    (READY, "A memory leak makes the readiness probe fail with 503."),
    (READY, "An unauthorized person changed the readiness probe."),
    (SHARD, "The worker lost its heartbeat because the clock of the node drifted."),
    (SHARD, "The worker of shard 7 was throttled by its CPU limit."),
    (SHARD, "The scheduler deleted the data of shard 7."),
    (NO_HOST, "ledger-db.shop.svc was renamed by the database team."),
    (NO_HOST, "A firewall blocks port 53 of 10.96.0.10."),
    (PULL, "The disk of the registry registry.example is full."),
    (PULL, "The tag 2.4.2 was deleted by a cleanup job."),
    (LOGIN, "The TLS certificate of the user checkout has expired."),
]
BORNE = [
    (DIAL, "The application cannot connect to its PostgreSQL database at 10.2.0.9:5432."),
    (DIAL, "Nothing is listening on port 5432 at 10.2.0.9, so it exits after five attempts."),
    (DIAL, "The application attempts to establish a TCP connection to 10.2.0.9:5432 repeatedly."),
    (KEY, "A mandatory configuration value, PAYMENTS_DB_DSN, was never provided."),
    (HEAP, "The JVM ran out of heap space and terminated with java.lang.OutOfMemoryError."),
    (HEAP, "Memory consumption of the application grew beyond the available heap space."),
    (EXPIRED, "The TLS certificate expired on 2026-11-20."),
    (EXPIRED, "The certificate expired two days ago (2026-11-20)."),
    (EXPIRED, "The server certificate expired on November 20, 2026."),
    (EXPIRED, "The certificate expired on 20 Nov 2026, and it was checked at 08:00."),
    (QUOTA, "The volume mounted at /data is full: writing /data/wal/0001 fails."),
    (QUOTA, "The write-ahead log cannot be written because the disk quota is exceeded."),
    (SCHEMA, "The database schema is at version 41, so a migration to 43 was not applied."),
    (SCHEMA, "The schema is two versions behind: 41 instead of 43."),
    (IN_USE, "Two processes in the pod compete for port 8080."),
    (IN_USE, "Another process is already listening on port 8080."),
    (LOGIN, "PostgreSQL rejects the password of the user checkout."),
    (LOGIN, "The Secret with the database credentials is probably out of date."),
    (NO_HOST, "The name ledger-db.shop.svc cannot be resolved by the DNS server 10.96.0.10."),
    (PULL, "Kubernetes cannot download the image: the registry has no manifest for 2.4.2."),
    (
        "open /etc/checkout/config.yaml: permission denied",
        "/etc/checkout/config.yaml is not readable by the UID under which checkout runs.",
    ),
]


@pytest.mark.parametrize(("log", "said"), INVENTED)
def test_a_fact_that_the_evidence_does_not_have_is_refused(log: str, said: str) -> None:
    assert not support(log, said).holds
    answer = {**HONEST, "rootCause": said, "summary": said, "explanation": "", "remediation": []}
    with pytest.raises(ModelInvalidAnswer):
        check_answer(json.dumps(answer), screened=screen(request(log)), evidence_ids=["E1", "E2"])


@pytest.mark.parametrize(("log", "said"), BORNE)
def test_what_rephrases_the_evidence_is_borne_by_it(log: str, said: str) -> None:
    found = support(log, said)
    assert found.problem == ""
    assert "E2" in found.ids.union(*found.holders)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (EXPIRED, "The certificate expired on 2026-11-21."),
        (EXPIRED, "The certificate expired on November 21, 2026."),
        (EXPIRED, "The certificate expired three days ago (2026-11-20)."),
        (EXPIRED, "The certificate was checked at 09:00."),
        (SCHEMA, "The schema is three versions behind: 41 instead of 43."),
        (DIAL, "Two databases refused the connection to 10.2.0.9:5432."),
        (DIAL, "The application cannot connect to its MySQL database at 10.2.0.9:5432."),
    ],
)
def test_another_day_another_count_and_another_product_are_not(log: str, said: str) -> None:
    assert not support(log, said).holds


def test_the_evidence_that_has_a_fact_in_other_words_is_cited() -> None:
    said = "The credentials are wrong."
    assert support(LOGIN, said).ids == {"E2"}


def test_a_cause_is_about_the_line_that_it_puts_in_other_words() -> None:
    corpus = Corpus(screen(request(LOGIN)), evidence_ids=["E1", "E2"])
    assert corpus.speaks_of("The Secret with the credentials is out of date.", LOGIN)
    assert not corpus.speaks_of("The Secret with the credentials is out of date.", HEAP)


def test_a_proposal_may_name_what_is_not_there_but_nothing_that_went_bad() -> None:
    assert support(DIAL, "Raise the memory limit of container api", also="").holds
    assert support(DIAL, "Check the certificate of ledger-db", also="").holds
    assert not support(DIAL, "Renew the expired certificate of ledger-db", also="").holds
    assert not support(DIAL, "Change the stolen password of ledger-db", also="").holds
    assert support(EXPIRED, "Renew the expired certificate", also="").holds


def test_what_is_missing_may_be_named_where_nothing_is_decided_and_nobody_accused() -> None:
    assert support(DIAL, "Whether a firewall drops it is not known.", strict=False).holds
    assert not support(DIAL, "Perhaps ledger-db was hacked.", strict=False).holds


@pytest.mark.parametrize("word", ["password", "exceeded", "disks", "killed", "hacked", "deleted"])
def test_each_form_of_a_fact_needs_proof(word: str) -> None:
    assert needs_proof(word)
    assert not Facts("connection refused").bears(word)


@pytest.mark.parametrize("word", ["because", "probably", "cannot", "missing", "starts", "program"])
def test_what_only_explains_does_not(word: str) -> None:
    assert not needs_proof(word)


def test_a_stamp_of_time_holds_its_day_and_its_hour_but_no_other_number() -> None:
    source = Source(raw="since 2026-11-20T09:30:00Z")
    assert all(source.holds(each) for each in ("2026-11-20", "09:30:00", "09:30"))
    assert not any(source.holds(each) for each in ("20", "30", "9:30", "2026-11-2", "26-11-20"))


def test_a_count_follows_only_from_what_differs_by_it() -> None:
    assert follows_from("2", "41 instead of 43", frozenset())
    assert not follows_from("2", "41 instead of v1.43 at 10.0.0.43", frozenset())
    assert not follows_from("3", "they conflict", frozenset())


def test_long_evidence_is_searched_in_no_time() -> None:
    log = "\n".join([*("was " * 4_000, "1." * 4_000, "2026-01-01 " * 2_000, "/a" * 4_000), DIAL])
    started = time.perf_counter()
    for said in ("The schema of version 2 was changed two days ago.", *dict(INVENTED).values()):
        support(log, said)
    assert time.perf_counter() - started < 5
