"""A request without text that reads like an instruction, and where such text was."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kausa.diagnosis.model.prompt.injection import screened
from kausa.diagnosis.model.protocol import ModelRequest

__all__ = ["ScreenedRequest", "screen", "suspicion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedRequest:
    """What may be shown to a model, and bears what it says."""

    request: ModelRequest
    suspicious: tuple[str, ...] = ()
    """Evidence ids and words such as `the question`, in order."""
    left_out: tuple[str, ...] = ()
    """The text that was left out."""


class _Screen:
    def __init__(self) -> None:
        self.where: list[str] = []
        self.left_out: list[str] = []

    def __call__(self, text: str, where: str) -> str:
        result = screened(text)
        if result.found:
            self.where.append(where)
            self.left_out.extend(result.found)
        return result.text


def screen(request: ModelRequest) -> ScreenedRequest:
    """Return the request with everything that others wrote screened."""
    check = _Screen()
    evidence = tuple(
        replace(each, text=check(each.text, each.id), source=check(each.source, each.id))
        for each in request.evidence
    )
    ruling = request.ruling
    clean = replace(
        request,
        reason=check(request.reason, "the reason"),
        target=check(request.target, "the name of what fails"),
        question=check(request.question, "the question") if request.question else None,
        evidence=evidence,
        # Rules quote evidence, so what was found there is found here once more.
        findings=tuple(check(each, "what rules quote") for each in request.findings),
        changes=tuple(check(each, "what changed") for each in request.changes),
        ruling=ruling and replace(ruling, root_cause=check(ruling.root_cause, "what rules quote")),
        incidents=tuple(
            replace(
                each,
                cause=check(each.cause, "an earlier failure"),
                resolution=check(each.resolution, "an earlier failure"),
            )
            for each in request.incidents
        ),
        runbooks=tuple(
            replace(
                each,
                title=check(each.title, f"the runbook {each.source}".strip()),
                text=check(each.text, f"the runbook {each.source}".strip()),
            )
            for each in request.runbooks
        ),
    )
    where = [each for each in dict.fromkeys(check.where) if each != "what rules quote"]
    if check.where and not where:
        where = ["what rules quote"]
    return ScreenedRequest(
        request=clean, suspicious=tuple(where), left_out=tuple(dict.fromkeys(check.left_out))
    )


def suspicion(where: tuple[str, ...]) -> str:
    """Return the sentence for a condition; empty where nothing was seen."""
    if not where:
        return ""
    return f"instruction-like text was seen in {', '.join(where)} and not shown to the model"
