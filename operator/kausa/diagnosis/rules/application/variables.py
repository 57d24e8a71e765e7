"""A variable, setting or argument that a program needs and was not given, or cannot use."""

from __future__ import annotations

import re

from kausa.diagnosis.rules.application.idea import Idea, Look, Told, any_of
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category

__all__ = ["VARIABLE_IDEAS"]

_V = r"(?P<variable>[A-Za-z_][A-Za-z0-9_]{1,120})"
_UPPER = r"(?P<variable>[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){0,12})"
_Q = r"[\"'`\u2018\u2019\u201c\u201d]?"
_LACKS = (
    r"(?:is |are |was |must be |has |have |had |may )?(?:not |n't |n[o']t |never )(?:been |be "
    r")?(?:set|defined|provided|specified|found|configured|present|given|exist\w*|empty|blank)"
)
_MISSING = r"(?:is |are |was )?(?:missing|required|undefined|unset|empty|mandatory|null|blank)"
_ENVIRONMENT = r"(?:environment|env)(?:ment)?[ _-]?(?:var(?:iable)?s?)?"

_NAMED_VARIABLE = any_of(
    rf"\b{_ENVIRONMENT}:? {_Q}\$?\{{?{_V}\}}?{_Q}:? (?:{_LACKS}|{_MISSING})",
    rf"\b(?:missing|required|undefined|unset|undeclared|mandatory|expected|set|no|need|needs)(?: "
    rf"the| required| mandatory| an?)? {_ENVIRONMENT}(?: named| "
    rf"called)?[: (]{{1,3}}{_Q}\$?\{{?{_V}",
    rf"{_Q}\$?\{{?{_V}\}}?{_Q},? (?:{_LACKS}|{_MISSING})(?: in| as| from)?(?: the| "
    rf"an?)? {_ENVIRONMENT}",
    rf"\b{_ENVIRONMENT} (?:with (?:the )?name )?{_Q}{_V}{_Q} (?:does|do|could|can)(?: |n)",
    rf"\b(?:set|provide|specify|define|export)(?: the| a| an)? (?:{_ENVIRONMENT} "
    rf")?{_Q}\$?{_V}{_Q} (?:{_ENVIRONMENT}|env)",
    rf"required key {_V} missing value",
    rf"Could not resolve placeholder {_Q}(?P<variable>[\w.-]{{1,120}}){_Q}",
    rf"Cannot resolve (?:the )?{_ENVIRONMENT} {_Q}{_V}",
    rf"Set the {_V} {_ENVIRONMENT}",
    rf"\b{_V}: unbound variable",
    rf"\bparameter {_V} must be set",
    rf"\b{_V}: parameter (?:null or )?not set",
    rf"Missing required configuration {_Q}(?P<variable>[\w.-]{{1,120}})",
)
_UPPER_CASE = any_of(
    rf"\bKeyError: {_Q}{_UPPER}{_Q}",
    rf"key not found: {_Q}{_UPPER}",
    rf"{_Q}\$?\b{_UPPER}\b{_Q}:? (?:{_LACKS}|{_MISSING})",
    rf"(?:[Mm]issing|[Rr]equired|[Uu]ndefined|[Uu]nset)(?: required| mandatory)?(?: (?:setting|"
    rf"config|configuration|parameter|option|variable|value|key|property))?(?: "
    rf"for)?:? {_Q}\b{_UPPER}\b",
    rf"(?:[Pp]lease|[Mm]ust|[Nn]eed to) (?:set|provide|specify|define) (?:the "
    rf")?{_Q}\$?\b{_UPPER}\b",
    rf"\b{_UPPER}\n\s{{1,8}}(?:[Ff]ield required|none is not|[Ii]nput should)",
    rf"\[\s{{0,4}}'{_UPPER}'\s{{0,4}}\].{{0,80}}[Rr]equired",
    rf"\"path\":\s{{0,8}}\[\s{{0,8}}\"{_UPPER}\"",
    rf"environ(?:ment)? variable {_UPPER}",
    rf"\bImproperlyConfigured: (?:Set the )?{_UPPER}\b",
    rf"\b{_UPPER}\b[: ]{{1,3}}[Rr]equired",
    flags=re.NOFLAG,
)
_NOT_A_VARIABLE = frozenset(
    {"ERROR", "FATAL", "PANIC", "WARN", "WARNING", "INFO", "DEBUG", "CRITICAL", "EXCEPTION", "JSON",
     "YAML", "HTTP", "HTTPS", "TLS", "SSL", "URL", "API", "SQL", "FILE", "TABLE", "COLUMN", "VALUE",
     "DATABASE", "USER", "ID", "EOF", "NOT", "HOST", "DNS", "TCP", "GET", "POST", "CONFIG", "KEY"}
)  # fmt: skip
_LONE = frozenset(
    {"variable", "variables", "var", "vars", "is", "are", "not", "the", "named", "key"}
)


_OF_SETTINGS = re.compile(
    r"(?:\bnot|n't|\bnever|\bmust|\bto|\bplease|\bun)[ -]?(?:been |be )?(?:set|defined?|provided?|"
    r"specif(?:y|ied)|configured)\b|environ|\benv\b|\bvar(?:iable|s)?\b|config|\bsettings?\b|"
    r"Field required|Input should|none is not|\bpath\"?\s?:",
    re.I,
)
"""What is said of settings; `USD is missing` and `KeyError: 'USD'` are said of anything."""


