"""How `kausa ask` is read: paragraphs as they come, or one document at the end.

Both say the same. What was printed cannot be unprinted, so where the whole answer is less or other
than what was told of it on the way, the paragraphs say at the end what stands.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from kausa.commands.asking_links import Linked
from kausa.diagnosis.answering import Concluded, Known, Remembered, Sentence, Step
from kausa.diagnosis.concluding import UNDETERMINED
from kausa.diagnosis.matters import Matter
from kausa.diagnosis.model.protocol import ModelReply
from kausa.evidence.redaction.placeholders import whole_until
from kausa.offline.paper import Paper

__all__ = ["AsJson", "AsText"]

WIDTH_OF_A_FILE = 100
LONGEST_EVIDENCE = 300
LEFT_OVER = 80
"""Characters that are not worth a cut, and how far back one may be between words."""
MOST_OTHERS = 5


class AsText:
    """Prints each step at once."""

    def __init__(self, links: Linked) -> None:
        """`links` is looked at when there is something to print."""
        self._links = links
        on_terminal = sys.stdout.isatty()
        self._width = shutil.get_terminal_size().columns if on_terminal else WIDTH_OF_A_FILE
        self._known = False
        self._remembered = False
        self._said: list[str] = []

    def take(self, step: Step) -> None:
        """Print one step."""
        if isinstance(step, Known):
            self._known = bool(step.matters)
            self._print(lambda paper: _known(paper, step, follows=self._links.follows))
        elif isinstance(step, Remembered):
            self._remembered = bool(step.failures or step.runbooks)
            self._print(lambda paper: _remembered(paper, step))
        elif isinstance(step, Sentence):
            self._sentence(step)
        else:
            self._print(lambda paper: self._concluded(paper, step))

    def end(self) -> None:
        """Everything was printed already."""

    def _sentence(self, step: Sentence) -> None:
        if step.part == "again":
            self._said.clear()
            why = step.text or "that did not hold as a whole"
            self._print(lambda paper: paper.text(f"({why}; once more)"))
            return
        first = not self._said
        self._said.append(step.text)

        def say(paper: Paper) -> None:
            if first:
                paper.heading("ANSWER")
            _sentence(paper, step)

        self._print(say, spaced=first)

    def _concluded(self, paper: Paper, step: Concluded) -> None:
        if step.reply is not None and step.request is not None:
            _answer(paper, step, step.reply, said=self._said)
            return
        reason, message = step.why_not or ("", "")
        if reason == "NotNeeded":
            paper.text(f"There is no answer: {message}.")
            return
        void = " What stands under ANSWER is void." if self._said else ""
        message = message.rstrip(".")
        if reason == UNDETERMINED:
            first = f"{message[:1].upper()}{message[1:]}"
        else:
            first = f"No model answered ({reason}: {message})"
        paper.text(f"{first}, {self._instead()}.{void}")

    def _instead(self) -> str:
        """What is the answer where no model's is."""
        told = [
            *(["rules"] if self._known else []),
            *(["memory"] if self._remembered else []),
        ]
        if not told:
            return "and nothing is known that an answer could rest on"
        says = "say" if self._known else "says"
        return f"so what {' and '.join(told)} {says} above is the answer"

    def _print(self, write: Any, *, spaced: bool = True) -> None:
        paper = Paper(width=self._width)
        write(paper)
        if paper.lines:
            click.echo("\n".join([*([""] if spaced else []), *paper.lines]))


class AsJson:
    """Collects the steps into one document."""

    def __init__(self, question: str, links: Linked) -> None:
        """`links` is looked at when there is something to note."""
        self._links = links
        self._document: dict[str, Any] = {"question": question}

    def take(self, step: Step) -> None:
        """Note one step."""
        document = self._document
        if isinstance(step, Known):
            follows = self._links.follows
            document["failures"] = [_matter_document(e, follows) for e in step.matters]
            document["otherFailures"] = [each.label for each in step.others]
            document["notes"] = list(step.notes)
        elif isinstance(step, Remembered):
            document["similar"] = [each.to_builtins() for each in step.failures]
            document["runbooks"] = [each.to_builtins() for each in step.runbooks]
            document["notes"] = [*document.get("notes", ()), *step.notes]
        elif isinstance(step, Concluded):
            document["evidence"] = [
                {"id": each.id, "kind": each.kind, "source": each.source, "text": each.text}
                for each in (step.request.evidence if step.request is not None else ())
            ]
            answer = _reply_document(step, step.reply) if step.reply is not None else None
            document["answer"] = answer
            document["withdrawn"] = list(step.withdrawn)
            if step.why_not is not None:
                document["noAnswer"] = {"reason": step.why_not[0], "message": step.why_not[1]}

    def end(self) -> None:
        """Print it."""
        click.echo(json.dumps(self._document, indent=2, ensure_ascii=False))


def _known(paper: Paper, known: Known, *, follows: Mapping[str, str]) -> None:
    # What the question names and nobody knows comes first: all else is about something else.
    for note in known.notes:
        paper.text(note, first="Note: ")
    if not known.matters and not known.missing:
        paper.text("Nothing that fails is known.", bold=True)
    for matter in known.matters:
        paper.heading(matter.label, colour="red" if matter.fails else "green")
        paper.text(matter.summary, indent=2, bold=True)
        if matter.fails:
            sure = f"{matter.confidence} %, by {matter.decided_by.lower()}"
            paper.text(f"{matter.request.reason}; sure {sure}", indent=2)
        elif matter.resolved:
            paper.text("it is over", indent=2)
        if matter.label in follows:
            paper.text(f"follows from {follows[matter.label]}", indent=2)
        for step in matter.steps[:1]:
            paper.text(f"{step.title} (risk: {step.risk.lower()})", indent=2, first="To do: ")
            if step.command:
                paper.command(step.command, indent=4)
    if known.others:
        some = ", ".join(each.label for each in known.others[:MOST_OTHERS])
        more = len(known.others) - MOST_OTHERS
        paper.blank()
        paper.text(f"Fails too: {some}{f' and {more} more' if more > 0 else ''}")


