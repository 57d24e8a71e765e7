"""The model that `kausa ask` asks: one question of a person who waits."""

from __future__ import annotations

from kausa.diagnosis.model.answers import digest_of
from kausa.diagnosis.model.asking import OnSentence
from kausa.diagnosis.model.choosing import of_request
from kausa.diagnosis.model.models import Models
from kausa.diagnosis.model.protocol import ModelReply, ModelRequest

__all__ = ["AskedModel"]


class AskedModel:
    """The configured models, for one question of a person who waits."""

    def __init__(self, models: Models, *, forced: str | None, timeout_seconds: float) -> None:
        self._models = models
        self._forced = forced
        self._timeout_seconds = timeout_seconds

    async def __call__(self, request: ModelRequest, *, on_sentence: OnSentence) -> ModelReply:
        """Raises `ModelError`."""
        models = self._models
        choice = models.choice_for(of_request(request), forced=self._forced)
        choice = await models.available(choice)
        return await models.ask(
            choice,
            request,
            digest=digest_of(repr(request), choice),
            deadline_seconds=self._timeout_seconds,
            on_sentence=on_sentence,
        )
