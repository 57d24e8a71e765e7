"""Plain English that an answer may use freely, by stems.

What a sentence says beside these words has to stand in the evidence: so a sentence in another
language, or about something that nobody saw, is told from a diagnosis. The list was made from what
our own rules and documents say, with the words that models use for the same.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final

__all__ = ["EXPLAINING", "GENERIC", "VOCABULARY", "is_built", "stem"]

_SHORTEST: Final = 3
_PREFIXES: Final = (
    *("un", "re", "non", "mis", "pre", "dis", "in", "over", "under", "post", "self", "multi"),
    *("inter", "sub"),
)
_SUFFIXES: Final = (
    *("ness", "less", "ment", "able", "ability", "ably", "er", "or", "al", "ity", "ful", "ion"),
    *("ation", "ers", "ors", "ions", "ations", "ments", "ity", "bility"),
)
_ENDINGS: Final = ("ingly", "edly", "ing", "ied", "ies", "ed", "es", "ly", "s")


def stem(word: str) -> str:
    """Return a word in lower case without its ending; crude, and the same for both sides."""
    word = word.casefold()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending in ("ied", "ies") else "")
            break
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls"
    return word[:-1] if doubled else word


def is_built(word: str, plain: AbstractSet[str]) -> bool:
    """Whether English makes a word in lower case of plain stems: `non-root`, `efficiently`."""
    return all(map(partial(_is_plain, plain=plain), word.split("-")))


def _is_plain(word: str, *, plain: AbstractSet[str]) -> bool:
    if len(word) < _SHORTEST or not word.isalpha() or word in _PREFIXES:
        return True
    # How something happens is no fact.
    if word.endswith("ly") and len(word) > _SHORTEST + 2:
        return True
    begins = [word.removeprefix(each) for each in ("", *_PREFIXES)]
    roots = {each.removesuffix(ending) for each in begins for ending in ("", *_SUFFIXES)}
    roots |= {f"{each.removesuffix('ification')}ify" for each in begins if "ification" in each}
    stems = {
        form
        for each in roots
        if len(each) >= _SHORTEST
        for form in (stem(each), stem(f"{each}e"), stem(stem(each)))
    }
    return not plain.isdisjoint(stems)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_OUR_TEXTS: Final = _words(
    "able abort about abov absent accept acces account acknowledg acquir acros activ "
    "adapter add additional addres address adjust admission admit adopt affinity after "
    "afterward again against age agent ago agre agreement ail aiohttp alarm alert alia "
    "alias alik all allocat allocation allow alon along already also alternativ alway among "
    "amount and anew annotat annotation announc another answer any anybody anyth anyway "
    "anywher apart api apiservic app appear application apply architectur are argument "
    "around arriv ask assertion assign attach attempt audit auth authenticat authentication "
    "author authority authoriz authorization auto autoscaler availability availabl averag "
    "away back backend backof backup bad balancer band bare base basic batch bear bearer "
    "becam becaus becom been befor began begin begun behind being believ belong below besid "
    "best better between beyond big binary bind bit blank block body bookmark both bound "
    "boundary bracket break breaker bring brok broken broker brought budget buffer build "
    "built bulk bus busy but byt byte cach call caller came can cancel cancell candidat "
    "cannot capability capacity capital carry cas case catch category caught caus certain "
    "certificat cgroup chain chang character chat check checksum child choos chosen chunk "
    "cit citation claim clas class claus clean client clock clos cloud cluster cni cod code "
    "collection colon colour column com come command common company compar compatibl "
    "complain complet completion component condition confidenc config configmap configur "
    "configuration confirm conflict connect connection conntrack consequent consistent "
    "consol constraint consum consumption contact contain container containerd content "
    "context continu continuous control controller conversion copy cordon correct cosin "
    "cost could couldn count counter cpu crash creat credential crit critical cron cronjob "
    "csidriver csinod current custom cut cycl daemon damag data databas date day dead "
    "deadlin debug decid decision decisiv declar decod deep deeper default defect defin "
    "definition delet deletion deliver demand dens deny depend dependency dependent deploy "
    "deployment describ descriptor detail detect detection detector determin devic diagnos "
    "diagnosi dial did didn die died differ different digest digit dimension directory "
    "disagr disallow discovery disk disruption docker document doe doesn doing done door "
    "dossier dot doubl doubt down drain drawn driver drop dry due dump dur duration each "
    "ear earlier earliest echo edge edit either election else elsewher emb embed embedder "
    "emerg empty enabl encounter end endpoint endpointslic enforc engin enough ensur enter "
    "entry env environment ephemeral equal err error escap estimat etcd eval even event "
    "ever every everybody everyth everywher evict eviction evidenc evident exact exampl "
    "exce exceed exception exclud exec execut executabl exhaust exist exit expect experienc "
    "expir explain explanation export expression fact fail failur fall fals far fast faster "
    "fatal fault feed fetch few fewer field fifth fil file fill filter finalizer find "
    "finder fingerprint finish finit firewall first fit five fix flag flush fold folder "
    "follow for forbid forbidden foreign forget forgotten fork form format formula found "
    "four fram fre from front fulfill full function further furthermor gap garbag gat "
    "gatekeeper gateway gather gatherer gaug gave generation get giv give given goe going "
    "gone good goroutin got gpu grac grant graph group grow grpc gues guess had half hand "
    "handl handler handshak hang happen hard harm harmles has hash have head header heading "
    "health healthy heap hear heard heartbeat held help helpful henc here hex hid hidden "
    "hide higher highest hint history hit hol hold holder home hook host hostnam hour how "
    "however http hub hundr hundred idea identity ids ies ignor illegal imag immediat "
    "immutabl implement import impossibl improper includ incompatibl incorrect increas "
    "indent index indicat info information ing ingest ingres ingress init initial initializ "
    "initialization inotify input insid install installation instanc instead instruction "
    "insufficient interaction interactiv interfac internal into invalid ion isn issu issuer "
    "item its itself java jitter job join json judg just jwt kausa keep kept kernel key "
    "keyword kill kind knew know known kopf kubeconfig kubectl kubelet kubernet kyverno "
    "label lack languag larg larger largest last late latency later latest layer lead "
    "leader leak learn leas least leav led left length les let letter level library licenc "
    "lie life like likeliest likenes limit limitrang lin line linear link list listen littl "
    "liv live livenes load local localhost locat lock log logfmt logger login long longer "
    "longest look lookup loop loopback los lose lost low lower machin made main mak make "
    "malform manag manager mandatory manifest many map mark markdown match matter max "
    "maximum may mean meant meanwhil measur meet megabyt member memory mend merg mesh "
    "messag met metadata method metric microsecond middl might migrat migration million "
    "millisecond min minimum minut mirror misbehav misconfigur misconfiguration mismatch "
    "miss misspell misspelt mix mod mode model modify modul moment month more moreover most "
    "mount mov move msgspec much multipl multu must nam name namespac nativ near nearest "
    "necessary need negativ neighbour neither net network never new newer newest next nil "
    "nobody nod node none nonexistent nonzero nor normal not note noth notic now nowher "
    "null number object observ observation occur odd off offer offlin often old older "
    "oldest ollama once one only onnxruntim onto open openai operation operator opt option "
    "optional order ordinal original other otherwis our out outcom outliv output outsid "
    "over overflow overhead overlap overload own owner pack packag packet page pair panic "
    "parameter pars part particular partition pas pass passag password past patch path "
    "patient pattern paus payload peer pend peopl per percent perhap period permission "
    "permit persistent person phas pid piec pin ping pip pipe pipelin plac placeholder "
    "plain plan platform plugin plural pod point policy pool port possib possibl post "
    "preemption prefix prepar present pressur prevent previou previous print prior priority "
    "privat privileg prob probab problem proces process processor prod profil program "
    "progres progress prometheu promis prompt proper property propos pros protocol prov "
    "provid provider provision provisioner proxy prun publish pull punctuation pure purpos "
    "push put python qdrant quantity quantiz quarter query question queu quick quot quota "
    "rais ran random rang rank rare rat rate rather reach reachabl read readabl reader "
    "readines ready real reason rebuilt recall receiv recent recognis record recover "
    "recovery redact redaction redactor reduc refer referenc refus refusal register "
    "registry regular reject relation releas relevanc relevant remember remov renam renew "
    "renewal rep repair repeat replac replica replicaset report repository request requir "
    "requirement rerank reranker reserv reset resiz resolution resolv resourc resourcequota "
    "respond respons rest restart restor result resum retriev retry return revers review "
    "revision revok reward right risk role roll rollout room root rotat round rout row rul "
    "rule run runbook runtim safe said same sandbox satisfy saw say scal schedul scheduler "
    "schem schema scop scor scratch script search second secret section security see seed "
    "seem seen segment segmentation seldom select selector self send sensitiv sent sentenc "
    "serv server servic serviceaccount session set setting settl sever several severity "
    "shap shar shard shell shop short shorten shorter should show shown shut side sidecar "
    "sight sign signal signatur silenc silent similar sinc singl size skeleton skip slash "
    "slic slow slowest small smaller snapshot socket some somebody someth somewher soon "
    "sort sourc spac span spars speak spec specific specify spell spik split spread stack "
    "stal stand standard start startup stat statefulset statement statu statuscod stay std "
    "step still stood stop stor storag storageclass storm str strategic stream stretch "
    "strict string structur structural stuck subject subsequent succeed succes successful "
    "such sudden suggest sum summary support sure surer surest surrounding surviv suspend "
    "switch syllabl symbol symptom sync syntax system tabl tag taint tak take taken target "
    "task tcp teach team tell temperatur templat temporary ten tenant tenth terminal "
    "terminat termination test text than that the their them themselv then ther therefor "
    "thes they thi thing think third thos though thought thousand thre thread threshold "
    "throttl through thu tim time timeout titl tls together token tokenizer told tolerat "
    "toleration too took tool toomanyrequest top topology total touch trac traceback "
    "traffic translat tre tri trial trigger troubl true trust truth try tun turn twic two "
    "typ type typo udp uid unabl unauthoriz unavailabl unbound uncaught undefin under "
    "understand understood undo unexpect unfulfill unhandl unhealthy unit unknown unles "
    "unnam unpack unreachabl unrecogniz unresolv unschedulabl unset unspecify unsuccessful "
    "unsupport until untolerat updat upsert upstream uration ure url usag use used user "
    "usernam using usual vain valid validat validation valu vanish variabl variou vector "
    "verb verdict verify version very view violat volum wait walk want warm warn warning "
    "was watch watcher way webhook week weight well went were what whatever when whenever "
    "wher whether which whichever whil who whoever whol whom whos why wide widen width will "
    "win window wire with withheld within without won word work worker workload wors worth "
    "would wrap writ writer written wrong wrot yaml yesterday yet yield you young your zero "
    "zone "
)
_MORE: Final = _words(
    "ability absence actual affect aim although anonymous appropriate arise aspect assist "
    "associate assume attention automatic avoid aware balance basis beforehand behave behavior "
    "behaviour benefit boot brief broad canary capable care careful central chance clash clear "
    "collect combine communicate complex compute concern concurrent conclusion contrary "
    "contribute corrupt corruption course cover dedicated delay delivery derive design desire "
    "destination difficult direct disable display distinct distribute easy effect effective "
    "effort eliminate employ enlarge entire establish eventual examine exclusive explicit "
    "extend extra facilitate factor feature final fine focus force frequent fresh general "
    "generate gracefully heavy highlight implicit imply important impose inability inactive "
    "incomplete inconsistent indefinitely independent individual influence inherent inspect "
    "intend intermittent invoke involve isolate issuance launch logic maintain major management "
    "manual mechanism mention mere minor mistake misuse nature notable obtain obvious ongoing "
    "operate originate outdated overall partial perform poor potential practice precise predict "
    "prefer preference prerequisite primary proceed produce quite rapid reboot recognize "
    "recommend reflect regard relate relax reliable relieve reload rely represent reside "
    "responsible restrict retain reveal safer safety scenario secure seek sense separate "
    "sequence serious setup significant simple simultaneous situation solution solve somewhat "
    "stable stage stateful stateless strong submit succeed sufficient suitable supply suspect "
    "talk tend thorough tie tight track transfer transient typical ultimate uncordon underlying "
    "unique unlike unready unstable utilize variety victim visible wherever "
)
"""Whole words beside those of our own texts; models use them of any failure."""
VOCABULARY: Final = _OF_OUR_TEXTS | frozenset(stem(word) for word in _MORE)
"""Plain English, facts and explanations alike; a proposal may use it freely."""
EXPLAINING: Final = frozenset(
    stem(word)
    for word in _words(
        "compete performance efficient attributable consequence accomplish achieve adequate "
        "alter ambiguous anticipate arrange await bigger capture cease circumstance "
        "combination conclude considerable consult crucial deem demonstrate despite dictate "
        "emit entail essential exhibit expose face gain grow grew grown halt identity "
        "inappropriate incapable inform initiate insist interpret likewise merely namely "
        "necessitate obstacle omit particular pertain portion possess precede preclude "
        "premature presence presumable proof regardless remainder remedy lifecycle reckon "
        "alternate oscillate expand offer render reply resemble seeming shortly solely strict "
        "struggle surpass thereby throughout thus undergo unintended unmet unusual upon viable "
        "entry consume program programming present "
    )
)
"""More that only explains, links or judges; no proposal has to begin with it."""

GENERIC: Final = frozenset(
    stem(word)
    for word in _words(
        "the and for with that this from has have had was were are been being not but because "
        "its into which when what why how where who then than there here only also just more "
        "most less least very can cannot could would should must may might will does did done "
        "itself they them these those all any each other another such same both before after "
        "until while during since about over under between without within due cause caused "
        "causes reason result results issue issues problem problems error errors fail fails "
        "failed failing failure failures pod pods container containers workload application app "
        "program service cluster kubernetes system shows show shown says said indicates means "
        "evidence log logs event events status state diagnosis answer question root summary "
        "instead one two first last new old now again still out off use uses used using run "
        "runs running start started starting stop stopped work works need needs needed make "
        "makes made get gets got set sets please name names object objects deployment resource "
        "resources value values time times you your our their his her him check checked found "
        "find see seen look data text line lines message messages known unknown "
    )
)
"""Words that stand in every diagnosis: that the evidence holds them too bears nothing."""
