"""Why the API server refuses what a controller creates: its messages, and what each is about.

A refusal is the same one as long as what refuses and what it is about stay the same; numbers, the
names of Pods and what else changes with every attempt are no part of that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.detection.fingerprint import normalise
from kausa.resources.category import Category

__all__ = ["REFUSALS", "Refusal", "RefusalShape", "is_passing", "parse_refusal"]

_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalShape:
    """One way to refuse: how it is told, and which of its words make it the same again."""

    name: str
    category: Category
    pattern: re.Pattern[str]
    same: tuple[str, ...] = ()
    """The groups of the pattern that two refusals of one failure share."""


# The first that matches decides: a webhook's own words may hold any of the others.
REFUSALS: tuple[RefusalShape, ...] = (
    RefusalShape(
        name="webhook-fails",
        category=Category.ADMISSION,
        pattern=re.compile(
            r'failed calling (?:admission )?webhook "(?P<webhook>[^"]{1,253})": (?P<why>.+)', re.S
        ),
        same=("webhook",),
    ),
    RefusalShape(
        name="webhook-denies",
        category=Category.ADMISSION,
        pattern=re.compile(
            r'admission webhook "(?P<webhook>[^"]{1,253})" denied the request'
            r"(?: without explanation|: (?P<why>.+))?",
            re.S,
        ),
        same=("webhook", "why"),
    ),
    RefusalShape(
        name="policy-denies",
        category=Category.ADMISSION,
        pattern=re.compile(
            r"ValidatingAdmissionPolicy '(?P<policy>[^']{1,253})' with binding "
            r"'(?P<binding>[^']{1,253})' denied request: (?P<why>.+)",
            re.S,
        ),
        same=("policy", "binding"),
    ),
    RefusalShape(
        name="pod-security",
        category=Category.ADMISSION,
        pattern=re.compile(
            r'violates PodSecurity "(?P<level>[^"]{1,100})"(?:: (?P<why>.+))?', re.S
        ),
        same=("level",),
    ),
    RefusalShape(
        name="security-context",
        category=Category.ADMISSION,
        pattern=re.compile(
            r"unable to validate against any (?P<what>security context constraint|"
            r"pod security policy):? ?(?P<why>.*)",
            re.S,
        ),
        same=("what",),
    ),
    RefusalShape(
        name="service-account",
        category=Category.ADMISSION,
        pattern=re.compile(
            rf"error looking up service account (?:{_NAME}/)?(?P<account>{_NAME})\b"
        ),
        same=("account",),
    ),
    RefusalShape(
        name="quota-exceeded",
        category=Category.QUOTA,
        pattern=re.compile(
            rf"exceeded quota: (?P<quota>{_NAME}), requested: (?P<requested>.+?), "
            r"used: (?P<used>.+?), limited: (?P<limited>[^\];]+)",
            re.S,
        ),
        same=("quota",),
    ),
    RefusalShape(
        name="quota-unspecified",
        category=Category.QUOTA,
        pattern=re.compile(
            rf"failed quota: (?P<quota>{_NAME}): must specify (?P<missing>[^\];]+)", re.S
        ),
        same=("quota", "missing"),
    ),
    RefusalShape(
        name="quota-scopes",
        category=Category.QUOTA,
        pattern=re.compile(r"insufficient quota to match these scopes: (?P<scopes>.+)", re.S),
        same=("scopes",),
    ),
    RefusalShape(
        name="limit-range",
        category=Category.QUOTA,
        pattern=re.compile(
            r"(?P<bound>maximum|minimum) (?P<resource>\S{1,100}) usage per (?P<per>\w{1,63}) is "
            r"(?P<allowed>\S{1,40}?)(?:, but (?P<field>limit|request) is (?P<asked>[^\s,\]]{1,40})|"
            r"\.\s+No (?P<unset>limit|request) is specified)"
        ),
        same=("bound", "resource", "per"),
    ),
    RefusalShape(
        name="limit-ratio",
        category=Category.QUOTA,
        pattern=re.compile(
            r"(?P<resource>\S{1,100}) max limit to request ratio per (?P<per>\w{1,63}) is "
            r"(?P<allowed>[^\s,]{1,40}), but (?:provided ratio is (?P<asked>[^\s,\]]{1,40})|"
            r"no request is specified|no limit is specified)",
            re.I,
        ),
        same=("resource", "per"),
    ),
    RefusalShape(
        name="priority-class",
        category=Category.ADMISSION,
        pattern=re.compile(rf"no PriorityClass with name (?P<wanted>{_NAME}) was found"),
        same=("wanted",),
    ),
    RefusalShape(
        name="runtime-class",
        category=Category.ADMISSION,
        pattern=re.compile(rf'RuntimeClass "(?P<wanted>{_NAME})" not found'),
        same=("wanted",),
    ),
    RefusalShape(
        name="not-permitted",
        category=Category.PERMISSION,
        pattern=re.compile(
            r'User "(?P<user>[^"]{1,253})" cannot (?P<verb>\w{1,30}) resource '
            r'"(?P<resource>[^"]{1,253})"'
        ),
        same=("user", "verb", "resource"),
    ),
    RefusalShape(
        name="invalid",
        category=Category.ADMISSION,
        pattern=re.compile(
            r'\b(?P<what>[A-Z]\w{1,62})(?:\.[\w.]{1,253})? "[^"]{0,253}" is invalid: (?P<why>.+)',
            re.S,
        ),
        same=("what", "why"),
    ),
    RefusalShape(
        name="cannot-adopt",
        category=Category.ROLLOUT,
        pattern=re.compile(r'cannot adopt (?P<what>\w{1,63}) "[^"]{1,253}": (?P<why>.+)', re.S),
        same=("what",),
    ),
    RefusalShape(
        name="api-server",
        category=Category.CONTROL_PLANE,
        pattern=re.compile(
            r"(?P<why>etcdserver: .{1,200}|context deadline exceeded|Client\.Timeout exceeded|"
            r"connection refused|Internal error occurred: .{1,200}|the server was unable to return "
            r"a response|Timeout: request did not complete)",
            re.S,
        ),
    ),
    RefusalShape(
        name="forbidden",
        category=Category.ADMISSION,
        pattern=re.compile(r"\bis forbidden: (?P<why>.+)", re.S),
        same=("why",),
    ),
)

LONGEST_READ = 2048
_THEIR_OWN_WORDS = frozenset({"webhook-fails", "webhook-denies", "policy-denies"})
_PASSING = re.compile(
    r"because it is being terminated|object is being deleted|already exists|"
    r"the object has been modified|not yet available|NamespaceTerminating",
    re.I,
)
_CREATED = re.compile(
    r"\b(?:pods?|persistentvolumeclaims?|replicasets?(?:\.apps)?|jobs?(?:\.batch)?) "
    r'"(?P<name>[^"]+)"',
    re.I,
)
_OF_SET = re.compile(
    r"^create (?:Pod|Claim) \S+ (?:for Pod \S+ )?in StatefulSet \S+ failed error: "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What one message says."""

    shape: str
    """Which of the shapes it has; empty where it has none of them."""
    category: Category
    detail: str
    """What makes it the same again."""
    quota: str | None = None
    """The ResourceQuota that is exhausted, where that is the reason."""


def is_passing(message: str) -> bool:
    """Whether this refusal only says that something else is still under way."""
    if _PASSING.search(message[:LONGEST_READ]) is None:
        return False
    return parse_refusal(message).shape not in _THEIR_OWN_WORDS


def parse_refusal(message: str) -> Refusal:
    """What a refusal is about; of one that is not known here, its words are what it is about."""
    message = message[:LONGEST_READ]
    for shape in REFUSALS:
        found = shape.pattern.search(message)
        if found is None:
            continue
        words = " ".join(found[group] or "" for group in shape.same)
        return Refusal(
            shape=shape.name,
            category=shape.category,
            detail=f"{shape.name} {_steady(words, message=message)}".strip(),
            quota=found["quota"] if shape.name == "quota-exceeded" else None,
        )
    return Refusal(
        shape="",
        category=Category.ROLLOUT,
        detail=_steady(_OF_SET.sub("", message), message=message),
    )


def _steady(words: str, *, message: str) -> str:
    """Without what every attempt has anew: numbers, and the name of what is created."""
    for found in _CREATED.finditer(message):
        words = words.replace(found["name"], "<name>")
    return normalise(words.removeprefix("Error creating: "))
