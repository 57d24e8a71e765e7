"""How text speaks to whoever reads it about the answer, whatever words it takes.

A program says what happened and what its operator may do. It never says who reads it, what that
reader should conclude, or which finding is the right one. So two things are looked for together:
somebody who reads and answers, or the answer itself as a subject; and what is wanted of them. Each
alone stands in honest text: `a reader must be closed`, `Root cause: connection refused`.

Each is written for text in lower case, in one line, and for names whose marks are gone.
"""

from __future__ import annotations

from typing import Final

__all__ = ["READER"]


def _words(*choices: str) -> str:
    return f"(?:{'|'.join(choices)})"


_NEAR: Final = r"[^.!?]{0,60}?"
_CLOSE: Final = r"[^.!?]{0,25}?"
_BEGINS: Final = r"(?:^|[.!?:;=>\"'(\[]\s*)"
_STARTS: Final = (
    r"(?:^|[:;,.!?\]>)\"'(#*=-]\s*|\b(?:please|kindly|then|and|now|instead|just|so|here|simply)\s+)"
)

# Who reads and answers.
_READS: Final = _words(
    r"(?:reads?|reading|seeing|parses?|parsing|scans?|scanning|reviews?|reviewing|consum(?:es|ing))",
    r"(?:inspect|interpret|explain|assess|triage?|evaluate?|examine?|judge?|diagnose?|summari[sz]e?|"
    r"analy[sz]e?|investigate?|classify?|classifie)(?:s|es|ing)?",
)
_THESE: Final = (
    r"(?:this|these|it|the (?:above|below|following))(?= *(?:[,:;.!?)]|$|(?:must|shall|should|is|"
    r"are|has|have|will|would|may|can|needs?|wants?|ought|up|down|report|logs?|lines?|events?|text|"
    r"messages?|pod|failure|incident|crash|outage|case|error|alert|entry|output|trace|evidence|"
    r"note|record|workload|deployment|container)\b))"
)
"""`whoever reads this line`, but not `whoever reads this queue`."""
_WHO: Final = _words(
    r"who(?:so)?ever",
    r"whatever",
    r"whichever (?:\w+)",
    r"(?:any|every)(?:one|body|thing)",
    r"those",
    r"(?:any|every|each|the|all|an?|some) (?:[\w-]+ ){0,2}(?:tool|machine|program|person|system|"
    r"model|bot|agent|engine|engineer|human|team|script|process|service|one|software|operator)s?",
)
_WHO_READS: Final = (
    rf"(?:\b{_WHO} (?:(?:who|that|which) )?(?:is |are |may be |happens? to be |has to |have to )?"
    rf"(?:{_READS} (?:\w+ )?{_THESE}|writ(?:es|ing) (?:this|it) (?:up|down))\b|"
    rf"\breaders? of {_THESE}(?: \w+)?\b|\b(?:read|review|analy[sz]|"
    rf"summari[sz]|inspect|pars)ing (?:this|these) \w+)"
)
_PROGRAM: Final = r"(?:bots?|agents?|tools?|assistants?|models?|analy[sz]ers?|engines?|copilots?)"
_TRADE: Final = _words(
    "sre",
    "aiops",
    "triage",
    "review(?:er|ing)?",
    "incident",
    r"(?:log |failure |error |root.cause )?analy(?:sis|[sz]er|[sz]ing)",
    r"diagnos\w+",
    r"(?:log.)?summar\w+",
    "automated",
    "automatic",
    "autonomous",
    "intelligent",
    "ai",
    "llm",
    "language",
    "investigat(?:ion|ing|or)",
)
_NAMED: Final = _words(
    rf"{_TRADE}[ _-]{_PROGRAM}",
    r"(?:automated|automatic|machine|ai|human) (?:readers?|reviewers?|analysts?|systems?)",
    r"(?:log|failure|incident|error) (?:analy[sz]ers?|analysts?|readers?|reviewers?)",
    r"triagers?",
    r"summari[sz]ers?",
    r"diagnosticians?",
    r"(?:ai |language )?assistants?",
    r"chatbots?",
    r"llms?",
    "copilot",
    "kausa",
)
"""Nobody but who answers is called so."""
_TITLED: Final = r"(?:reviewers?|analysts?|investigators?|audience|examiners?|graders?)"
_PERSONAL: Final = (
    rf"(?:{_WHO_READS}|\b(?:(?:{_TRADE}|human|machine) (?:{_PROGRAM}|readers?)|{_TITLED})\b)"
)
_READER: Final = rf"(?:{_WHO_READS}|\b(?:{_NAMED}|{_TITLED})\b)"

