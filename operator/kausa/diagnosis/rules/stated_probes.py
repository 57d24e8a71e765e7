"""Probes: which one fails, what it asked and what was answered."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["PROBE_STATEMENTS"]

_PROBE = frozenset({Category.PROBE})
_HEAD = r"(?P<probe>Readiness|Liveness|Startup) probe (?:failed|errored)[^:]{0,60}: "
MEANS = (
    "A container whose readiness probe fails gets no requests; one whose liveness or startup probe "
    "fails is killed and started again."
)
_DESCRIBE = "kubectl -n {namespace} describe {kind} {name}"

PROBE_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="probe.status-code",
        of=_PROBE,
        pattern=words(_HEAD + r"HTTP probe failed with status ?code: (?P<code>\d{3})(?P<more>.*)"),
        summary="the {probe} probe of container {container} is answered with HTTP statuscode: "
        "{code}",
        root_cause="Container {container} answers its {probe} probe with HTTP status {code}"
        "<<, {more}>>.",
        explanation=MEANS + " The program answers, so either the probe's path is wrong or the "
        "program says that it is not well.",
        advice="Correct the path of the {probe} probe, or what the program answers there",
        command=_DESCRIBE,
        confidence=90,
    ),
    Statement(
        rule="probe.refused",
        of=_PROBE,
        pattern=words(
            _HEAD + r"(?:Get \"(?P<url>[^\"]{1,300})\": )?dial tcp (?P<address>\S{1,100}): "
            r"(?:connect: )?connection refused"
        ),
        summary="the {probe} probe of container {container} is refused at {address}: nothing "
        "listens there",
        root_cause="Nothing listens at {address} in container {container}, which its {probe} probe "
        "asks<< ({url})>>: connection refused.",
        explanation=MEANS + " Either the program listens on another port or it has not come that "
        "far.",
        advice="Let the probe's port and the program's agree, or give it a startup probe",
        command=_DESCRIBE,
        confidence=90,
    ),
    Statement(
        rule="probe.timeout",
        of=_PROBE,
        pattern=words(
            _HEAD + r"(?P<answer>.{0,300}?(?:context deadline exceeded|Client\.Timeout|i/o timeout|"
            r"timed out|timeout).*)"
        ),
        summary="the {probe} probe of container {container} gets no answer in time: {answer}",
        root_cause="Container {container} does not answer its {probe} probe within the probe's "
        "timeout: {answer}.",
        explanation=MEANS + " The program hangs, is too slow, or the timeout is too short.",
        advice="Find out why the program is slow, or raise timeoutSeconds of the {probe} probe",
        command=_DESCRIBE,
        confidence=86,
    ),
    Statement(
        rule="probe.not-serving",
        of=_PROBE,
        pattern=words(_HEAD + r'service unhealthy \(responded with "(?P<answer>[^"]{1,60})"\)'),
        summary="container {container} answers its {probe} probe over gRPC with {answer}",
        root_cause="The program in container {container} says {answer} of itself when its {probe} "
        "probe asks over gRPC.",
        explanation=MEANS,
        advice="Find out why the program says that it does not serve",
        command=_DESCRIBE,
        confidence=90,
    ),
    Statement(
        rule="probe.fails",
        of=_PROBE,
        pattern=words(_HEAD + r"(?P<answer>.*\S.*)"),
        summary="the {probe} probe of container {container} fails: {answer}",
        root_cause="The {probe} probe of container {container} fails with: {answer}.",
        explanation=MEANS,
        advice="Correct what the probe's answer names, or the probe",
        command=_DESCRIBE,
        confidence=88,
    ),
    Statement(
        rule="probe.fails-silently",
        of=_PROBE,
        pattern=words(r"(?P<probe>Readiness|Liveness|Startup) probe (?:failed|errored)"),
        summary="the {probe} probe of container {container} fails and says nothing",
        root_cause="The {probe} probe of container {container} fails without a word.",
        explanation=MEANS,
        advice="Run the probe's command by hand, or let it say why it fails",
        command=_DESCRIBE,
        confidence=75,
    ),
)
