r"""Secrets that give themselves away by their own shape, whatever stands around them.

Every expression is linear in the length of the text. Three habits keep it so: a start is only
possible at a boundary that the repeated class can't cross, runs are possessive (`++`), and what
may cross such a boundary is bounded. A row's hints are lower-case words of which one must be in
the text, so that a clean line costs a few substring searches.

A token is often glued to an escape: in `"key:\neyJ..."` the character before it is a letter. The
boundary therefore also accepts the two characters of `\n`, `\r` and `\t`, and a colour code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from kausa.evidence.redaction.values import is_prose

__all__ = ["PATTERNS", "Pattern"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape of a secret; the group `secret` is what gets hidden."""

    kind: str
    regex: re.Pattern[str]
    hints: tuple[str, ...]
    accept: Callable[[str], bool] = bool


_START: Final = (
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])"
    r"|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm)|(?<=\x1b\[\d;\d\dm))"
)


def _token(kind: str, body: str, *hints: str) -> Pattern:
    return Pattern(kind, re.compile(f"{_START}(?P<secret>{body})", re.ASCII), hints)


def _tokens(rows: Iterable[tuple[str, str, tuple[str, ...]]]) -> tuple[Pattern, ...]:
    return tuple(_token(kind, body, *hints) for kind, body, hints in rows)


# A log line may start with its time; the lines of a key that is cut off must still be recognised.
_BREAK: Final = r"(?:\s|\\{1,4}[rn])"
_STAMP: Final = r"(?:\d{4}-\d\d-\d\d[T ][\d:.,]{8,20}(?:Z|[+-]\d\d:?\d\d)?[ \t])?"
_PEM: Final = re.compile(
    r"(?P<secret>-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:"
    # Whole: everything up to the end mark.
    r"(?:(?!-----(?:BEGIN|END))[\s\S]){0,16384}+-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
    # Cut off: as far as it looks like a key, and the short piece that ends the text.
    rf"|(?:{_BREAK}{{0,8}}+{_STAMP}(?:[A-Za-z0-9+/=]{{20,}}+|(?:Proc-Type|DEK-Info):[^\r\n\\]*+))*+"
    rf"(?:{_BREAK}{{0,8}}+{_STAMP}[A-Za-z0-9+/=]{{1,19}}+"
    r"(?=[ \t]*+(?:\Z|\r?\n|\\{1,4}[\"'rn]|[\"'])))?"
    r"))"
)