def _of_settings(look: Look) -> Look:
    """A word of capitals alone is a variable where something speaks of settings."""

    def found(text: str) -> Told | None:
        told = look(text)
        if told is None or "_" in told.get("variable", "") or _OF_SETTINGS.search(text):
            return told
        return None

    return found


def _variable(look: Look) -> Look:
    def found(text: str) -> Told | None:
        told = look(text)
        if told is None:
            return None
        name = told.get("variable", "")
        if not name or name.lower() in _LONE or name in _NOT_A_VARIABLE:
            return None
        return told

    return found


def _in_the_spec(told: Told, dossier: Dossier) -> Told:
    """Whether any container of the Pod sets the variable."""
    name = told["variable"]
    names = {
        each.name: tuple(variable.name for variable in each.env or ())
        for each in dossier.pod.spec.all_containers
    }
    having = [container for container, variables in names.items() if name in variables]
    near = _nearest(name, tuple(each for variables in names.values() for each in variables))
    spec = ""
    if having:
        spec = f"the Pod sets it for container {having[0]}, perhaps to nothing"
    elif near:
        spec = f"the Pod sets {near}, a name much like it"
    return {**told, "spec": spec[:1].upper() + spec[1:]}


def _nearest(name: str, names: tuple[str, ...]) -> str:
    """A variable that differs by its case or by `_` only, or by one letter."""
    plain = name.lower().replace("_", "")
    for each in names:
        other = each.lower().replace("_", "")
        if each != name and (plain == other or _one_apart(plain, other)):
            return each
    return ""


def _one_apart(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 4:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return True
    if len(one) == len(other):
        return one[start + 1 :] == other[start + 1 :]
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer[start + 1 :] == shorter[start:]


_WANTS = (
    "The program reads its settings from variables when it starts, and gives up without this one."
)

VARIABLE_IDEAS: tuple[Idea, ...] = (
    *(
        Idea(
            rule="application.variable-missing",
            category=Category.CONFIG,
            look=_variable(look),
            summary="container {container} needs the environment variable {variable}, which is "
            "not set",
            cause="The environment variable {variable}, which the program in container "
            "{container} requires, is missing (not set).<< {spec}.>>",
            explanation=_WANTS,
            advice="Set {variable} in the container's env, or in the ConfigMap or Secret that it "
            "takes its variables from",
            command="kubectl -n {namespace} get pod {pod} -o jsonpath={{.spec.containers[*].env}}",
            confidence=93,
            complete=_in_the_spec,
        )
        for look in (_NAMED_VARIABLE, _of_settings(_UPPER_CASE))
    ),
    Idea(
        rule="application.setting-missing",
        category=Category.CONFIG,
        look=any_of(
            r"(?:missing|required|undefined|unknown|invalid) (?:required )?(?:config(?:uration)?|"
            r"setting|property|parameter|option)(?: key| value| file)?(?: for)?:? "
            r"[\"'`](?P<setting>[\w.\[\]/-]{1,120})[\"'`]",
            r"(?:config(?:uration)?|setting|property|parameter|option)(?: key)? "
            r"[\"'`]?(?P<setting>[\w.\[\]/-]{2,120})[\"'`]? (?:is |was )?(?:missing|required|not "
            r"set|not defined|not found|must be set|undefined)",
            r"Failed to bind properties under '(?P<setting>[\w.\[\]-]{1,120})'",
            r"Failed to configure a DataSource: '(?P<setting>url)' attribute is not specified",
        ),
        summary="container {container} lacks the setting {setting}, or it is not valid",
        cause="The program in container {container} cannot use its configuration: the setting "
        "{setting} is missing or not valid.",
        explanation="It checks its configuration when it starts and gives up.",
        advice="Set {setting} rightly in the configuration of the container",
        command="kubectl -n {namespace} get configmaps",
        confidence=86,
    ),
    Idea(
        rule="application.value-invalid",
        category=Category.CONFIG,
        look=any_of(
            rf"(?:invalid|illegal|bad|unsupported|cannot parse|failed to parse|unable to parse) "
            rf"(?:value )?(?:for |of |in )?(?:{_ENVIRONMENT} "
            rf")?{_Q}(?P<variable>[A-Z][A-Z0-9]{{0,60}}"
            r"(?:_[A-Z0-9]{1,60}){1,12})\b",
            r"envconfig\.Process: assigning (?P<variable>\w{1,120}) to",
            r"(?:strconv\.\w{1,20}: parsing|invalid literal for int\(\)|NumberFormatException: "
            r"For input string:|could not convert string to float:) ?(?:with base 10: "
            r")?[\"'](?P<value>[^\"']{0,120})[\"']",
            flags=re.NOFLAG,
        ),
        summary="container {container} cannot use the value<< {value}>> of<< {variable}>> a "
        "setting",
        cause="The program in container {container} cannot read a value of its configuration<<: "
        "{variable}>><< (\u201c{value}\u201d is no number)>>.",
        explanation="The value has another form than the program expects.",
        advice="Correct the value in the configuration of the container",
        command="kubectl -n {namespace} get configmaps",
        confidence=78,
        weak=True,
    ),
)
