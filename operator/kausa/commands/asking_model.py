"""The model that `kausa ask` asks: one question of a person who waits."""

from __future__ import annotations

from dataclasses import replace

from kausa.diagnosis.errors import ModelMissing
from kausa.diagnosis.model.answers import digest_of
from kausa.diagnosis.model.asking import OnSentence
from kausa.diagnosis.model.choosing import Choice, of_request
from kausa.diagnosis.model.deciding import is_simple, most_confident
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest

__all__ = ["AskedModel"]


class AskedModel:
    """The configured models, for one question of a person who waits."""

    def __init__(
        self,
        models: Models,
        *,
        forced: str | None,
        timeout_seconds: float,
        would_pull: bool = False,
    ) -> None:
        """`forced`: what --model names. `would_pull`: whether the settings want a missing model
        pulled, which takes longer than a person waits for an answer.
        """
        self._would_pull = would_pull
        self._models = models
        self._forced = forced
        self._timeout_seconds = timeout_seconds

    async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
        """Raises `ModelError`."""
        models = self._models
        if self._forced is not None and not models.names.allows(self._forced):
            raise ModelMissing(
                f"--model names {self._forced}, which KAUSA_MODEL_ALLOWED does not list, so it is "
                "not asked: name one that it lists, or leave --model out"
            )
        choice = models.choice_for(of_request(request), forced=self._forced)
        choice = await self._available(choice)
        reply = await models.ask(
            choice,
            request,
            digest=digest_of(repr(request), choice),
            deadline_seconds=self._timeout_seconds,
            on_sentence=on_sentence,
        )
        most = most_confident(simple=is_simple(choice.model, simple=models.names.simple))
        answer = reply.answer
        return replace(reply, answer=replace(answer, confidence=min(answer.confidence, most)))

    async def _available(self, choice: Choice) -> Choice:
        try:
            return await self._models.available(choice)
        except ModelMissing as error:
            if not self._would_pull:
                raise
            raise ModelMissing(
                f"{str(error).rstrip('.')}. `kausa ask` pulls none, whatever KAUSA_MODEL_PULL "
                "says: that is for the operator"
            ) from error
