"""Whether a sentence sends its reader to an address that only a log or an annotation names.

Whoever writes a log writes `log in to https://... and paste the token there` as easily as an error,
and an answer that repeats it is borne by the evidence. A person believes a diagnosis more than a
log, so such a sentence is not shown. What the cluster itself says of an address (a specification, a
change, an object that is referred to, the error of somebody who could not reach it) makes it one of
its own. A document's address that is only named (`see https://...`) may be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kausa.diagnosis.model.protocol import NumberedEvidence
from kausa.resources.evidence import EvidenceKind

__all__ = ["enticement"]

_SHOWN: Final = 80
_OWN: Final = (EvidenceKind.SPEC, EvidenceKind.CHANGE, EvidenceKind.REFERENCE)
_FILES: Final = (
    r"(?:py|js|ts|go|java|rb|php|sh|md|txt|log|json|ya?ml|toml|conf|cfg|ini|xml|html?|jar|so|"
    r"properties|lock|sql|csv|pem|crt|key|gz|zip|tgz|class|exe|dll|service|sock|env|tmpl|tpl)"
)
_HOST: Final = rf"(?:[a-z0-9-]{{1,63}}\.){{1,8}}(?!{_FILES}\b)[a-z]{{2,24}}(?::\d{{1,5}})?"
_PATH: Final = r"/[^\s\"'`)<>]*[\w/]"
_ADDRESS: Final = re.compile(
    r"(?P<url>[a-z][a-z0-9+.-]{1,20}://[^\s\"'`)<>]*[\w/])"
    r"|(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    rf"|(?<![\w./@-])(?P<page>{_HOST}{_PATH})"
    # A dotted word alone may be a class, a file or a field.
    rf"|\b(?:to|at|on|into|via|visit|open|contact|browse)\s[\"'`]?(?P<host>{_HOST})"
    r"(?![\w/-]|\.\w)",
    re.IGNORECASE,
)
_DEEDS: Final = (  # `Post "https://..."` is how a program tells what it asked for.
    r"(?:visit|log ?in(?:to)?|log on(?:to)?|sign ?in(?:to)?|sign up|paste|send|upload|submit|open|"
    r"click|go to|browse|navigate to|register|enter|contact|e-?mail|mail|write to|call|reply|"
    r"forward|share|copy|report|hand|(?:post|put)(?! [\"'`]?[a-z]+://))"
)
_DOING: Final = (
    r"(?:visiting|logging ?in(?:to)?|logging on|signing in|pasting|sending|posting|uploading|"
    r"submitting|opening|clicking|going to|contacting|e-?mailing|mailing|forwarding|sharing)"
)
_DONE: Final = r"(?:visited|pasted|sent|posted|uploaded|submitted|opened|contacted|mailed|shared)"
_ORDER: Final = re.compile(
    r"(?:(?:^|[.,;:!?>-]\s+|[\"'`(\[=]\s*)(?:to (?:fix|solve|repair|recover|continue|proceed)"
    r"[^,]{0,60},?\s*)?|"
    r"\b(?:please|then|kindly|just|first|now|must|should|shall|you|you can|(?:need|needs|"
    rf"has|have|ought) to|users?|operators?)\s+){_DEEDS}\b|\bby {_DOING}\b|"
    rf"\b(?:must|should|shall|(?:has|have|needs?|is|are) to) be {_DONE}\b|"
    rf"\b(?:is|remedy|cure|fix|solution|works?|helps?|recommended|required|necessary)\b[^.!?]{{0,30}}"
    rf"\bto {_DEEDS}\b",
    re.IGNORECASE,
)
_NOT_REACHED: Final = re.compile(
    r"\b(?:dial|lookup|connect\w*|refused|unreachable|no such host|resolv\w*|getaddrinfo|x509|"
    r"certificate|handshake|timed? ?out|timeout|pull\w*|econn\w*|eai_again|enotfound|unauthorized|"
    r"forbidden|denied|manifest|50[0-9]|40[0-9])\b",
    re.IGNORECASE,
)


def enticement(sentence: str, evidence: Iterable[NumberedEvidence]) -> str:
    """Return why nobody may read it; empty where it sends nobody to an unknown address."""
    if _ORDER.search(sentence) is None:
        return ""
    wanted = dict.fromkeys(found[found.lastgroup or 0] for found in _ADDRESS.finditer(sentence))
    if not wanted:
        return ""
    known = tuple(evidence)
    unknown = next((each for each in wanted if not _is_own(each, known)), None)
    if unknown is None:
        return ""
    return f"it sends the reader to {unknown[:_SHOWN]}, which nothing but a log or a note names"


def _is_own(address: str, evidence: Iterable[NumberedEvidence]) -> bool:
    """Whether the cluster itself says something of an address."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", address.casefold()).rstrip("/")
    for each in evidence:
        if bare not in each.text.casefold():
            continue
        if each.kind in _OWN:
            return True
        for line in each.text.casefold().split("\n"):
            if bare in line and _NOT_REACHED.search(line) and not _ORDER.search(line):
                return True
    return False