_QUOTE: Final = r"\\{0,4}[\"'`]"
# A placeholder of this kind reads like a header, and must not be taken for one.
_AUTHORIZATION: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_])(?<!\[redacted:)(?:proxy-)?authorization(?:{_QUOTE})?"
    rf"[ \t]*+[:=][ \t]*+(?:[\[(](?!redacted:))?(?:{_QUOTE})?"
    r"(?:(?:bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256)[ \t]++)?+"
    r"(?P<secret>[^\s\"'`,\\\[(][^\s\"'`,\\]*+)"
)
_BEARER: Final = re.compile(
    r"(?i)(?<![A-Za-z0-9_-])(?:bearer|basic)[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{8,}+)"
)
_COOKIE: Final = re.compile(
    rf"(?i)(?<![A-Za-z0-9_-])(?:set-)?cookie(?:{_QUOTE})?:[ \t]*+(?:{_QUOTE})?"
    r"(?P<secret>[\w.%-]{1,128}+=[^\r\n\"'`\\]++)"
)
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
_USER: Final = re.compile(r"[A-Za-z]?[a-z]{0,15}(?:[._-][a-z]{1,15}){0,4}\d{0,3}|[A-Z]{1,12}")
_GO_DSN: Final = re.compile(
    r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]++:(?P<secret>[^\s\"'`/]{1,256}?)@(?:tcp|udp|unix)\("
)
_SIGNATURE: Final = re.compile(
    r"(?i)(?:[?&, ]|&amp;|\\u0026)(?:sig|x-amz-signature|x-goog-signature|signature)="
    r"(?P<secret>[A-Za-z0-9%+/=_-]{16,}+)"
)
_SQL: Final = re.compile(
    r"(?i)(?:identified[ \t]{1,4}by|password)[ \t]{1,4}'(?P<secret>[^'\r\n]{1,256}+)'"
)
# `curl -u user:x`, `mysql -px`, `sshpass -p x`: short options have no name to go by.
_SHORT_OPTION: Final = re.compile(
    r"(?<![\w-])(?:curl(?![\w-])[^\r\n|;]{0,200}?[ \t]-u[ \t]{0,4}[\"']?[\w.@-]{1,64}:"
    r"|(?:mysql|mysqldump|mysqladmin|mariadb)(?![\w-])[^\r\n|;]{0,200}?[ \t]-p"
    r"|sshpass[ \t]{1,4}-p[ \t]{0,4}"
    r"|(?:docker|podman|nerdctl|buildah|skopeo|crane|oras|helm registry|oc)"
    r"[ \t]{1,4}(?:auth )?login(?![\w-])[^\r\n|;]{0,200}?[ \t]-p[ \t=]{0,4}[\"']?"
    r"|redis-cli(?![\w-])[^\r\n|;]{0,200}?[ \t](?:-a|--pass)[ \t=]{1,4}[\"']?)"
    r"(?P<secret>[^\s\"'`\\|;]{1,256}+)"
)
_DOCKER: Final = re.compile(
    rf"(?:{_QUOTE})auth(?:{_QUOTE})[ \t]*+:[ \t]*+(?:{_QUOTE})(?P<secret>[A-Za-z0-9+/=]{{8,}}+)"
)
_SLACK_HOOK: Final = re.compile(r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[\w/]{8,}+)")


def _is_credential(word: str) -> bool:
    """Tell `Bearer abc123...` from "Bearer authentication failed" and `Bearer realm=...`."""
    challenge = word.lower().startswith(("realm=", "error=", "scope=", "service=", "charset="))
    return not challenge and not re.fullmatch(r"[A-Za-z]?[a-z]*(?:[-_./][a-z]+)*[.]?", word)


def _is_no_user(word: str) -> bool:
    """Tell a token from a plain user name such as `git` or `x-access-token`."""
    return _USER.fullmatch(word) is None


def _is_not_prose(word: str) -> bool:
    return not is_prose(word)


def _is_not_sentence(secret: str) -> bool:
    """Tell `PASSWORD 'x'` of SQL from a sentence that quotes nothing of worth."""
    return not is_prose(secret.split(" ", 1)[0])


PATTERNS: Final[tuple[Pattern, ...]] = (
    Pattern("private-key", _PEM, ("private key",)),
    *_tokens(
        (
            ("jwt", r"eyJ[\w-]{6,}+\.eyJ[\w-]{4,}+(?:\.[\w-]*+)?", ("eyj",)),
            (
                "aws-key",
                r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
                ("akia", "asia", "abia", "acca"),
            ),
            ("gcp-key", r"AIza[\w-]{35}(?![\w-])", ("aiza",)),
            ("gcp-key", r"(?:ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+)", ("ya29.", "gocspx-")),
            (
                "github-token",
                r"(?:gh[pousr]_[A-Za-z0-9]{30,}+|github_pat_\w{22,}+)",
                ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
            ),
            (
                "gitlab-token",
                r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[\w.-]{20,}+",
                ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-"),
            ),
            ("slack-token", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}+", ("xox", "xapp-")),
            (
                "stripe-key",
                r"(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}+|whsec_[A-Za-z0-9+/=]{16,}+)",
                ("k_live_", "k_test_", "whsec_"),
            ),
            ("npm-token", r"npm_[A-Za-z0-9]{30,}+", ("npm_",)),
            ("pypi-token", r"pypi-AgE[\w-]{16,}+", ("pypi-age",)),
            (
                "model-key",
                r"sk-(?:(?:proj|svcacct|ant)-[\w-]{20,}+|[A-Za-z0-9]{32,}+)",
                ("sk-",),
            ),
            ("vault-token", r"hv[sbr]\.[\w-]{20,}+", ("hvs.", "hvb.", "hvr.")),
            ("docker-token", r"dckr_(?:pat|oat)_[\w-]{20,}+", ("dckr_",)),
        )
    ),
    Pattern("slack-token", _SLACK_HOOK, ("hooks.slack.com",)),
    Pattern("authorization", _AUTHORIZATION, ("authorization",), _is_not_prose),
    Pattern("authorization", _BEARER, ("bearer", "basic"), _is_credential),
    Pattern("cookie", _COOKIE, ("cookie",)),
    Pattern("url-password", _URL, ("://",)),
    Pattern("url-password", _URL_USER, ("://",), _is_no_user),
    Pattern("url-password", _GO_DSN, ("@tcp(", "@udp(", "@unix(")),
    Pattern("signature", _SIGNATURE, ("sig=", "signature=")),
    Pattern("password", _SQL, ("password", "identified"), _is_not_sentence),
    Pattern(
        "password", _SHORT_OPTION, ("curl", "mysql", "mariadb", "sshpass", "login", "redis-cli")
    ),
    Pattern("credential", _DOCKER, ("auth",)),
)
