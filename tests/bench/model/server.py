"""A model server that is slow and always says that it cannot tell. It notes who was asked about."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field

from aiohttp import web
from support.fake_model_server import FakeModelServer

__all__ = ["MODEL", "OUTPUT_TOKENS", "PROMPT_TOKENS", "Question", "SlowModel"]

MODEL = "tiny"
PROMPT_TOKENS, OUTPUT_TOKENS = 4_000, 300
_TARGET = re.compile(r"^Target: Deployment/(\S+)$", re.MULTILINE)
_EVIDENCE = re.compile(r"^(E\d+) \| .*\n<<\w+>>\n(.{20,})", re.MULTILINE)
_MOST_SAID = 180


def _answer(asked: str) -> str:
    """It says again what the first evidence says, which that bears, and that nothing follows."""
    found = _EVIDENCE.search(asked)
    evidence, said = (found[1], found[2]) if found else ("E1", "There is no evidence.")
    if len(said) > _MOST_SAID:
        # Half a name, or a number without what it counts, is borne by nothing.
        begun = said[:_MOST_SAID]
        said = begun.rpartition(", ")[0] or begun.rpartition(" ")[0] or begun
    return json.dumps(
        {
            "category": "Undetermined",
            "summary": said,
            "rootCause": said,
            "explanation": said,
            "confidence": 10,
            "citations": [evidence],
            "remediation": [],
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question that came over the wire."""

    about: str
    """The name of the Deployment."""
    at: float
    """When it came, of the monotonic clock."""
    turns: int
    """How many messages it has: a repair has the answer and what was wrong with it as well."""
    text: str = field(repr=False)
    """What was asked, without the template."""


class SlowModel:
    """Ollama's API over a real connection; an answer takes `seconds`."""

    def __init__(self, *, seconds: float) -> None:
        self.server = FakeModelServer("ollama")
        self.server.script = [self._answer]
        self._seconds = seconds
        self.questions: list[Question] = []
        self.answered = 0
        self.at_once = 0
        self.most_at_once = 0

    @property
    def tokens(self) -> int:
        """What all answers have used."""
        return self.answered * (PROMPT_TOKENS + OUTPUT_TOKENS)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        messages = (await request.json())["messages"]
        asked = messages[1]["content"]
        found = _TARGET.search(asked)
        about = found[1] if found else ""
        self.questions.append(
            Question(about=about, at=time.monotonic(), turns=len(messages), text=asked)
        )
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.at_once -= 1
        self.answered += 1
        end = self.server.line(
            {
                "model": MODEL,
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "stop",
                "prompt_eval_count": PROMPT_TOKENS,
                "eval_count": OUTPUT_TOKENS,
            }
        )
        return await self.server.streams([self.server.piece(text=_answer(asked)), end])(request)
