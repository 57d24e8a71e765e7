"""How instructions to a model are worded, by what they are after.

Each is written for text in lower case, in one line. They were held against the logs and events of
real failures: a pattern that found an honest line there was narrowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["INSTRUCTION", "PATTERNS"]

_ANY: Final = r"[^.!?]{0,60}?"
# Where an order begins, rather than a report of one: `failed to send the token` is none.
_ORDER: Final = (
    r"(?:^|[:;,.!?\]>)\"'(#*=-]\s*|\b(?:please|then|and|now|must|should|shall|always|just|first|"
    r"also|"
    r"instead|you|important|urgent|task)\s+)"
)
_RULES: Final = (
    r"(?:instructions?|rules?|prompts?|directions?|directives?|guidelines?|constraints?|context|"
    r"evidence|schema|polic(?:y|ies)|orders|told|findings?|restrictions?|safety|said|messages?)"
)
_MODEL: Final = (
    r"(?:ai|a\.i\.|llms?|language models?|assistants?|chatbots?|copilots?|gpt|models?|kausa|"
    r"diagnos(?:er|tician)|analy[sz]er|bots?|agents?|claude|llama|qwen|deepseek)"
)
_FIELDS: Final = (
    r"(?:root ?cause|rootcause|citations?|remediations?|confidence|category|summary|explanation|"
    r"diagnosis|schema|json|answers?|repl(?:y|ies)|responses?|output|verdict|conclusion)"
)
_LANGUAGE: Final = (
    r"(?:german|french|spanish|italian|portuguese|chinese|mandarin|japanese|korean|russian|arabic|"
    r"dutch|polish|turkish|latin|hindi|klingon|esperanto|deutsch|pirate(?: speak| language)?|"
    r"emojis?|"
    r"rhymes?|verse|base ?64|rot ?13|morse(?: code)?|hex(?:adecimal)?|pig latin|upper ?case|"
    r"haikus?|"
    r"poems?|xml|yaml|markdown|html|swedish|czech|greek|hebrew|ukrainian|another language)"
)
_FINE: Final = (
    r"(?:healthy|resolved|all good|all clear|no (?:failure|problem|issue|error|fault|action)s?|"
    r"not failing|a false (?:positive|alarm)|nothing (?:is )?wrong|working as (?:intended|"
    r"expected)|"
    r"everything (?:is )?(?:ok|fine|healthy|works)|perfectly fine|works? (?:fine|perfectly))"
)
_SECRETS: Final = (
    r"(?:secrets?|tokens?|passwords?|credentials?|api.?keys?|environment variables?|env vars?|"
    r"kubeconfigs?|service ?accounts?|system prompt|prompt|instructions?|configuration|"
    r"everything (?:above|you)|the evidence|all evidence|private keys?|certificates?)"
)
_TOOLS: Final = (
    r"(?:kubectl|curl|wget|bash|sh|rm|helm|nc|ncat|python3?|sudo|docker|eval|nsenter|chmod|"
    r"this command|the (?:following )?command|following commands?|script)"
)

# Ignore what you were told.
_IGNORE: Final = (
    rf"\b(?:ignore|disregard|forget|override|overrule|bypass|skip|drop|discard|neglect|"
    rf"do not follow|"
    rf"don'?t follow|stop following|cancel|void|supersedes?)\b{_ANY}\b"
    rf"(?:previous|prior|preceding|above|earlier|all|your|these|those|any|other|former|every|"
    rf"initial|original|system|the other)\b{_ANY}\b{_RULES}\b",
    r"\b(?:ignore|disregard|forget) (?:everything|all that|what(?:ever)?|anything|the (?:above|"
    r"rest|"
    r"rules|schema|evidence|instructions|other))\b",
    r"\b(?:new|updated|real|actual|revised|changed|following|secret|hidden|higher.priority|"
    r"overriding|special|additional|final|true) (?:system )?(?:instructions?|rules?|tasks?|"
    r"directives?|orders?|prompts?|objectives?|goals?)\b(?= *[:\-]| (?:for|from|is|are|apply|"
    r"follow))",
    r"\b(?:system|developer|initial|hidden) (?:prompt|message|instructions?)\b",
    r"\b(?:jailbreak|prompt injection|dan mode|developer mode|god mode|admin mode|"
    r"debug mode for)\b",
    r"\b(?:no longer|not) bound by\b|\bwithout (?:any )?(?:restrictions|rules|filters)\b",
)
# Roles, and marks of a conversation.
_ROLES: Final = (
    r"(?:^|[\]\"'>#*-] *)(?:system|assistant|developer|human|user|ai) *(?:override|message|note|"
    r"prompt)? *[:>](?!:)(?= *[a-z\"'\[<])(?! *\w+=)(?=.*\b(?:you|your|ignore|the cause|answer|"
    r"root|"
    r"respond|report|mark|say|set|output|is healthy|must|cite|use|reply|do|run)\b)",
    r"<\|[a-z_]+\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|</?(?:system|assistant|"
    r"evidence|data|"
    r"instructions?|prompt|user|rules)>",
    r"#{2,} *(?:system|instructions?|assistant|response|human|user|rules|new|end)\b",
    r"\byou are (?:now|no longer|not a|from now)\b|\bfrom now on\b|\bas an ai\b|\brole.?play|"
    r"\bpretend (?:to be|that|you)|\b(?:act|behave|speak|talk|write|answer) (?:as (?:if|an?|the|"
    r"my)|"
    r"like (?:an?|my))\b|\bimagine (?:that )?you|\byou are (?:an?|the|my) (?:[\w-]+ ){0,4}"
    rf"(?:{_MODEL}|pirate|poet|hacker|admin(?:istrator)?|character|expert|engineer|shell|terminal|"
    r"linux|actor|narrator|grandmother|doctor|cluster.admin|oracle)\b|\byour (?:new )?(?:role|"
    r"persona|"
    r"name|job|task|character|identity) (?:is|will|has)\b|\bstay in character\b|\blet'?s play\b",
)
# Spoken to a model.
_ADDRESS: Final = (
    rf"\b(?:dear|hey|hi|hello|attention|note (?:to|for)|messages? (?:to|for)|"
    rf"instructions? (?:to|for)|"
    rf"reminder (?:to|for)|listen)\b,? (?:the |any |all |an? |this |every |whichever |"
    rf"my )?{_MODEL}\b",
    rf"(?:^|[.!?:;] *)(?:to )?(?:the |any |all |this )?{_MODEL} *(?:reading this|that reads|"
    rf"who reads|"
    rf"processing this|must|should|shall|has to|have to|will now|analy[sz]ing this|"
    rf"[,:] *(?:please|"
    rf"you|ignore|say|report|answer|the|do|mark|set|run|tell|cite|reply|respond|output|return))",
    rf"\b(?:if|when|since) you(?:'re| are) (?:an? |the )?{_MODEL}\b|\b{_MODEL} reading this\b",
)
# The language or the form of the answer.
_FORM: Final = (
    rf"\b(?:answer|reply|respond|write|speak|output|summari[sz]e|explain|translate|say|give|use|"
    rf"return|express|phrase|encode|switch|continue|format)\b{_ANY}\b(?:in|into|to|as|with|only|"
    rf"using) "
    rf"(?:only )?{_LANGUAGE}\b",
    rf"\b(?:use|speak|write|choose) (?:only )?{_LANGUAGE}\b|\bonly (?:speaks?|reads?|"
    rf"understands?) "
    rf"{_LANGUAGE}\b",
)
# What the answer has to say.
_ANSWER: Final = (
    rf"\b(?:mark|report|declare|classify|label|treat|consider|state|say|tell|claim|conclude|"
    rf"answer|"
    rf"return|respond|reply|diagnose|assume|write|confirm|describe|call)\b{_ANY}\b{_FINE}\b",
    rf"\b(?:workload|pod|deployment|container|application|service|cluster|this|it|status) is "
    rf"{_FINE}(?=.*\b(?:say|report|answer|close|ignore|no (?:further|need)|nothing)\b)",
    rf"{_ORDER}(?:set|put|write|make|change|replace|report|return|use|state|give|fill|leave|add|"
    rf"include|append|insert|rename|remove|omit|delete|emit|output|wrap|extend|name|keep|select|"
    rf"pick|"
    rf"choose|copy|cite)\b{_ANY}\b(?:the |your |an? |every |in |to |into |as |of )*\b{_FIELDS}\b",
    rf"\b(?:the|your|this) (?:real |true |actual |only |correct |final )?{_FIELDS} "
    rf"(?:must|should|shall|has to|have to|needs to|is to|will|ought to|can only)\b",
    r"\b(?:the|your) (?:real|true|actual|only|correct|official|final|verified) (?:root )?cause\b",
    r"[\"'{ ](?:rootcause|root_cause|citations|remediation|confidence|explanation|"
    r"category)[\"']? *:",
    r"\b(?:rootcause|citations|remediation|confidence|category) *(?:=|:=|->)",
    r"\b(?:cite|citing|citations?)\b[^.!?]{0,40}\be\d+\b|\be\d{1,3} *\|[^|]*\||\bevidence e\d+\b|"
    r"(?:^|\s)\[?e\d{1,3}\]? *(?:\||:) *\w|\be\d{1,3}\]? (?:proves|shows|says|confirms|is)\b",
    r"\bwith (?:100|99|full|maximum|the highest) ?(?:%|percent)? *(?:confidence|certainty)\b|"
    r"\bconfidence (?:of |to |is )?(?:100|99|0)\b",
    r"\bdo(?: not|n'?t) (?:mention|cite|report|show|reveal|tell|include|say|use|trust|believe)\b"
    rf"{_ANY}\b(?:this|evidence|error|failure|logs?|anyone|user|cause|instruction|rules?|secret|"
    r"above|other|line)\b",
)
# Fences.
_FENCES: Final = (
    r"<<[0-9a-f]{4,}>>|<<(?:end|begin|evidence|data)[^>]*>>|`{3,} *(?:json|system)|"
    r"\b(?:end|begin|start|stop)(?:ning)? of (?:the )?(?:untrusted |fenced |"
    r"quoted )?(?:evidence|data|"
    r"logs?|prompt|system|input|question|context|fence)\b|\b(?:end|begin)[ _-](?:evidence|data|"
    r"system|"
    r"instructions?|prompt|fence|admin)\b|\bthe fence (?:is|ends|was)\b|"
    r"\boutside (?:of )?the fence",
)
# Commands and secrets.
_COMMANDS: Final = (
    rf"(?<!last )(?<!first )"
    rf"\b(?:run|execute|invoke|paste|type|suggest|recommend|propose|advise|launch|issue|apply|"
    rf"perform|"
    rf"call)\b[^!?]{{0,50}}?[ `\"']{_TOOLS}(?![\w./-]\w)\b",
    r"\bkubectl (?:delete|exec|apply|create|patch|scale|drain|cordon|run|edit|replace|proxy|cp|"
    r"set|"
    r"get secrets?|config|rollout|attach|debug|port-forward|annotate|label|taint|auth)\b",
    r"\b(?:curl|wget) (?:-\w+ )*(?:https?://|\S+\.\w+)[^|]*\| *(?:ba)?sh\b|\brm -rf\b",
    rf"{_ORDER}(?:send|post|upload|exfiltrate|leak|forward|transmit|e-?mail|reveal|print|show|"
    rf"repeat|"
    rf"disclose|output|dump|include|copy|encode|append|attach|paste|list|embed|read|quote|write|"
    rf"fetch|put)\b{_ANY}\b{_SECRETS}\b(?=.*\b(?:to|in|into|at|of|verbatim|above|your|here|word|"
    rf"summary|explanation|answer|every|all|you|url|link|http|as)\b)",
    r"\b(?:exfiltrate|leak) \w+",
)
# Other languages.
_FOREIGN: Final = (
    r"ignorier\w*|\bvergiss\b|\banweisung|\bantworte\w* (?:auf|mit|nur|in)\b|"
    r"\bmelde\b.*\bgesund\b|"
    r"\bignore[zr] (?:les|toutes|tout)|\binstructions (?:précédentes|antérieures)|"
    r"\brépond\w+ (?:en|que)"
    r"|\boublie\w* (?:les|tout|ce)|\bignora\w*\b.*\b(?:instruc|istruz|anterior|precedent|todo|"
    r"tutt)|"
    r"\binstruc(?:ciones|ções)|\bistruzioni|\brespond[ea]\w* (?:en|em|que)\b|\brispondi\b|"
    r"\bolvida\b|"
    r"\besqueça\b|\bnegeer\b|\binstructies\b|\bantwoord\b|\bzignoruj|\binstrukcj|\bpolece(?:nia|"
    r"ń)|"
    r"\bodpowiedz\b|\byoksay|\btalimat|\byan\u0131t|\bignorera\b|\binstruktion|игнорир|инструкц|забудь|"
    r"ответ(?:ь|ь|ьте)|сообщи|忽略|无视|無視|指令|指示|回答して|回答|무시|지시|대답|تجاهل|التعليمات|أجب|"
    r"अनदेखा|निर्देश|αγνόησε|οδηγίες|ігноруй|התעלם",
)

PATTERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "ignore": _IGNORE,
    "roles": _ROLES,
    "address": _ADDRESS,
    "language": _FORM,
    "answer": _ANSWER,
    "fences": _FENCES,
    "commands": _COMMANDS,
    "foreign": _FOREIGN,
}
"""By what they are after."""

INSTRUCTION: Final = re.compile(
    "|".join(f"(?:{pattern})" for kind in PATTERNS.values() for pattern in kind)
)
