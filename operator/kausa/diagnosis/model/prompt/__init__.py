"""The prompt: a versioned template, evidence as fenced data, within a budget of tokens."""

from __future__ import annotations

from kausa.diagnosis.model.prompt.building import Prompt, build_prompt, least_budget
from kausa.diagnosis.model.prompt.template import VERSION
from kausa.diagnosis.model.prompt.tokens import TokenCounter, load_counter

__all__ = ["VERSION", "Prompt", "TokenCounter", "build_prompt", "least_budget", "load_counter"]