def _remembered(paper: Paper, found: Remembered) -> None:
    if found.failures or found.runbooks:
        paper.heading("REMEMBERED")
    for each in (*found.failures, *found.runbooks):
        paper.text(each.title, indent=2, first="- ")
        paper.text(each.source, indent=4)
    for note in found.notes:
        paper.text(note, first="Note: ")


def _sentence(paper: Paper, sentence: Sentence, *, first: str = "") -> None:
    cited = f" [{', '.join(sentence.citations)}]" if sentence.citations else ""
    paper.text(f"{sentence.text}{cited}", indent=2, first=first)


def _answer(paper: Paper, concluded: Concluded, reply: ModelReply, *, said: Sequence[str]) -> None:
    answer = reply.answer
    if not said:
        _rules_that_stand(paper, concluded.contradicts)
    _what_it_says(paper, concluded, said=said)
    by = f"by {reply.model} in {reply.milliseconds / 1000:.1f} s"
    # Against sure rules it is no surer than they leave room for, which is no figure of its own.
    sure = "" if concluded.contradicts else f"Sure: {answer.confidence} %; "
    paper.text(f"{sure}{by}" if sure else f"Said {by}", indent=2)
    if reply.suspicious:
        where = ", ".join(reply.suspicious)
        paper.text(f"Text that reads like an instruction was left out of {where}.", indent=2)
    if said:
        _rules_that_stand(paper, concluded.contradicts)
    paper.heading("RESTS ON")
    for piece in concluded.request.evidence if concluded.request is not None else ():
        if piece.id in concluded.citations:
            paper.text(f"{piece.kind} {piece.source}", indent=2, first=f"{piece.id:<4}")
            paper.text(_shortened(piece.text.strip()), indent=6)
    if answer.remediation:
        paper.heading("IT PROPOSES")
        for number, fix in enumerate(answer.remediation, start=1):
            title = f"{fix.title} (risk: {str(fix.risk).lower()})"
            paper.text(title, indent=2, first=f"{number}. ", bold=True)
            if fix.command:
                paper.command(fix.command, indent=5)


def _shortened(text: str) -> str:
    """The beginning of a long text, without half of a word; whole where hardly more is left."""
    if len(text) <= LONGEST_EVIDENCE + LEFT_OVER:
        return text
    cut = text[: whole_until(text, LONGEST_EVIDENCE)]
    between = max(cut.rfind(" "), cut.rfind("\n"))
    if between > LONGEST_EVIDENCE - LEFT_OVER and not text[len(cut)].isspace():
        cut = cut[:between]
    return f"{cut.rstrip()} [...]"


def _what_it_says(paper: Paper, concluded: Concluded, *, said: Sequence[str]) -> None:
    """All of it where nothing was told yet or something was withdrawn, else what was not told."""
    if not said:
        paper.heading("ANSWER")
    if concluded.withdrawn:
        paper.heading("CORRECTED", colour="yellow")
    for each in concluded.sentences:
        if concluded.withdrawn or each.text not in said:
            # A cause that comes after its explanation is to be known for one.
            late = said and not concluded.withdrawn and each.part == "cause"
            _sentence(paper, each, first="The cause: " if late else "")
    for quote in concluded.quotes:
        paper.text(quote, indent=2, first="The log says: ")
    for text in concluded.withdrawn:
        paper.text(text, indent=2, first="Withdrawn: ")


def _rules_that_stand(paper: Paper, contradicted: Sequence[Matter]) -> None:
    if not contradicted:
        return
    paper.heading("RULES STAND", colour="red")
    told = "The model does not say what rules are sure of, so their cause stands:"
    paper.text(told, indent=2)
    for each in contradicted:
        about = f"{each.label} ({each.confidence} %): "
        paper.text(each.cause or each.summary, indent=2, first=about)


def _matter_document(matter: Matter, follows: Mapping[str, str]) -> dict[str, Any]:
    return {
        "target": matter.request.target,
        "namespace": matter.request.namespace,
        "reason": matter.request.reason,
        "fails": matter.fails,
        "summary": matter.summary,
        "rootCause": matter.cause,
        "confidence": matter.confidence,
        "decidedBy": matter.decided_by,
        "followsFrom": follows.get(matter.label),
    }


def _reply_document(concluded: Concluded, reply: ModelReply) -> dict[str, Any]:
    answer = reply.answer
    return {
        "model": reply.model,
        "category": str(answer.category) if answer.category is not None else None,
        "summary": answer.summary,
        "rootCause": answer.root_cause,
        "explanation": answer.explanation,
        "sentences": [
            {"part": each.part, "text": each.text, "citations": list(each.citations)}
            for each in concluded.sentences
        ],
        "quotes": list(answer.quotes),
        "confidence": answer.confidence,
        "contradicts": [each.label for each in concluded.contradicts],
        "citations": list(concluded.citations),
        "remediation": [
            {"title": fix.title, "command": fix.command, "risk": str(fix.risk)}
            for fix in answer.remediation
        ],
        "suspicious": list(reply.suspicious),
        "milliseconds": reply.milliseconds,
    }