# What is wanted of them.
_MUST: Final = _words(
    "must",
    "shall",
    "should",
    r"(?:has|have|had|needs?|ought) to",
    r"(?:is|are) (?:to|asked|expected|required|requested|told|advised|supposed|instructed|urged|"
    r"meant|kindly)",
    r"(?:will|would|may|can) (?:now|want|only|like|please|then|simply|just)",
    "wants?",
    "expects?",
    "please",
    "kindly",
)
_ANSWERS: Final = _words(
    *("conclude", "answer", "output", "report", "classif(?:y|ied)", "attribute", "blame", "state"),
    *("diagnose", "write", "quote", "settle", "arrive", "confirm", "propose", "offer", "suggest"),
    *("present", "recommend", "label", "declare", "assume", "ignore", "cite", "mention", "say"),
    *("regard", "treat", "consider", "deem", "name", "call", "file", "repeat", "reply", "respond"),
    *("hand out", "spell out", "put it down", "go with", "disregard", "give", "list", "state"),
)

# The answer itself.
_FINDING: Final = (
    r"(?:root[ _]?cause|diagnos[ei]s|verdict|conclusion|findings?|explanation|answers?|category|"
    r"confidence|citations?|remediations?|classification|culprit)"
)
_WRITTEN: Final = rf"(?:{_FINDING}|summar(?:y|ies)|write-?ups?|reports?|analys[ei]s|replies|reply)"
_RIGHT: Final = (
    r"(?:correct|right|expected|proper|acceptable|approved|required|desired|intended|accurate|"
    r"wanted|official|agreed|only (?:\w+ )?(?:correct|right|valid|possible|acceptable|approved|"
    r"permitted|allowed))"
)
_PART: Final = r"(?:category|confidence|root[ _]?cause|rootcause|citations?|remediation)"
_CURE: Final = (
    r"(?:fix(?:es)?|remed(?:y|ies)|remediations?|solutions?|(?:root )?causes?|commands?|answers?|"
    r"findings?|conclusions?|category|next steps?|verdict|diagnosis)"
)
_PERSON: Final = (
    r"(?:on.?call|users?|readers?|operators?|engineers?|team|customers?|admins?|sres?|reviewers?|"
    r"person|audience|humans?)"
)
_FAILURE: Final = (
    r"(?:(?:this|the|that) (?:[\w-]+ )?(?:workload|pod|deployment|container|failure|alert|incident|"
    r"outage|crash|service|application|problem|issue))"
)
_FINE: Final = (
    r"(?:healthy|success(?:ful)?|resolved|expected|normal|harmless|benign|intended|working|fine|"
    r"passed|one\b)"
)
_ALL_WELL: Final = r"(?:all|everything) (?:is|'s) (?:well|fine|good|in order|ok|okay|normal)"
_TONGUE: Final = (
    r"(?:german|french|spanish|italian|portuguese|chinese|mandarin|japanese|korean|russian|arabic|"
    r"dutch|polish|turkish|latin|hindi|klingon|esperanto|swedish|czech|greek|hebrew|ukrainian)"
)
_DEED: Final = (
    r"(?:kubectl (?:-\S+ )*(?:delete|exec|patch|scale|drain|cordon|edit|replace|cp|set|proxy|"
    r"get secrets?|rollout (?:restart|undo)|attach|debug|taint)\b|(?:curl|wget)\b[^|]{1,80}\||"
    r"rm -rf?\b|terraform destroy\b)"
)
_TOLD: Final = (
    r"(?:(?:was|were|been|is) (?:said|told|written|asked)|(?:earlier|previous|prior|other|first|"
    r"above|preceding|original|remaining) (?:text|words|guidance|brief(?:ing)?|evidence|wording)|"
    r"(?:guidance|brief(?:ing)?|instructions?|orders|"
    r"text|words) (?:at the (?:top|beginning|start)|above|before|of (?:this|the) (?:conversation|"
    r"prompt|chat))|(?:of|from) your (?:considerations?|mind|thoughts?))"
)
_DROP: Final = (
    r"(?:set aside|put aside|leave (?:out|aside|behind)|pay no (?:attention|heed)|take no notice|"
    r"turn away from|look past|throw (?:out|away)|discount)"
)

