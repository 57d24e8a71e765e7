"""Secrets in commands: short options and arguments that have no name to go by, and SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kausa.evidence.redaction.pattern import Pattern
from kausa.evidence.redaction.values import is_prose, looks_like_value

__all__ = ["COMMANDS"]

# Between the words of a command: blanks, or what separates the items of a list.
_GAP: Final = r"(?:[ \t]{1,4}|\\{0,32}[\"'][ \t]{0,2},[ \t]{0,2}(?=\\{0,32}[\"']))"
_OPEN: Final = r"(?:\\{0,32}[\"'])?"
_ON: Final = r"[^\r\n|;]{0,200}?"
_USER: Final = rf"{_OPEN}[\w.@-]{{1,64}}"
_MYSQL: Final = "mysql|mysqldump|mysqladmin|mariadb|mariadb-dump"
_LOGIN: Final = "docker|podman|nerdctl|buildah|skopeo|crane|oras|helm registry|oc|az|argocd"
# What the shell fills in is no secret itself: `-p $(cat /run/secrets/x)`.
_VALUE: Final = r"(?!\$[({A-Za-z_])(?P<secret>[^\s\"'`\\|;]{1,256}+)"


def _command(program: str, option: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{program})(?![\w-]){option}{_OPEN}{_VALUE}")


# Programs, the option in front of the password, the syllable to look for, and what is accepted.
_OPTIONS: Final[tuple[tuple[str, str, tuple[str, ...], Callable[[str], bool]], ...]] = (
    # mysql takes the password glued to -p; with a blank it may be that, or a database.
    (_MYSQL, rf"{_ON}[ \t\"']-p", ("mysql", "mariadb"), bool),
    (_MYSQL, rf"{_ON}[ \t\"']-p{_GAP}", ("mysql", "mariadb"), looks_like_value),
    ("curl", rf"{_ON}[ \t\"'](?:-[uU]|--(?:proxy-)?user)(?:=|{_GAP})?{_USER}:", ("curl",), bool),
    ("sshpass", rf"{_GAP}{_OPEN}-p(?:{_GAP})?", ("pass",), bool),
    ("redis-cli", rf"{_ON}[ \t\"'](?:-a|--pass)(?:=|{_GAP})", ("redis-cli",), bool),
    (
        _LOGIN,
        rf"[^\r\n|;]{{0,80}}?login(?![\w-])[^\r\n|;]{{0,120}}?[ \t\"']-p(?:=|{_GAP})?",
        ("login",),
        bool,
    ),
    ("vault", r"[ \t]login[ \t](?:token=)?", ("login",), looks_like_value),
    (
        "echo|printf",
        r"[ \t](?=[^\r\n|]{1,300}\|[^\r\n]{1,80}login(?!\w))",
        ("login",),
        looks_like_value,
    ),
    (
        "htpasswd",
        rf"[ \t]-\w{{0,8}}b\w{{0,8}}[ \t](?:\S{{1,200}}[ \t])?{_USER}[ \t]{{1,4}}",
        ("pass",),
        looks_like_value,
    ),
    (r"ldap(?:search|modify|add|delete|whoami)", rf"{_ON}[ \t\"']-w(?:{_GAP})?", ("ldap",), bool),
    ("openssl", rf"{_ON}[ \t]-[kK][ \t]", ("openssl",), looks_like_value),
    ("requirepass|masterauth", r"[ \t]{1,4}", ("requirep", "auth"), looks_like_value),
    ("smbclient", rf"{_ON}[ \t\"']-U(?:{_GAP})?{_USER}%", ("smbclient",), bool),
    (
        "rabbitmqctl",
        r"[ \t](?:add_user|change_password|authenticate_user)[ \t]\S{1,64}[ \t]",
        ("rabbitmqctl",),
        bool,
    ),
)
_LITERAL: Final = re.compile(
    rf"--from-literal(?:=|{_GAP}){_OPEN}[\w.-]{{1,253}}=(?:\\{{0,32}}[\"'])?{_VALUE}"
)
_OPENSSL: Final = re.compile(rf"(?<![\w-])(?:-pass(?:in|out)?(?:=|{_GAP}){_OPEN}|=)pass:{_VALUE}")
_SQL: Final = re.compile(
    r"(?i)(?:identified[ \t]{1,4}(?:with[ \t]{1,4}\S{1,40}[ \t]{1,4})?by(?:[ \t]{1,4}password)?"
    r"|password(?:[ \t]{1,4}for[ \t]{1,4}\S{1,80})?)[ \t]{0,4}"
    r"(?:=[ \t]{0,4}|\([ \t]{0,4}|(?<=[ \t]))"
    r"(?:N?'(?:'(?=[^\s']))?|\"(?=[^\"\r\n]{1,256}\"))(?P<secret>[^'\"\r\n]{1,256}+)['\"]"
)


def _is_not_sentence(secret: str) -> bool:
    """Tell `PASSWORD 'x'` of SQL from a sentence that quotes nothing of worth."""
    return not is_prose(secret.split(" ", 1)[0])


COMMANDS: Final[tuple[Pattern, ...]] = (
    Pattern("password", _SQL, ("pass", "identified"), _is_not_sentence),
    Pattern("password", _OPENSSL, ("pass",)),
    Pattern("secret-data", _LITERAL, ("literal",)),
    *(
        Pattern("password", _command(program, option), hints, accept)
        for program, option, hints, accept in _OPTIONS
    ),
)
