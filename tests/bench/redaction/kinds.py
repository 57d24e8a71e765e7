"""All kinds of secrets that are planted."""

from __future__ import annotations

from bench.redaction.keys import KEYS
from bench.redaction.named import NAMED
from bench.redaction.secret import Maker
from bench.redaction.tokens import TOKENS
from bench.redaction.wholes import WHOLES

__all__ = ["KINDS"]

KINDS: dict[str, Maker] = {**KEYS, **TOKENS, **NAMED, **WHOLES}