# How an order to answer goes on; `triage-bot: report written` is none.
_ORDERED: Final = rf"{_ANSWERS} (?:this|that|it|the|as|an?|nothing|no|only|to|here|[\"'])"
_SPOKEN_TO: Final = (
    # `For the automated reader:`, `TODO(sre-bot):`, `@triage-agent please`.
    rf"{_BEGINS}(?:for|to) (?:(?:the|any|all|every|our|my) )?(?:{_NAMED}|{_TITLED}|[\w -]{{0,20}}"
    rf"{_WHO_READS})(?: \w+)? *[:,]|{_BEGINS}(?:for|to) the (?:{_NAMED}|{_WHO_READS})\b",
    rf"{_BEGINS}(?:(?:notes?|messages?|memo|hint|advice|reminder|word|notice|instructions?)\b[,:]? "
    rf"(?:to|for)|(?:dear|hi|hey|hello|attention),?(?: there,?)?) (?:(?:the|any|all|every|our|my|"
    rf"an?) )?(?:{_NAMED}\b|{_TITLED}\b|[\w -]{{0,20}}{_WHO_READS})",
    rf"\btodo ?\( ?{_NAMED} ?\)|(?:^|\s|[=:;>(])@{_NAMED}[,:]? (?:please|kindly|you|{_ORDERED})",
    rf"{_BEGINS}(?:{_NAMED}|{_TITLED}) *[:,] (?:(?:please|kindly|you|your|no findings? here)\b|"
    rf"{_ORDERED}|.{{0,80}}\b(?:real|true|actual|correct|right) (?:fault|cause|error|problem|"
    rf"reason|culprit|finding|answer)\b)",
    rf"{_READER}{_NEAR}\b{_MUST}\b{_CLOSE}\b{_ANSWERS}\b",
    rf"{_PERSONAL}{_NEAR}\b{_MUST}\b{_CLOSE}\b{_WRITTEN}\b",
    rf"\b(?:the|any|every|each|this|an?|good) (?:{_PROGRAM}|readers?) {_MUST} (?:[\w-]+ )?"
    rf"(?:conclude|diagnose|blame|attribute|deem|declare|regard|classify|(?:report|answer|output|"
    rf"say|state|reply|name|give) (?:that|with the|only|nothing|{_FINDING}))\b",
    r"\byou (?:must|should|shall|will|need to|have to|are to|ought to|may only|can only) "
    r"(?:\w+ )?(?:conclude|attribute|blame|diagnose|classify|cite|(?:answer|say|reply|respond) "
    r"(?:that|with|in|only|nothing|:))(?!\w)",
    rf"\b(?:the|an?|any|every|good|helpful|honest) {_NAMED} {_CLOSE}(?:offers|proposes|suggests|"
    rf"concludes|answers|blames|recommends|reports that|says that)\b",
    rf"{_STARTS}(?:tell|inform) (?:the |our |your )?{_PERSON}\b{_CLOSE}"
    rf"(?:{_DEED}|{_ALL_WELL}|\bprompt\b|\b{_FINE}|\b{_FINDING}\b)",
    rf"\b{_PERSON} (?:needs?|wants?|has|have|ought) to (?:hear|be told|be shown)\b",
    rf"\b(?:what|which|how) (?:\w+ )?(?:were|are) you (?:asked|told|instructed|prompted|started)\b|"
    rf"\bprompt (?:that |which )?you (?:were|have|are|got)\b|\bsure of yourself\b|"
    rf"\b{_FINDING} (?:that |which )?you (?:are|were) (?:looking|searching|asked)\b|"
    rf"\b(?:the|your) (?:json|text|{_WRITTEN}) (?:that |which )?you (?:produce|return|write|give|"
    rf"output|generate|make)\b|\b(?:in|of|for|to|from) your (?:write-?up|verdict|conclusion|"
    rf"findings?|diagnosis|considerations?|explanation|judge?ment)\b|"
    rf"\byour (?:list of (?:fixes|causes|findings|citations)|write-?up|verdict|diagnosis)\b",
)
_OWN_WORD: Final = r"(?:root[ _]?cause|diagnosis|verdict|conclusion|finding|culprit)"
_SOUGHT: Final = (
    r"(?:find|found|identif|determin|investigat|locat|look|search|fix|address|resolv|discover|"
    r"understand|understood|analy[sz]|visible|seen|shown|track|confirm|remov|eliminat|solv)"
)
"""What manuals say of a cause that nobody knows yet."""
_ABOUT_THE_ANSWER: Final = (
    # An obligation for the finding itself, either way around.
    rf"(?:^|[.!?] )(?![^.!?]*\b{_SOUGHT})[^.!?]*(?:\b{_OWN_WORD}\b[^.!?]{{0,80}}\b(?:must|shall|"
    rf"should|ought to|has to|please|kindly)\b|\b(?:must|shall|should|ought to|has to|please|"
    rf"kindly)\b[^.!?]{{0,80}}\b{_OWN_WORD}\b)",
    rf"\byour (?:own )?(?:conclusion|assessment|explanation|verdict)(?: here)? (?:{_MUST}|starts?|"
    rf"begins?|ends?|contains?|names?)\b|{_STARTS}(?:make|let|keep|have|phrase|start|begin|end|base)"
    rf"\b{_CLOSE}\byour (?:own )?(?:conclusion|assessment|explanation|summary|verdict|analysis|"
    rf"answer|reply|findings?)\b",
    # Which one is right.
    rf"\b{_RIGHT} (?:[\w-]+ )?(?:{_FINDING}|category) (?:here |for (?:this|the) \w+ )?"
    rf"(?:is|was|would be|to give|to report|[:=-])"
    rf"(?! *(?:\d|(?:usually|often|normally|mostly|probably|typically|visible|shown|found)\b))",
    rf"\b{_RIGHT} value (?:of|for|in) (?:the )?(?:field |key )?{_PART}\b",
    rf"\b(?:only )?(?:one|an?|the|this|that|no other) {_FINDING} {_CLOSE}\b(?:is|are|was|will be|"
    rf"has been|is to be|would be) (?:already |only |the )?(?:acceptable|accepted|decided|approved|"
    rf"agreed|settled|wanted|expected|scored|graded|rejected|called for|final)\b",
    rf"\b{_WRITTEN} (?:{_CLOSE} )?(?:will be|is|are) (?:rejected|incomplete|invalid|worthless|"
    rf"marked wrong|accepted)\b{_CLOSE}\b(?:without|unless|if|secret|token|password)\b|"
    rf"\b(?:an?|any|every) {_WRITTEN} (?:that|which) (?:lacks?|omits?|misses|names?|says?)\b|"
    rf"\b(?:an?|any|every|the|no) {_FINDING} without\b{_NEAR}\b(?:rejected|invalid|incomplete|"
    rf"wrong)\b",
    rf"\b{_PART}\b{_CLOSE}\b(?:is|are|would be) (?:the )?(?:right|correct|appropriate|proper|"
    rf"expected|wanted)\b(?! (?:to|if|when|but))",
    rf"{_STARTS}(?:take|use|accept|choose|pick|enter|put|record|list|note|give|name|call|state|"
    rf"report) [^.!?]{{1,60}}? as (?:the|your|its) (?:root )?{_FINDING}\b",
    rf"{_BEGINS}(?:please |kindly |just |now )?(?:conclude that|blame (?:it|this|the|\w+ \w+))\b",
    rf"\bthe {_FINDING} (?:that|which) (?:scores?|wins?|counts?|pays?|is wanted)\b",
    # What it has to be.
    rf"\b(?:root[ _]?cause|rootcause|verdict|diagnosis|finding|conclusion|culprit)\b{_CLOSE}\b"
    rf"(?:must|shall|should|has to|is to|are to|ought to|needs to|can only) (?:read|say|name|state|"
    rf"be (?:reported|given|stated|named|written|called|described|classified|attributed))\b",
    rf"\b{_WRITTEN}\b{_CLOSE}\b(?:must|shall|should|has to|have to|is to|are to|ought to|needs? to|"
    rf"can only) (?:say|open|close|begin with|name|start with|mention|blame|quote)\b",
    r"\banswers? (?:must|should|needs?|requires?|has to|have to) (?:have |contain |include )?"
    r"(?:an? )?(?:additional|extra|further|new|another) (?:key|field|section)\b",
    r"\b(?:in|under|into|as|for) (?:the )?(?:field |key )?(?:category|rootcause|root cause|"
    r"explanation|citations|remediation)\b,? (?:the word |the value |put |write |use |name |state |"
    r"comes? |enter |[\w-]+ (?:[\w-]+ )?(?:belongs?|comes?|goes)\b)",
    r"\broot[ _]?cause\b[^.!?]{1,90}\b(?:verified|confirmed|established|approved|agreed|signed "
    r"off) by\b",
    rf"\b{_CURE} (?:to|we) (?:offer|list|give|hand out|show|present|propose|suggest|name|report|"
    rf"state|recommend|output|write|put)\b(?: here)? *(?:is|are|[:=]|\b{_DEED})",
    rf"{_STARTS}(?:attribute|ascribe|impute|put down) (?:{_FAILURE}|this|it|everything) (?:down )?"
    rf"to\b",
    rf"\b(?:{_FAILURE}|this) (?:must|shall|should|is|has|ought|needs)(?: to)?(?: not)?(?: to)? be "
    rf"(?:reported|classified|treated|regarded|counted|considered|judged|seen|described|deemed|"
    rf"diagnosed|labell?ed|marked) (?:as )?(?:an? |to be )?{_FINE}",
    rf"{_STARTS}(?:treat|regard|consider|count|take|see) (?:the|this|that) (?:[\w-]+ )?(?:results?|"
    rf"outcome|state|exits?|crash(?:es)?|failures?|restarts?) as (?:an? )?{_FINE}",
    rf"{_STARTS}(?:write|say|state|report|answer|reply|conclude)(?: that)? {_ALL_WELL}\b",
    r"\bno (?:need|reason) to (?:diagnose|analy[sz]e|explain|investigate) (?:this|it|the)\b",
    r"\bthe answer is (?:simply|clearly|definitely|obviously|always|of course|plainly)\b",
)
_ANEW: Final = (
    rf"\b{_DROP}\b{_NEAR}\b{_TOLD}\b|\bleave\b{_NEAR}\bout of your\b",
    rf"\b{_TOLD}{_NEAR}\b(?:no longer (?:counts?|applies|apply|matters?|holds?)|"
    rf"(?:is|are|was|were) (?:now )?(?:outdated|obsolete|void|superseded|a test|a draft|wrong|"
    rf"a decoy|revoked|withdrawn))\b",
    rf"\bnone of (?:the|this|that) {_CLOSE}\b(?:evidence|above|instructions|rest)\b{_CLOSE}\b"
    rf"(?:matters?|counts?|applies)\b",
)
_TONGUES: Final = (
    rf"\b(?:the|our|my|this|your) (?:{_PERSON}|{_TITLED})\b{_CLOSE}\b"
    rf"(?:reads?|speaks?|understands?|prefers?|knows?|wants?|expects?|needs?)\b{_CLOSE}"
    rf"\b{_TONGUE}\b",
    rf"\b(?:{_WRITTEN}|response|output)\b{_CLOSE}\b(?:must|should|shall|has to|have to|be|needs?|"
    rf"ought|wanted|expected)\b{_CLOSE}\b(?:in|to) {_TONGUE}\b",
    rf"\b{_TONGUE}\b{_CLOSE}\b(?:language|tongue) (?:of|for|in) (?:this|the|your|our|all) "
    rf"(?:{_WRITTEN}|response|output|team)\b",
)

READER: Final[tuple[str, ...]] = (*_SPOKEN_TO, *_ABOUT_THE_ANSWER, *_ANEW, *_TONGUES)
