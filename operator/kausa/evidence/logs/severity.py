"""How bad a line is, where it carries no level: by its words.

What sounds bad and is not is taken out first: `0 errors`, `error=null`, `/error` in a path,
`timeout=30s`, and names such as `ErrorHandler`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kausa.evidence.logs.entry import Severity
from kausa.evidence.logs.overcome import gets_over_it

__all__ = ["LEVELS", "NUMBERED_LEVEL", "Judgement", "by_words", "numbers_matter"]

_LEVEL_WORDS: Final = {
    Severity.FATAL: "fatal ftl fata critical crit emergency emerg alert panic pani f",
    Severity.ERROR: "error err erro eror fail severe e",
    Severity.WARNING: "warning warn wrn w",
    Severity.INFO: "info information inf notice note debug dbug dbg trace trce trc verbose vrb "
    "config fine finer finest i d n success",
}
LEVELS: Final[dict[str, Severity]] = {
    word: severity for severity, words in _LEVEL_WORDS.items() for word in words.split()
}
"""The words of level fields, in lower case."""


class Judgement(NamedTuple):
    """How bad, and how surely the words tell a failure."""

    severity: Severity
    strength: int = 0


_LOOKED_AT: Final = 2048
_NOT_BAD: Final = re.compile(
    r"""
      \b(?:no|0|zero|without|any|non|ignor\w{1,4}|if|on|in[ ]case[ ]of|recover\w{0,6}[ ]from|for)
        [ -](?:\w{1,20}[ ]){0,2}(?:errors?|failures?|exceptions?|warnings?|panics?)\b(?![:=])
    | \b(?:errors?|failed|failures?|fail|err|exceptions?|warnings?|dropped|lost|missing|invalid
        |unreachable)
        (?:[_ -]?(?:count|total|rate|s))?["']?[ ]{0,4}[:=][ ]{0,4}
        (?:["']?(?:0(?:\.0+)?%?(?![\w.])|null\b|nil\b|none\b|false\b|<nil>|\[\]|\{\}|-(?!\w)|,|$)
        |""|'')
    | \b\w{0,20}time[-_ ]?outs?\w{0,20}["']?[ ]{0,4}[:=]{1,2}>?[ ]{0,4}["']?\d
    | (?:retry|timeout|deadline|grace|error|fail)[-_]?\w{0,12}[ ](?:set[ ]to|is|of)[ ]\d
    | (?<![\w.])(?:https?://|[\w.~-]{0,64}/)[\w./~%-]{0,256}?
        (?:error|fail|exception|fatal|panic|missing|invalid|unknown|denied)\w{0,32}[\w./~%-]{0,256}
    | \b[\w-]{0,40}(?:error|fail|failure|exception|panic|fatal|warn|crash)
        (?:[-_.]\w{1,40}|[-_]?(?:handl|page|report|log|rate|polic|count|mode|over|back|code
        |level|budget|track|collector|middleware|boundary|threshold|filter|resolver|mapper
        |controller|advice|view)\w{0,30})
    | (?<![\w.])(?:on|std|is|has|last|max|max_|with|use|print|log|get)[-_]?(?:err|error|fail)
        (?:or|ure|ed|s)?\b
    | \b\w{0,40}(?-i:On|on_)(?:Err|Fail|err|fail)\w{0,20}\b
    | \bfail(?:ed)?[ ]?(?:safe|fast|open)\b | \bdead[ -]?letter\b
    | \b(?:handles?|handling|handled|registered|registering|enabled?|enabling|configured)[ ]
        (?:\w{1,20}[ ])?(?:errors?|exceptions?|failures?)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FATAL: Final = re.compile(
    r"""
      ^\W{0,8}(?:panic|fatal(?:[ ]error)?|critical|abort(?:ed|ing)?)\b\W
    | \bfatal(?:[ ]error)?\s?:|\bfatal[ ]error\b|\buncaught\b|\bunhandled\b|\bpanicked[ ]at\b
    | \bpanic:
    | segmentation[ ]fault|\bsegfault\b|core[ ]dumped|stack[ ]overflow|\bassertion\b.{0,40}\bfailed
    | \b(?:application|server|service|app|startup|boot)[ ](?:startup[ ])?
        (?:failed[ ]to[ ]start|start-?up[ ]failed|startup[ ]failed)
    | \bfailed[ ]to[ ]start[ ]application
    | \bterminat(?:ed|ing)[ ](?:due[ ]to|because|with[ ](?:an?[ ])?(?:uncaught|error|exception))
    | \b(?:out[ ]of[ ]memory|outofmemoryerror|cannot[ ]allocate[ ]memory|heap[ ]out[ ]of)\b
    | \bterminate[ ]called\b|\b(?:exiting|quitting|aborting|giving[ ]up|shutting[ ]down)
        [ ](?:now[ ])?(?:due[ ]to|because|after|on|with)[ ](?:an?[ ])?(?:\w{1,20}[ ])?
        (?:error|failure|fatal|exception)
    | ^\S{0,8}illegal[ ]instruction|^bus[ ]error
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TELLING: Final = re.compile(
    r"""
      exec[ ]format[ ]error|command[ ]not[ ]found|^\S{0,64}sh:[ ].{1,200}:[ ]not[ ]found$
    | executable[ ]file[ ]not[ ]found|no[ ]such[ ]file[ ]or[ ]directory
    | \bunrecogni[sz]ed[ ](?:argument|option|command)|\bflag[ ]provided[ ]but[ ]not[ ]defined
    | \bunknown[ ](?:flag|option|command|argument|shorthand)
    | ^[\w./-]{1,64}:[ ]error:[ ]
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SURE: Final = re.compile(
    r"""
      \berrors?\b(?!\.\w)|\bERR!|\b\w{2,80}(?:Error|Exception)\b(?=[:(\s]|$)
    | \bexceptions?\b|\bfail(?:ed|ure|ures|s|ing)?\b|\bcannot\b|\bcan'?t\b|\bcould(?:[ ]not|n'?t)\b
    | \bunable[ ]to\b|\brefused\b|\bdenied\b|\bcrash(?:ed|ing)?\b|\bcorrupt(?:ed|ion)?\b
    | \bE(?:CONN[A-Z]{5,7}|NOTFOUND|TIMEDOUT|ADDR[A-Z]{5,8}|ACCES|NOENT|PERM|PIPE|AI_[A-Z]{4,6}
        |NOSPC|MFILE|HOSTUNREACH|NETUNREACH|NOTDIR|ISDIR|EXIST|ROFS|NOMEM|RESOLVE|INVAL|OF)\b
    | \babort(?:ed|ing)?\b|\bkilled\b
    | \bunreachable\b|\bno[ ]route[ ]to[ ]host|\breset[ ]by[ ]peer|\bbroken[ ]pipe
    | \bexit(?:ed)?[ ](?:with[ ])?(?:code|status)[ :=]{0,3}[1-9]|\brc=[1-9]
    | \bexit[ _]code["']?[ ]?[:=][ ]?[1-9]|\btraceback\b|\bdoes[ ]not[ ]exist\b|\bdoesn't[ ]exist
    | \bnot[ ]permitted\b|\bno[ ]space[ ]left|\btoo[ ]many[ ]open|\bin[ ]use\b(?=$|[:.])
    | \balready[ ]in[ ]use|\bconnection[ ](?:lost|closed[ ]unexpectedly|timed[ ]out|time-?out)
    | \blost[ ]connection|\bno[ ]such\b|\bhost[ ]not[ ]found|\bnot[ ]defined\b|\bNXDOMAIN\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WEAK: Final = re.compile(
    r"""
      \b(?:not[ ]found|missing|invalid|undefined|unknown|illegal|unexpected(?:ly)?|rejected|expired
    | unauthori[sz]ed|forbidden|unavailable|exceeded|exhausted|unresolved|unsupported|malformed
    | timed[ ]?out|time-?out|is[ ]required|must[ ](?:be|not|have)|not[ ]set|not[ ]allowed|bad|dead
    | mismatch|incompatible|violat(?:es?|ion)|insufficient|deadlock|overflow|dropped|lost|throttled
    | misconfigured|not[ ]configured|not[ ]provided|not[ ]specified|read-only[ ]file[ ]system)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MILD: Final = re.compile(
    r"\bwarn(?:ing)?s?\b|\bdeprecat\w{2,4}\b|\bretry(?:ing)?\b|\bslow\b|\bnot ready\b"
    r"|\bback-?off\b|\bdegraded\b|^\W{0,4}usage:|\bhigh latency\b|\" 5\d\d(?=[ ,]|$)",
    re.IGNORECASE,
)
_ANY: Final = re.compile(
    r"err|fail|fatal|panic|excep|unable|cannot|can'?t|could|refus|denied|crash|corrupt|abort|kill"
    r"|reach|route|reset|broken|exit|rc=|trace|exist|permit|space|too many|in use|lost|such|not "
    r"|fault|dump|overflow|assert|sh: |terminat|memory|heap|quit|giving up|shutting|unrecog"
    r"|unknown|flag|instruc|bus |missing|invalid|undefined|illegal|unexpec|reject|expire|unauth"
    r"|forbid|unavail|exceed|exhaust|unresolv|unsupp|malform|time|requir|must|bad|dead|mismatch"
    r"|incompat|violat|insuff|drop|throttl|misconf|read-only|warn|deprec|retry|slow|off|degrad"
    r"|usage|latency|unhandled|uncaught|application|NXDOM|\" 5"
    r"|\bE(?:AI|ADD|AC|NO|TI|PE|PI|MF|HO|NE|IS|EX|RO|RE|IN|OF)",
    re.IGNORECASE,
)
NUMBERED_LEVEL: Final = re.compile(rb"\"(?:level|severity|priority)\":\s?(\d{1,3})", re.IGNORECASE)
_ACCESS: Final = re.compile(rb"HTTP/[\d.]{1,3}\" (\d)\d\d\b")
_NUMBERS: Final = re.compile(
    rb"(?:\"level\"|\"severity\"|\bexit(?:ed)?\b|\brc\b|code|status|\berr\w{0,12}|\bfail\w{0,12}"
    rb"|\bexcep\w{0,12}|\bwarn\w{0,8}|missing|invalid|dropped|lost|\")[\"']?\s?(?:with\s)?"
    rb"(?:code|status)?\s?[=: ]\s?[\"']?(\d{1,6})"
    rb"|\b(\d{1,6})\s(?:\w{1,16}\s)?(?:err|fail|excep|warn|panic)",
    re.IGNORECASE,
)


def by_words(text: str) -> Judgement:
    """How bad a line without a level is.

    `strength` is 3 for words that nobody says of anything else, 2 for plain failure, 1 for words
    such as `missing` that may be harmless.
    """
    text = text[:_LOOKED_AT]
    if _ANY.search(text) is None:
        return Judgement(Severity.INFO)
    text = _NOT_BAD.sub(" ~ ", text)
    if _FATAL.search(text) is not None:
        return Judgement(Severity.FATAL, 3)
    judged = _of_a_failure(text)
    if judged is not None:
        return Judgement(Severity.WARNING, 1) if gets_over_it(text) else judged
    if _MILD.search(text) is not None:
        return Judgement(Severity.WARNING, 1)
    return Judgement(Severity.INFO)


def _of_a_failure(text: str) -> Judgement | None:
    if _TELLING.search(text) is not None:
        return Judgement(Severity.ERROR, 3)
    if _SURE.search(text) is not None:
        return Judgement(Severity.ERROR, 2)
    return Judgement(Severity.ERROR, 1) if _WEAK.search(text) is not None else None


def numbers_matter(line: bytes) -> bytes:
    """The numbers of a line that its severity may depend on: a level, an exit code, a count."""
    common = NUMBERED_LEVEL if line[:1] == b"{" else _ACCESS
    found = common.search(line, 0, _LOOKED_AT)
    if found is not None:
        return found[1]
    return b",".join(
        _class_of(first or second) for first, second in _NUMBERS.findall(line[:_LOOKED_AT])
    )


def _class_of(number: bytes) -> bytes:
    """A level of pino, the hundreds of an HTTP status; of all others only whether it is zero."""
    if len(number) in (2, 3) and number.isdigit():
        return number[:1] + b"0" * (len(number) - 1)
    return b"0" if not number.strip(b"0") else b"1"
