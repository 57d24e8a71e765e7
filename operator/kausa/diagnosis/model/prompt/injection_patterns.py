"""How instructions to a model are worded, by what they are after.

An order alone proves nothing: programs tell their readers to run, to set and to ignore all day
long. So each pattern wants what no program says to its operator as well: a model that is spoken to,
the answer that is to be given, or the instructions that are to be forgotten. Each is written for
text in lower case, in one line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kausa.diagnosis.model.prompt.injection_foreign import FOREIGN
from kausa.diagnosis.model.prompt.injection_reader import READER
from kausa.resources.category import Category

__all__ = ["ACROSS_LINES", "INSTRUCTION", "PATTERNS"]

_ANY: Final = r"[^.!?]{0,60}?"
# Where an order begins, rather than a report of one: `failed to send the token` is none.
_ORDER: Final = (
    r"(?:^|[:;,.!?\]>)\"'(#*=-]\s*|\b(?:please|then|and|now|must|should|shall|always|just|first|"
    r"also|only|instead|you|important|urgent|task)\s+)"
)
# What only a reader is given who answers.
_TOLD: Final = (
    r"(?:instructions?|prompts?|directions|directives?|guidelines?|constraints?|rules?|evidence|"
    r"(?:were|was|are|been) told|findings?|restrictions?|you said)"
)
# Nobody but a model is called so; `agent`, `model` and `bot` are programs, too.
_MODEL: Final = (
    r"(?:ai|a\.i\.|llms?|language models?|ai models?|ai assistants?|assistants?|chatbots?|"
    r"copilots?|chatgpt|gpt|kausa|claude)"
)
_OR_PROGRAM: Final = (
    rf"(?:{_MODEL}|models?|agents?|bots?|analy[sz]ers?|diagnos(?:er|tician)s?|llama|qwen|deepseek)"
)
# Parts of an answer that nothing else has, and those that are somebody's answer by their owner.
_OWN_FIELDS: Final = r"(?:root ?cause|root_cause|citations|remediations?|diagnosis|verdict)"
_YOUR_ANSWER: Final = (
    r"(?:(?:your|the json|the whole) (?:[\w-]+ )?(?:answers?|repl(?:y|ies)|responses?|"
    r"output|summary|explanation|category|confidence|conclusion))"
)
_OWN_ANSWER: Final = rf"(?:(?:the )?{_OWN_FIELDS}|{_YOUR_ANSWER})"
_ANSWER_ITSELF: Final = rf"(?:{_OWN_ANSWER}|the (?:answer|summary|explanation|conclusion))"
_TONGUE: Final = (
    r"(?:german|french|spanish|italian|portuguese|chinese|mandarin|japanese|korean|russian|arabic|"
    r"dutch|polish|turkish|latin|hindi|klingon|esperanto|deutsch|pirate(?: speak| language)?|"
    r"pig latin|swedish|czech|greek|hebrew|ukrainian|another language)"
)
_SHAPE: Final = rf"(?:{_TONGUE}|emojis?|rhymes?|verse|morse(?: code)?|haikus?|poems?)"
_FORMAT: Final = (
    rf"(?:{_SHAPE}|base ?64|rot ?13|hex(?:adecimal)?|upper ?case|xml|yaml|markdown|html)"
)
_FINE: Final = (
    r"(?:healthy|resolved|all good|all clear|no (?:failure|problem|issue|error|fault|action)s?|"
    r"not failing|a false (?:positive|alarm)|nothing (?:is )?wrong|working as (?:intended|"
    r"expected)|everything (?:is )?(?:ok|fine|healthy|works)|perfectly fine|"
    r"works? (?:fine|perfectly))"
)
_SECRETS: Final = (
    r"(?:secrets?|tokens?|passwords?|credentials?|api.?keys?|environment variables?|env vars?|"
    r"kubeconfigs?|service ?accounts?|system prompt|prompt|instructions|configuration|"
    r"everything (?:above|you)|evidence|private keys?|certificates?)"
)
# Commands that change what runs, or show what is secret. Every manual says `kubectl apply`.
_HARM: Final = (
    r"(?:kubectl (?:-\S+ )*(?:delete|exec|patch|scale|drain|cordon|edit|replace|cp|set|proxy|"
    r"get secrets?|rollout (?:restart|undo)|attach|debug|taint)\b|(?:curl|wget)\b[^|]{1,80}\||"
    r"rm -rf?\b)"
)

# Ignore what you were told.
_IGNORE: Final = (
    rf"\b(?:override|overrule|supersedes?|bypass|skip|drop|discard|cancel|void)\b{_ANY}\b"
    rf"(?:previous|prior|preceding|above|earlier|your|these)\b{_ANY}\b"
    rf"(?:instructions?|prompts?|directions|directives?|guidelines?|told)\b",
    rf"\b(?:ignore|disregard|forget|neglect|do not follow|don'?t follow|stop following)\b{_ANY}\b"
    rf"(?:previous|prior|preceding|above|earlier|all|your|these|those|any|other|former|every|"
    rf"initial|original|system|the other)\b{_ANY}\b{_TOLD}\b",
    r"\b(?:disregard|forget|ignore) (?:everything|anything|all that|all|what(?:ever)?) "
    r"(?:you|i|we|was said|were told|above|before)\b",
    r"\b(?:ignore|disregard|forget) (?:the |all )?(?:above|evidence|instructions|rules)"
    r"(?= and\b|[,;:]|\.? *$)",
    r"\b(?:ignore|disregard|forget) the (?:instructions|prompt|rules (?:above|before)|schema)\b",
    r"\b(?:new|updated|real|actual|revised|changed|secret|hidden|higher.priority|overriding|"
    r"special|additional|true) (?:system )?(?:instructions?|directives|prompts?)"
    r"(?: *[:\-]| (?:for|from|are|apply|follow)\b)",
    rf"\b(?:new|updated|real|revised|secret|overriding) (?:system )?(?:rules?|tasks?|orders?|"
    rf"objectives?|goals?) *[:\-] *(?:blame|answer|reply|respond|say|report|ignore|cite|call|mark|"
    rf"you\b|your\b|never|always|{_ANSWER_ITSELF})",
    r"\b(?:ignore|reveal|print|show|repeat|disregard|leak|output|tell|forget|quote|disclose|recite|"
    r"your)\b[^.!?]{0,30}\b(?:system|developer|initial|hidden) (?:prompt|message|instructions?)\b",
    r"\b(?:enter|switch to|you are (?:now )?in|activate) (?:dan|god|developer|jailbreak) mode\b",
    r"\byou(?:'re| are) (?:no longer|not) bound by\b|\bai without (?:any )?(?:restrictions|rules|"
    r"filters)\b",
)
# Roles, and marks of a conversation.
_ROLES: Final = (
    r"(?:^|[\]\"'>#*-] *)(?:system|assistant|developer|human|ai) *(?:override|message|note|prompt)?"
    r" *[:>](?!:)(?= *[a-z\"'\[<])(?! *\w+=)(?=.*(?:\byou are\b|\byour?\b.{0,40}\b(?:must|answer|"
    r"reply|report|say)|\bignore\b|\bthe (?:root )?cause\b|\banswer\b|\brespond (?:as|in|with)\b|"
    r"\bmark (?:it|this)\b|\bthe evidence\b|\b(?:must|always|only) (?:say|cite|reply)\b|"
    rf"\b(?:run|execute) {_HARM}))",
    r"< ?\|(?:im_)?(?:start|end)[a-z_]*\|> *(?:< ?\||system\b|user\b|assistant\b)|\[/?inst\]|"
    r"<</?sys>>|</(?:evidence|instructions?|prompt)>|</?(?:evidence|prompt)> *<|"
    r"</?(?:system|assistant)> *(?:say|answer|you|ignore|report|mark)\b",
    r"#{2,} *(?:system|instructions?|assistant|response|human) *:",
    r"\byou are (?:now|no longer|from now on) (?:an? |my |in character)|"
    r"\bfrom now on,? (?:you (?:will|must|are|shall|should|only) )?(?:only |always )?(?:reply|"
    r"answer|respond|speak|say|pretend|ignore|obey|behave|talk|act as)\b|"
    rf"\bas an ai\b(?:,|[^.!?]{{0,60}}\byou\b)|\bpretend (?:that )?you\b|\bpretend to be "
    r"(?:an?|the)\b|\b(?:speak|talk|answer|reply|respond) like (?:an?|my|the)\b|"
    rf"{_ORDER}(?:speak|talk|answer|reply|respond) as (?:if|an?|my)\b|"
    r"\b(?:act|behave) as (?:if you|my)\b|\bimagine (?:that )?you are\b|"
    rf"(?<!if )(?<!when )(?<!unless )\byou are (?:an?|my) (?:[\w-]+ ){{0,4}}(?:{_MODEL}|pirate|"
    r"poet|hacker|narrator|grandmother|oracle)\b|\byou are an? (?:helpful|honest|obedient|"
    r"unrestricted) \w+|\byour (?:new )?(?:role|persona|character) (?:is|will be) (?:to|now|the|"
    r"an?)\b|\byour (?:new )?(?:task|job) is to\b|\bstay in character\b|"
    r"\blet'?s (?:play a game|role.?play|pretend)\b",
)
# Spoken to a model.
_ADDRESS: Final = (
    rf"\b(?:dear|hey|hi|hello|attention|note (?:to|for)|messages? (?:to|for)|instructions? (?:to|"
    rf"for)|reminder (?:to|for)|listen)\b,? (?:(?:the |any |all |every |this |whichever |my )?"
    rf"{_MODEL}|(?:the |any |all |every |this |whichever ){_OR_PROGRAM})"
    rf"(?: *[:,!]| (?:reading|that reads|who reads|analy[sz]ing|diagnosing|processing)\b)",
    rf"(?:^|[.!?:;] *)(?:to )?(?:the |any |all |this )?{_MODEL} *(?:(?:must|should|shall|has to|"
    rf"have to|will now) (?:only |now |always )?(?:answer|ignore|say|report|conclude|cite|reply|"
    rf"respond|call|blame|mark)|[,:] *(?:please (?:say|answer|ignore|report|mark)|you (?:must|are|"
    rf"should|will)|ignore|say|report (?:that|this)|answer|mark (?:this|it)|cite|reply|respond)\b)",
    rf"\b(?:if|when|since) you(?:'re| are) (?:an? |the )?{_MODEL}\b(?! \w)|"
    rf"\b{_OR_PROGRAM} (?:that is |who is )?reading this\b",
)
# The language or the form of the answer.
_FORM: Final = (
    rf"{_ORDER}(?:answer|reply|respond|speak|talk|explain|summari[sz]e|conclude)\b"
    rf"[^.!?]{{0,30}}?\b(?:in|into|with|only|using) (?:only )?{_SHAPE}\b|"
    rf"{_ORDER}(?:answer|reply) (?:only |just )?in {_FORMAT}\b",
    rf"\b(?:write|translate|phrase|express|give|return|output|encode|format|say|put)\b{_ANY}\b"
    rf"{_ANSWER_ITSELF} (?:[\w]+ )?(?:in|into|to|as|using) (?:only )?{_FORMAT}\b",
    rf"{_ORDER}speak (?:only )?{_TONGUE}\b|\bonly (?:speaks?|reads?|understands?) {_TONGUE}\b",
)
# What the answer has to say.
_THIS_ONE: Final = (
    r"(?:(?:the|this|that) (?:[\w-]+ )?(?:workload|pod|deployment|container|failure|alert|incident|"
    r"service|application|cluster|case))"
)
_THIS: Final = rf"(?:this|it|{_THIS_ONE})"
_CATEGORIES: Final = "|".join(each.value.casefold() for each in Category)
_ANSWER: Final = (
    rf"\b(?:(?:mark|report|describe) {_THIS_ONE}|(?:declare|classify|label|treat|consider|"
    rf"diagnose) {_THIS}) (?:as |to be )?(?:\w+ )?{_FINE}\b",
    rf"{_ORDER}(?:say|report|claim|conclude|answer|reply|respond)\b"
    rf"(?: (?:that|with|everyone|them|the user|me|only))? {_ANY}\b(?:everything|nothing|{_THIS}|no)"
    rf"\b{_ANY}\b(?:{_FINE}|wrong|(?<=no )(?:failure|problem|issue|error|fault)s?|"
    r"(?:is|are) needed)\b",
    rf"{_ORDER}(?:set|put|write|make|change|replace|report|return|state|give|fill|leave|add|"
    rf"include|append|insert|rename|remove|omit|delete|emit|output|wrap|extend|name|keep|copy)\b"
    rf"[^.!?]{{0,40}}?\b{_OWN_ANSWER}\b(?! (?:file|page|log|section|report)s?\b)",
    rf"{_ORDER}set (?:the )?category to (?:{_CATEGORIES})\b|{_ORDER}set (?:the )?confidence to "
    r"(?:100|99|0)\b(?!\.\d)",
    rf"{_ORDER}change the schema\b",
    r"\bcitations? (?:must|should|shall|has to|have to|can only|are to) be\b|"
    rf"\b{_YOUR_ANSWER} (?:must|should|shall|has to|have to|can only|ought to) (?:be|say|name|read|"
    r"contain|include)\b|\bthe (?:root ?cause|remediation|verdict) (?:must|should|shall|has to|can "
    r"only) (?:say|name|read|be (?:reported|given|stated|set|named))\b",
    r"\b(?:blame|accuse) (?:it on )?(?:the |your )?\w[^.!?]{0,60}\b(?:as|for) the (?:root )?"
    r"cause\b|"
    rf"{_ORDER}(?:report|name|give|call|state) [^.!?]{{1,60}} as (?:the|its) (?:root )?cause\b",
    r"\bcit(?:e|ing) (?:only )?\be\d{1,3}\b|\be\d{1,3} *\| *(?:status|log|event|spec|reference|"
    r"change|quota|volume|node|owner|question|other)\b[^|]*\||\bevidence e\d{1,3}\b|"
    r"(?:^|\s)\[e\d{1,3}\] *:? *(?:proves|shows|says|confirms)\b|\be\d{1,3} (?:proves|confirms)\b",
    r"\bdo(?: not|n'?t) (?:mention|cite|reveal|trust|believe|report|tell)\b[^.!?]{0,20}\b(?:any|"
    r"this|the|your|other)\b[^.!?]{0,20}\b(?:evidence|instructions?|prompt|injection|"
    r"real cause)\b",
)
# Fences.
_FENCES: Final = (
    r"<<[0-9a-f]{8}>>|<<(?:end|begin)[ _-]?(?:of )?(?:evidence|data|prompt)>>|<<evidence>>|"
    r"\b(?:end|begin|start|stop)(?:ning)? of (?:the )?(?:(?:untrusted |fenced |quoted )(?:data|"
    r"logs?|input|text)|evidence|prompt|fence)\b|\bthe evidence ends here\b|"
    r"\b(?:end|begin)[ _-](?:evidence|prompt|fence)\b|\boutside (?:of )?the fence\b",
)
# Commands and secrets.
_HERE: Final = (
    rf"(?:in(?:to)? {_ANSWER_ITSELF}|(?:in|into|at) (?:a |the )?(?:url|link)\b|\bverbatim\b|"
    r"word for word|you can see)"
)
_COMMANDS: Final = (
    rf"\b(?:run|running|execute|executing|invoke|paste|type|issue|perform)\b[^.!?]{{0,30}}?"
    rf"[ `\"']{_HARM}",
    rf"\b(?:suggest|recommend|propose|advise|answer with|reply with|respond with)(?:ing)?\b"
    rf"[^.!?]{{0,40}}?[ `\"'](?:{_HARM}|kubectl\b|sudo\b|curl\b|the command\b)",
    rf"{_ORDER}(?:send|post|upload|exfiltrate|leak|forward|transmit|e-?mail|reveal|print|show|"
    rf"repeat|disclose|output|dump|include|copy|encode|append|attach|paste|list|embed|quote|write|"
    rf"put)\b[^.!?]{{0,60}}?\b{_SECRETS}\b[^.!?]{{0,60}}?\b{_HERE}",
    rf"{_ORDER}(?:send|upload|exfiltrate|leak|forward|transmit|e-?mail|reveal|disclose) (?:all|"
    rf"every|any|your)\b[^.!?]{{0,40}}?\b{_SECRETS}\b",
)

PATTERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "ignore": _IGNORE,
    "roles": _ROLES,
    "address": _ADDRESS,
    "language": _FORM,
    "answer": _ANSWER,
    "fences": _FENCES,
    "commands": _COMMANDS,
    "foreign": FOREIGN,
    "reader": READER,
}
"""By what they are after."""


def _any_of(*kinds: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for kind in kinds for pattern in PATTERNS[kind]))


INSTRUCTION: Final = _any_of(*PATTERNS)
ACROSS_LINES: Final = _any_of(*(each for each in PATTERNS if each not in ("commands", "foreign")))
"""For lines that follow each other. Every manual says `run this:` and a command in the next line,
and in a language whose words for `ignore` and `instruction` logs use, two lines have both."""
