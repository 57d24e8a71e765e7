"""What the kubelet says that a probe was answered, and what each answer means."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ANSWERS", "Answer"]

_ASKED = "<< for {path}>><< on port {port}>>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One way in which a probe fails; texts may name {probe}, {of}, {path}, {port}, {answer}."""

    name: str
    pattern: re.Pattern[str]
    summary: str
    cause: str
    explanation: str
    advice: str
    confidence: int


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)


ANSWERS: tuple[Answer, ...] = (
    Answer(
        name="status-not-found",
        pattern=_words(r"status ?code: ?(?P<code>404)\b"),
        summary="the {probe} probe{of} is answered with HTTP statuscode: 404, so nothing is served"
        f"{_ASKED}",
        cause=f"The program answers the {{probe}} probe{{of}} with HTTP 404 (not found){_ASKED}: "
        "the probe asks for a path that the program does not serve.",
        explanation="The program answers, so it lives; the path of the probe is wrong, or has "
        "moved.",
        advice="Correct the path of the {probe} probe",
        confidence=93,
    ),
    Answer(
        name="status-refused",
        pattern=_words(r"status ?code: ?(?P<code>40[13])\b"),
        summary="the {probe} probe{of} is answered with HTTP statuscode: {code}"
        f"{_ASKED}: it would have to log in",
        cause=f"The program answers the {{probe}} probe{{of}} with HTTP {{code}}{_ASKED}: it asks "
        f"for "
        "credentials, which a probe does not have.",
        explanation="A probe must be answered without authentication.",
        advice="Let the program answer the path of the {probe} probe without authentication",
        confidence=93,
    ),
    Answer(
        name="status-code",
        pattern=_words(r"status ?code: ?(?P<code>\d{3})\b(?P<more>.{0,200})"),
        summary=f"the {{probe}} probe{{of}} is answered with HTTP statuscode: {{code}}{_ASKED}",
        cause=f"The program answers the {{probe}} probe{{of}} with HTTP {{code}}{_ASKED}: it says "
        f"that "
        "it is not healthy.",
        explanation="5xx says that the program, or something that it checks, is not well; 4xx "
        "that the probe asks wrongly.",
        advice="Find out from the program's log why it answers {code}",
        confidence=92,
    ),
    Answer(
        name="scheme",
        pattern=_words(
            r"server gave HTTP response to HTTPS client|malformed HTTP response|HTTP request to "
            r"an HTTPS"
        ),
        summary="the {probe} probe{of} uses the wrong scheme (HTTP or HTTPS)<< on port {port}>>: "
        "{answer}",
        cause="The {probe} probe{of} and the program do not agree on HTTP or HTTPS<< at port "
        "{port}>>: {answer}.",
        explanation="The probe's scheme must be that of the port.",
        advice="Correct the scheme of the {probe} probe",
        confidence=93,
    ),
    Answer(
        name="refused",
        pattern=_words(r"(?:dial tcp (?P<address>\S{1,100}?): (?:connect: )?)?connection refused"),
        summary="the {probe} probe{of} is refused<< at {address}>>: connection refused, nothing "
        "listens there",
        cause="Nothing listens<< at {address}>> for the {probe} probe{of}: connection refused.",
        explanation="The program listens on another port or only on localhost, or has not come "
        "that far.",
        advice="Let the probe's port and the program's agree, or give it a startup probe",
        confidence=92,
    ),
    Answer(
        name="timeout",
        pattern=_words(
            r"context deadline exceeded|Client\.Timeout|i/o timeout|timed? ?out|deadline"
        ),
        summary="the {probe} probe{of} gets no answer within its timeout<< of {timeout} s>>: "
        "{answer}",
        cause="The program does not answer the {probe} probe{of} in time<<: the timeout is "
        "{timeout} s>>, it timed out ({answer}).",
        explanation="The program hangs, is too slow (too little CPU), or the timeout is too short.",
        advice="Find out why the program is slow, or raise timeoutSeconds of the {probe} probe",
        confidence=92,
    ),
    Answer(
        name="command-missing",
        pattern=_words(
            r"(?:exec: \"(?P<binary>[^\"]{1,200})\": )?(?:executable file not found|stat "
            r"(?P<file>\S{1,200}): no such file)"
        ),
        summary="the {probe} probe{of} runs a command that the image does not have<<: {binary}>>",
        cause="The command of the {probe} probe{of} does not exist in the image<<: {binary}>><<: "
        "{file}>> (not found).",
        explanation="The probe's command is run inside the container and must be in its image.",
        advice="Use a command that the image has, or another kind of probe",
        confidence=94,
    ),
    Answer(
        name="not-serving",
        pattern=_words(r'service unhealthy \(responded with "(?P<status>[^"]{1,60})"\)'),
        summary="the {probe} probe{of} is answered over gRPC with {status}",
        cause="The program says {status} of itself when the {probe} probe{of} asks over gRPC.",
        explanation="The program lives and says that it does not serve.",
        advice="Find out from its log why the program does not serve",
        confidence=92,
    ),
    Answer(
        name="no-grpc-health",
        pattern=_words(r"does not implement the grpc health protocol|unknown service grpc\.health"),
        summary="the {probe} probe{of} asks the gRPC health service, which the program does not "
        "have",
        cause="The program does not implement the gRPC health protocol that the {probe} probe{of} "
        "asks.",
        explanation="gRPC probes need the service grpc.health.v1.Health.",
        advice="Add the health service to the program, or use another kind of probe",
        confidence=93,
    ),
    Answer(
        name="says",
        pattern=_words(r"(?P<said>\S.*)"),
        summary="the {probe} probe{of} fails: {answer}",
        cause="The {probe} probe{of} fails with: {answer}.",
        explanation="The answer is the probe's own.",
        advice="Correct what the probe's answer names, or the probe",
        confidence=91,
    ),
    Answer(
        name="silent",
        pattern=_words(r""),
        summary="the {probe} probe{of} fails<< for {path}>><< on port {port}>>",
        cause="The {probe} probe{of} fails; its answer is not told.",
        explanation="The kubelet does not say what was answered.",
        advice="Ask by hand what the {probe} probe asks",
        confidence=84,
    ),
)
