"""What a program ends with decides, and the same words in another sense are another thing."""

from __future__ import annotations

import pytest
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.application.last_words import says_why
from kausa.diagnosis.rules.engine import find_all

REFUSED = "ERROR dial tcp 10.9.8.7:5432: connect: connection refused\n"


def best(log: str) -> Finding:
    crashed = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3))
    return find_all(dossier(crashed, log=log))[0]


@pytest.mark.parametrize(
    "line",
    [
        "FATAL read frame 3: unexpected EOF",
        "FATAL quota exceeded while allocating sprockets",
        "FATAL wrong password for zip archive stock.zip",
        "FATAL invalid password length in config",
        "FATAL rpc error: code = ResourceExhausted desc = grpc: received message larger than max "
        "(9437184 vs. 4194304)",
    ],
)
def test_words_of_an_idea_in_another_sense_are_only_quoted(line: str) -> None:
    found = best(line + "\n")
    assert found.rule == "crash.exits"
    assert found.confidence <= 75


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("/run.sh: line 9: syntax error: unexpected end of file", "application.code-syntax"),
        ("bash: -c: line 2: unexpected EOF while looking for matching `\"'",
         "application.code-syntax"),
        ("FATAL API quota exceeded, try again tomorrow", "application.rate-limited"),
        ("FATAL quota exceeded: 60 requests per minute", "application.rate-limited"),
        ("FATAL rpc error: code = ResourceExhausted desc = slow down", "application.rate-limited"),
        ("FATAL login: invalid password for user till", "application.authentication-failed"),
        ("FATAL login to the broker: wrong password", "application.authentication-failed"),
        ("FATAL the password is incorrect", "application.authentication-failed"),
    ],
)  # fmt: skip
def test_the_same_words_in_the_sense_that_is_meant_are_the_idea(line: str, rule: str) -> None:
    assert best(line + "\n").rule == rule


@pytest.mark.parametrize(
    ("before", "last"),
    [
        ("ERROR log lines suppressed by the rate limiter: rate limited\n",
         "licence check failed: seats 31 > 30"),
        ("ERROR upstream answered 429 Too Many Requests, retried\n",
         "licence check failed: seats 31 > 30"),
        (REFUSED, "replay stopped because block 7 is torn"),
        (REFUSED, "bad state 5"),
        ('INFO loaded page "permission denied"\n', "bad state 5"),
        ('INFO loaded page "connection refused"\nINFO ready\n', "bad state 5"),
    ],
)  # fmt: skip
def test_the_last_fatal_entry_beats_what_the_program_survived(before: str, last: str) -> None:
    found = best(f"{before}FATAL: {last}\n")
    assert found.rule == "crash.exits", found
    assert last in f"{found.summary} {found.root_cause}"


@pytest.mark.parametrize(
    "last",
    ["startup failed, exiting", "cannot open the ledger", "giving up after 5 attempts",
     "queues did not drain",
     "could not start: exit status 1", "shutting down"],
)  # fmt: skip
def test_an_end_that_says_only_that_something_failed_leaves_it_to_the_error_before(
    last: str,
) -> None:
    assert best(f"{REFUSED}FATAL: {last}\n").rule == "application.connection-refused"


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("bad state 5", True),
        ("licence check failed: seats 31 > 30", True),
        ("stopped because the block is torn", True),
        ("RuntimeError: pool is broken", True),
        ("startup failed", False),
        ("FATAL: could not start server: exiting", False),
        ("Error: command failed with exit code 1", False),
        ("RuntimeError:", False),
        ("", False),
    ],
)
def test_a_reason_is_told_from_a_mere_failure(message: str, *, why: bool) -> None:
    assert says_why(message) is why
