"""Lines that are data: JSON objects and logfmt pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from kausa.evidence.logs.entry import Severity
from kausa.evidence.logs.severity import LEVELS
from kausa.evidence.logs.times import read_number, read_time

__all__ = ["as_json", "as_logfmt"]

_LEVEL_KEYS: Final = (
    "level", "severity", "lvl", "log.level", "loglevel", "levelname", "level_name", "@l", "s",
    "severity_text", "severitytext", "log_level", "priority",
)  # fmt: skip
_MESSAGE_KEYS: Final = (
    "msg", "message", "@m", "@message", "text", "body", "event", "log", "@mt", "short_message",
    "description", "reason",
)  # fmt: skip
_ERROR_KEYS: Final = (
    "error", "err", "exception", "@x", "error.message", "exc_info", "exception.message", "cause",
    "errormessage", "error_message", "errmsg", "stack_trace", "stacktrace", "error.stack_trace",
    "stack", "exc", "traceback", "full_message", "details", "detail", "attr",
)  # fmt: skip
_TIME_KEYS: Final = (
    "time",
    "ts",
    "timestamp",
    "@timestamp",
    "t",
    "@t",
    "date",
    "datetime",
    "asctime",
)
_INNER_KEYS: Final = (
    "message", "msg", "stack_trace", "stacktrace", "stack", "cause", "error", "reason", "name",
    "description", "type", "code", "errmsg", "$date",
)  # fmt: skip
_NESTS: Final = (
    "log",
    "error",
    "err",
    "exception",
    "fields",
    "data",
    "payload",
    "event",
    "jsonpayload",
)
_NUMBERS: Final = ((60, Severity.FATAL), (50, Severity.ERROR), (40, Severity.WARNING))
_PAIR: Final = re.compile(
    r"""(?<![^\s])([\w.@-]{1,64})=("(?:[^"\\]|\\.){0,8192}"|[^\s"]\S{0,4096}|)"""
)
_LOGFMT_START: Final = re.compile(r"[\w.@-]{1,64}=")
_ESCAPED: Final = re.compile(r'\\(["\\nt])')
_EMPTY: Final = frozenset({"", "null", "nil", "none", "false", "<nil>", "0", "{}", "[]"})


def as_json(text: str) -> dict[str, Any] | None:
    """The fields of a Header from a JSON object, or None where the text is none."""
    try:
        decoded = msgspec.json.decode(text.rstrip())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(decoded, dict):
        return None
    fields = _flat(decoded)
    level = _level(fields)
    message = next(_texts(fields, _MESSAGE_KEYS), "")
    error = next(_texts(fields, _ERROR_KEYS), "")
    return {
        "level": level,
        "message": message or error or text,
        "error": error if error != message else "",
        "time": _time(fields),
        "headed": True,
    }


def as_logfmt(text: str) -> dict[str, Any] | None:
    """The fields of a Header from `key=value` pairs, or None where the text is not made of them."""
    if _LOGFMT_START.match(text) is None:
        return None
    fields = {key.lower(): _unquoted(value) for key, value in _PAIR.findall(text)}
    if len(fields) < 2 or not any(
        key in fields
        for key in (*_LEVEL_KEYS, *_MESSAGE_KEYS, *_ERROR_KEYS, "caller", "ts", "time")
    ):
        return None
    message = next(_texts(fields, _MESSAGE_KEYS), "")
    error = next(_texts(fields, _ERROR_KEYS), "")
    level = _level(fields)
    if level is None and error:
        level = Severity.ERROR
    return {
        "level": level,
        "message": message or error or text,
        "error": error if error != message else "",
        "time": _time(fields),
        "headed": True,
    }


def _flat(decoded: Mapping[str, Any]) -> dict[str, Any]:
    """The object and, one level down, what stands under the usual names; outer names win."""
    fields: dict[str, Any] = {}
    for key, value in decoded.items():
        lowered = key.lower()
        fields.setdefault(lowered, value)
        if isinstance(value, Mapping) and lowered in _NESTS:
            for inner, below in value.items():
                if isinstance(inner, str):
                    fields.setdefault(f"{lowered}.{inner.lower()}", below)
                    if lowered not in ("error", "err", "exception"):
                        fields.setdefault(inner.lower(), below)
    return fields


def _level(fields: Mapping[str, Any]) -> Severity | None:
    for key in _LEVEL_KEYS:
        value = fields.get(key)
        if isinstance(value, str) and value.strip().lower() in LEVELS:
            return LEVELS[value.strip().lower()]
        if isinstance(value, int) and not isinstance(value, bool) and key != "s":
            return _numbered(value)
    return None


def _numbered(value: int) -> Severity:
    """The numbers of pino and bunyan; small ones are syslog's, where less is worse."""
    if value < 8:
        return (
            Severity.FATAL if value <= 2 else
            Severity.ERROR if value == 3 else
            Severity.WARNING if value == 4 else Severity.INFO
        )  # fmt: skip
    return next((severity for least, severity in _NUMBERS if value >= least), Severity.INFO)


def _texts(fields: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        text = _text(fields.get(key))
        if text:
            yield text


def _text(value: Any, *, depth: int = 3) -> str:
    if isinstance(value, str):
        return "" if value.strip().lower() in _EMPTY else value.strip()
    if isinstance(value, Mapping) and depth:
        for key in _INNER_KEYS:
            text = _text(value.get(key), depth=depth - 1)
            if text:
                deeper = _text(value.get("cause"), depth=depth - 1) if key != "cause" else ""
                return f"{text}\nCaused by: {deeper}" if deeper and deeper not in text else text
    if isinstance(value, list) and value and depth:
        if all(isinstance(each, str) for each in value[:50]):
            return "\n".join(value[:50])
        return _text(value[0], depth=depth - 1)
    return ""


def _time(fields: Mapping[str, Any]) -> datetime | None:
    for key in _TIME_KEYS:
        value = fields.get(key)
        if isinstance(value, Mapping):
            value = value.get("$date")
        if isinstance(value, str):
            found = read_time(value)
            if found is not None:
                return found
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            return read_number(float(value))
    return None


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), value[1:-1])
