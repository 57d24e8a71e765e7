"""What a service that was reached answers: errors of its own, or that too much is asked of it."""

from __future__ import annotations

from kausa.diagnosis.rules.application.idea import Idea, Look, Told, any_of, never_with
from kausa.diagnosis.rules.application.targets import find_target
from kausa.resources.category import Category

__all__ = ["ANSWER_IDEAS"]


def _with_target(look: Look) -> Look:
    def found(text: str) -> Told | None:
        told = look(text)
        if told is None:
            return None
        target = find_target(text)
        return {**told, "target": str(target) if target is not None else ""}

    return found


_STATUS = (
    r"(?:status(?: ?code)?|\bcode|HTTP(?:/\d(?:\.\d)?)?|error|response|returned|got|answered|"
    r"server error)(?: error| with| was| is| status)?\W{1,4}"
)
_ASKED = r"\b(?:requests?|calls?|api|quer(?:y|ies)|tokens?|rate|per (?:second|minute|hour|day))\b"
_OTHER_LIMITS = (
    # gRPC's RESOURCE_EXHAUSTED is also what is too large, and what memory or disk cannot hold.
    r"(?:RESOURCE_EXHAUSTED|ResourceExhausted)[^\n]{0,120}(?:larger than|too large|out of memory|"
    r"memory|disk|space|exceeds (?:the )?max)",
    # A logger that leaves lines out is limited by itself.
    r"(?:log\w{0,6}|messages?|lines?|entries|events?)\b[^\n]{0,40}(?:suppress|skipp|dropp|discard|"
    r"omit)\w{0,6}[^\n]{0,60}rate[- ]?limit",
    r"rate[- ]?limit\w{0,3}\b[^\n]{0,60}(?:suppress|skipp|discard)\w{0,6}",
    r"(?:suppress|skipp|discard)\w{0,6}[^\n]{0,60}rate[- ]?limit",
)

ANSWER_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.rate-limited",
        category=Category.DEPENDENCY,
        look=_with_target(
            never_with(
                any_of(
                    rf"{_STATUS}(?P<code>429)\b",
                    r"(?P<code>429 Too Many Requests|too many requests|rate[- ]?limit(?:ed|ing)?"
                    r"(?: (?:exceeded|reached|hit))?|ThrottlingException|Throttling: |"
                    r"RESOURCE_EXHAUSTED|ResourceExhausted|RequestLimitExceeded|SlowDown|"
                    rf"{_ASKED}[^\n]{{0,40}}?\bquota (?:\w{{1,20}} )?(?:exceeded|exhausted|"
                    rf"reached)|quota (?:exceeded|exhausted|reached)[^\n]{{0,40}}?{_ASKED}|"
                    r"exceeded (?:your|the) (?:current )?quota)\b",
                ),
                *_OTHER_LIMITS,
            )
        ),
        summary="container {container} is rate limited<< by {target}>>: {code}",
        cause="Requests of container {container}<< to {target}>> are refused because too many are "
        "made: {code} (rate limit).",
        explanation="The other side counts requests in a window of time, and refuses what is "
        "above.",
        advice="Ask less often, with pauses that grow, or have the limit raised",
        confidence=88,
    ),
    Idea(
        rule="application.server-error",
        category=Category.DEPENDENCY,
        look=_with_target(
            any_of(
                rf"{_STATUS}(?P<code>50[0234])\b",
                r"\b(?P<code>50[0234] (?:Internal Server Error|Bad Gateway|Service Unavailable|"
                r"Gateway Time-?out|Server Error))",
                r"(?P<code>upstream (?:connect error|request timeout|service unavailable)|no "
                r"healthy upstream)",
            )
        ),
        summary="container {container} gets the error {code} from<< {target},>> a service that it "
        "needs",
        cause="A service that container {container} needs<< ({target})>> answers with an error: "
        "{code}.",
        explanation="It was reached and fails itself; its own log tells why.",
        advice="Look into the service that answers so",
        confidence=84,
    ),
    Idea(
        rule="application.not-found-there",
        category=Category.DEPENDENCY,
        look=_with_target(
            any_of(
                r"(?:returned(?: error)?|status(?: ?code)?|HTTP/\d(?:\.\d)?)\W{1,4}(?P<code>404)\b",
                r"\b(?P<code>404 (?:Not Found|Client Error))",
            )
        ),
        summary="container {container} asks<< {target}>> for something that is not there: {code}",
        cause="A request of container {container}<< to {target}>> is answered with {code}: the "
        "address or what it asks for does not exist there.",
        explanation="The service was reached; the path or version in the request is wrong.",
        advice="Correct the address that the container asks",
        confidence=78,
        weak=True,
    ),
)
