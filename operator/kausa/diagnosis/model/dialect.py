"""Which of the optional fields of the OpenAI API a server takes, found out by being refused.

All who call themselves compatible know the messages, and differ in the rest: one knows no JSON
schema, another no usage in a stream, a third only its own name for the limit of tokens. A refusal
names the field, mostly. So the request begins with everything, and gives up what is refused, one
field at a time, and of the schema first the bounds in it, which some refuse. Once that was worth an
answer it stays so, and is said: a question that is refused for its length must not cost us the
schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from kausa.diagnosis.model.protocol import Message

__all__ = ["Dialect"]

_BOUNDS: Final = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"})
_BY_NAME: Final = frozenset({"properties", "$defs", "definitions"})
"""Where the keys of a schema are anybody's names, and the values schemas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a server wants to be asked."""

    constrained: Literal["json_schema", "unbounded_schema", "json_object"] = "json_schema"
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    usage: bool = True
    sampling: bool = True
    """Whether it lets others set temperature and seed."""
    effort: bool = True
    """Whether it knows `reasoning_effort`."""
    template: bool = True
    """Whether it takes `chat_template_kwargs`, the way of vLLM, SGLang and llama.cpp to keep a
    model from thinking; a model that can't think ignores it."""

    def body(
        self,
        *,
        model: str,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        think: bool,
        max_output_tokens: int,
    ) -> dict[str, Any]:
        """The request's body, streamed."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "stream": True,
            self.limit_field: max_output_tokens,
            "response_format": self._response_format(schema),
        }
        if self.usage:
            body["stream_options"] = {"include_usage": True}
        if self.sampling:
            body |= {"temperature": 0, "seed": 0}
        if think and self.effort:
            body["reasoning_effort"] = "medium"
        if not think and self.template:
            body["chat_template_kwargs"] = {"enable_thinking": False}
        return body

    def without(self, refusal: str, *, think: bool) -> Dialect | None:
        """The next simpler way after a refusal in these words; None if nothing is left to give up.

        A refusal that names nothing we know is blamed on what is the rarest of all: what no list of
        OpenAI's has, then the schema.
        """
        words = refusal.lower()
        if self.template and not think and ("chat_template" in words or "think" in words):
            return replace(self, template=False)
        if self.effort and think and ("reason" in words or "think" in words):
            return replace(self, effort=False)
        if self.usage and ("stream_options" in words or "include_usage" in words):
            return replace(self, usage=False)
        if self.limit_field == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, limit_field="max_completion_tokens")
        if self.sampling and ("temperature" in words or "seed" in words):
            return replace(self, sampling=False)
        if self.template and not think:
            return replace(self, template=False)
        if self.constrained == "json_schema":
            return replace(self, constrained="unbounded_schema")
        if self.constrained == "unbounded_schema":
            return replace(self, constrained="json_object")
        return None

    @property
    def given_up(self) -> tuple[str, ...]:
        """What the server does not take, in words for a person."""
        lost = []
        if self.constrained == "unbounded_schema":
            lost.append("lengths in JSON schemas: its answers may be longer than they should")
        if self.constrained == "json_object":
            lost.append("JSON schemas: its answers are JSON, checked only afterwards")
        if not self.usage:
            lost.append("usage in streams: tokens are estimated")
        if not self.sampling:
            lost.append("temperature and seed: a repeated question may get another answer")
        if not self.effort:
            lost.append("reasoning_effort: it thinks as much as it likes")
        if not self.template:
            lost.append("chat_template_kwargs: a model that thinks is not kept from it")
        return tuple(lost)

    def _response_format(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if self.constrained == "json_object":
            return {"type": "json_object"}
        kept = dict(schema) if self.constrained == "json_schema" else _unbounded(schema)
        named = {"name": "answer", "strict": True, "schema": kept}
        return {"type": "json_schema", "json_schema": named}


def _unbounded(schema: Any) -> Any:
    """The schema without what bounds lengths and numbers, which are checked afterwards anyway."""
    if isinstance(schema, list):
        return [_unbounded(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _BY_NAME and isinstance(value, Mapping):
            kept[key] = {name: _unbounded(each) for name, each in value.items()}
        elif key in {"enum", "const", "default", "required"}:
            kept[key] = value
        elif key not in _BOUNDS:
            kept[key] = _unbounded(value)
    return kept
