"""Secrets inside addresses: passwords of users, signatures, and hooks whose path is the secret."""

from __future__ import annotations

import re
from typing import Final

from kausa.evidence.redaction.pattern import Pattern
from kausa.evidence.redaction.randomness import is_random
from kausa.evidence.redaction.values import looks_like_value

__all__ = ["ADDRESSES"]

# `://` ends the run of the address before it, so that addresses in a row are scanned once each.
# The second form is for a password with a slash in it; `host:8080/path` is none.
_URL: Final = re.compile(
    r"(?<=[A-Za-z0-9])://(?!\[redacted:)[^\s:/?#@\"'`<>]*+:"
    r"(?P<secret>[^\s/?#\"'`<>]+(?=@)"
    r"|(?!\d{1,5}[/?#])(?:(?!://)[^\s\"'`<>@]){1,256}+(?=@))"
)
# A token may stand where the user does: `https://x9...@github.com`.
_URL_USER: Final = re.compile(
    r"(?<=[A-Za-z0-9])://(?!\[redacted:)(?P<secret>[^\s:/?#@\"'`<>]{1,512}+)(?=@)"
)
# Of `token:x-oauth-basic@` and `key:key@` the first part is the secret.
_URL_BEFORE: Final = re.compile(
    r"(?<=[A-Za-z0-9])://(?!\[redacted:)(?P<secret>[^\s:/?#@\"'`<>\[]{16,512}+)(?=:[^\s/@]{0,512}@)"
)
_USER: Final = re.compile(r"[A-Za-z]?[a-z]{0,15}(?:[._-][a-z]{1,15}){0,4}\d{0,3}|[A-Z]{1,12}")
_GO_DSN: Final = re.compile(
    r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]++:(?P<secret>[^\s\"'`/\\]{1,256}?)@(?:tcp|udp|unix)\("
)
# `app:x9@db:5432` without a scheme; `to:ann7@example.com` is mail and `api:v2@sha256:...` an image.
_AT_HOST: Final = re.compile(
    r"(?<![\w.@/%-])(?!(?:user|username|email|e-mail|mail|mailto|from|to|cc|bcc|sip|login|account|"
    r"owner|author|by|contact|npm|xmpp|acct|upn|principal|subject|sub)[:=])"
    r"[\w.-]{1,64}+:(?P<secret>[^\s:/@\"'`<>,;(){}\[\]\\]{5,128}+)"
    r"@(?!sha\d)(?=[A-Za-z0-9][\w-]{0,63}(?:\.[A-Za-z0-9]|:\d|/[a-z]))"
)
_ORACLE: Final = re.compile(
    r"(?i)(?:jdbc:oracle:[a-z]{2,5}:|sqlplus[ \t](?:-\w{1,8}[ \t]){0,4})[\w.$]{1,64}+/"
    r"(?P<secret>[^\s\"'`@]{1,128}+)@"
)
_SIGNATURE: Final = re.compile(
    r"(?i)(?:[?&, ]|&amp;|\\u0026)(?:sig|x-amz-signature|x-goog-signature|signature)="
    r"(?P<secret>[A-Za-z0-9%+/=_-]{8,}+)"
)
_SLACK_HOOK: Final = re.compile(
    r"hooks\.slack\.com\\?/(?:services|workflows|triggers)\\?/(?P<secret>[\w/\\-]{8,}+)"
)
_HOOK: Final = re.compile(
    r"(?:discord(?:app)?\.com\\?/api\\?/(?:v\d+\\?/)?webhooks\\?/\d{1,24}\\?/"
    r"|webhook\.office\.com\\?/webhookb2\\?/|hooks\.zapier\.com\\?/hooks\\?/catch\\?/"
    r"|outlook\.office\.com\\?/webhook\\?/)(?P<secret>[\w@/\\.-]{8,}+)"
)


def _is_no_user(word: str) -> bool:
    """Tell a token from a plain user name such as `git` or `x-access-token`."""
    return _USER.fullmatch(word) is None


ADDRESSES: Final[tuple[Pattern, ...]] = (
    Pattern("url-password", _URL, ("://",)),
    Pattern("url-password", _URL_USER, ("://",), _is_no_user),
    Pattern("url-password", _URL_BEFORE, ("://",), is_random),
    Pattern("url-password", _GO_DSN, ("@",)),
    Pattern("url-password", _AT_HOST, ("@",), looks_like_value),
    Pattern("url-password", _ORACLE, ("jdbc:", "sqlplus")),
    Pattern("signature", _SIGNATURE, ("sig",)),
    Pattern("slack-token", _SLACK_HOOK, ("hook",)),
    Pattern("webhook", _HOOK, ("hook",)),
)
