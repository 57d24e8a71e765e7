"""Webhooks and policies in detail, and requests that the API server takes from nobody.

They come before the plainer refusals: a webhook that does not answer fails for a reason of its own,
and that reason is what somebody has to mend.
"""

from __future__ import annotations

from kausa.diagnosis.rules.statement import NAME, Statement, words
from kausa.resources.category import Category

__all__ = ["OBJECTION_STATEMENTS"]

_CALLING = r'failed calling (?:admission )?webhook "(?P<webhook>[^"]{1,253})"'
_STORED = (
    r"\b(?:object|resource|request|config ?map|secret|manifest|annotations?|custom resource|crd|"
    r"data|size|payload)\b"
)
_TOO_LARGE = r"(?:too (?:large|big)|exceed(?:s|ed|ing)?|(?:larger|bigger|more) than|over|above)\b"
_STORE = (
    r"\b(?:etcd\w{0,6}|(?:kube-?)?api ?-?server|1(?:\.5)? ?Mi?B\b|1048576|1572864|3145728|"
    r"maximum object size)"
)
_WEBHOOKS = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"
ASKED_FIRST = (
    "The API server asks a webhook before it stores an object; with failurePolicy Fail nothing is "
    "created or changed while the webhook cannot be asked."
)
REJECTED = "The API server rejects the request itself; trying the same again does not help."

OBJECTION_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="control-plane.conversion-webhook",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"conversion webhook(?: for (?P<what>[\w./-]{1,253}(?:, Kind=\w{1,63})?))?"
            r".{0,40}?(?:fail(?:ed|s|ure)?|error|timed out|unreachable|unavailable|refused)"
            r"(?:: (?P<why>.{1,300}))?|"
            r'(?:failed calling|calling|call|to) webhook "[^"]{0,200}\bconver(?:sion|t|'
            r'ter)\b[^"]{0,60}"'
            r"(?:: (?P<how>.{1,300}))?"
        ),
        summary="the conversion webhook of a custom resource (CRD)<< {what}>> fails<<: {why}>>",
        root_cause="Objects of a custom resource (CRD)<< {what}>> are stored in another version "
        "than is asked for, and the conversion webhook that translates them fails: {said}.",
        explanation="Every read and write of these objects in another version than the stored one "
        "needs the conversion webhook, so whatever works with them stands still.",
        advice="Bring the conversion webhook of the CustomResourceDefinition back",
        command="kubectl get customresourcedefinitions",
        confidence=95,
    ),
    Statement(
        rule="admission.webhook-certificate-expired",
        cause=Category.ADMISSION,
        pattern=words(
            _CALLING + r".{0,400}?(?P<why>x509: certificate has expired or is not yet valid"
            r"(?:: [^,;]{0,120})?)"
        ),
        summary="the certificate of admission webhook {webhook} has expired",
        root_cause="The API server cannot call the admission webhook {webhook}, because the TLS "
        "certificate of the webhook's server has expired or is not yet valid ({why}), so "
        "{subject} is refused.",
        explanation=ASKED_FIRST,
        advice="Renew the serving certificate of the webhook {webhook}",
        command=_WEBHOOKS,
        confidence=97,
    ),
    Statement(
        rule="admission.webhook-not-trusted",
        cause=Category.ADMISSION,
        pattern=words(
            _CALLING + r".{0,400}?(?P<why>(?:x509|tls): .{1,160}|certificate (?:signed by|is "
            r"not).{1,120})"
        ),
        summary="the API server does not trust the certificate of admission webhook {webhook}: "
        "{why}",
        root_cause="The caBundle of the configuration of admission webhook {webhook} does not fit "
        "the certificate that its server shows ({why}), so the call fails and {subject} is "
        "refused.",
        explanation=ASKED_FIRST,
        advice="Set caBundle of the webhook {webhook} to the CA that signed its certificate",
        command=_WEBHOOKS,
        confidence=96,
    ),
    Statement(
        rule="admission.webhook-patch",
        cause=Category.ADMISSION,
        pattern=words(
            r'webhook(?: "(?P<webhook>[^"]{1,253})")?.{0,300}?(?P<why>(?:(?:fail(?:ed|s) to|'
            r"can ?not|could not|couldn't|unable to|error (?:in|while)) (?:apply|decod|merg|pars|"
            r"evaluat)\w{0,4}|invalid|malformed|conflicting|bad) (?:the |its |a )?(?:json ?-?)?"
            r"patch.{0,200}|patch(?:es)?\b.{0,60}(?:conflict|does not apply|not be applied|clash|"
            r"overlap|contradict|malformed|invalid|incompatible).{0,160}|(?:add|replace|remove|"
            r"test|move|copy) operation does not apply.{0,160})"
        ),
        summary="the patch of mutating webhook {webhook} conflicts with {subject}: {why}",
        root_cause="The mutating webhook {webhook} answers with a patch that cannot be applied to "
        "what {subject} is created from: {why}.",
        explanation="A mutating webhook answers with a JSON patch; one that clashes with the "
        "object, or with another webhook's changes, makes the whole request fail.",
        advice="Correct the webhook {webhook}, or take the field out of what it changes",
        command="kubectl get mutatingwebhookconfigurations",
        confidence=96,
    ),
    Statement(
        rule="admission.webhook-without-endpoints",
        cause=Category.ADMISSION,
        pattern=words(
            _CALLING + r'.{0,400}?(?:no endpoints available for service "(?P<service>[^"]{1,253})"'
            r'|services? "(?P<absent>[^"]{1,253})" not found)'
        ),
        summary="admission webhook {webhook} is unavailable: its Service<< {service} has no "
        "endpoints>><< {absent} does not exist>>",
        root_cause="The API server must ask the admission webhook {webhook}, and its Service"
        "<< {service} has no endpoints, so no Pod of the webhook (or policy engine) is ready>>"
        "<< {absent} does not exist>>; {subject} is refused meanwhile.",
        explanation=ASKED_FIRST,
        advice="Bring the Pods behind the webhook {webhook} back",
        command=_WEBHOOKS,
        confidence=97,
    ),
    Statement(
        rule="admission.webhook-timeout",
        cause=Category.ADMISSION,
        pattern=words(
            _CALLING + r".{0,500}?(?P<why>context deadline exceeded|Client\.Timeout exceeded|"
            r"i/o timeout|TLS handshake timeout|net/http: request canceled.{0,60}|"
            r"timed?[ -]?out\b(?![=\w]).{0,80}|deadline (?:was )?(?:exceeded|passed).{0,80}|"
            r"(?:did not|didn't|failed to|could not|not) (?:answer|respond|reply|complete|finish|"
            r"return)(?:ed)? (?:with)?in\b.{0,80}|no (?:answer|response|reply) "
            r"(?:with)?in\b.{0,80}|"
            r"took (?:too long|longer than)\b.{0,80})"
        ),
        summary="admission webhook {webhook} timed out: {why}",
        root_cause="The API server must ask the admission webhook {webhook}, which did not answer "
        "within its timeoutSeconds ({why}), so {subject} is refused.",
        explanation=ASKED_FIRST + " A network policy or firewall between the two looks like this "
        "as well.",
        advice="See why the webhook {webhook} is slow or cannot be reached",
        command=_WEBHOOKS,
        confidence=96,
    ),
    Statement(
        rule="admission.webhook-unreachable",
        cause=Category.ADMISSION,
        pattern=words(
            _CALLING + r".{0,400}?(?P<why>connection refused|connection reset by peer|"
            r"no route to host|EOF|network is unreachable|no such host|"
            r"(?:502|503|504) \w[\w ]{0,30})"
        ),
        summary="admission webhook {webhook} is unavailable: {why}",
        root_cause="The API server must ask the admission webhook {webhook}, which cannot be "
        "reached ({why}), so {subject} is refused: {said}.",
        explanation=ASKED_FIRST,
        advice="Bring the program behind the webhook {webhook} back, or remove its configuration",
        command=_WEBHOOKS,
        confidence=96,
    ),
    Statement(
        rule="admission.gatekeeper",
        cause=Category.ADMISSION,
        pattern=words(
            r'webhook "(?P<webhook>[^"]{0,200}gatekeeper[^"]{0,50})" denied(?: the)? request: '
            r"\[(?:denied by )?(?P<constraint>[^\]]{1,253})\] (?P<why>.{1,300})"
        ),
        summary="the Gatekeeper (OPA) constraint {constraint} denies {subject}: {why}",
        root_cause="The policy of the Gatekeeper constraint {constraint} denies {subject} at "
        "admission (webhook {webhook}): {why}.",
        explanation="Gatekeeper is a policy engine (OPA); what breaks a constraint is never "
        "created.",
        advice="Give the object what the constraint {constraint} demands",
        command="kubectl get constraints",
        confidence=97,
    ),
    Statement(
        rule="admission.kyverno",
        cause=Category.ADMISSION,
        pattern=words(
            r'webhook "(?P<webhook>[^"]{0,200}kyverno[^"]{0,50})" denied(?: the)? request:'
            r"(?P<why>.{1,400})"
        ),
        summary="a Kyverno policy denies {subject}: {why}",
        root_cause="A policy of Kyverno denies {subject} at admission (webhook {webhook}): {why}.",
        explanation="Kyverno is a policy engine; what breaks an enforced policy is never created.",
        advice="Give the object what the policy demands",
        command="kubectl get clusterpolicies,policies",
        confidence=96,
    ),
    Statement(
        rule="admission.webhook-denies-plainly",
        cause=Category.ADMISSION,
        pattern=words(
            r'(?:admission )?webhook "(?P<webhook>[^"]{1,253})" denied(?: the)?(?: request)?'
            r"(?: without explanation|[:;] ?(?P<why>.{1,300}))?"
        ),
        summary="admission webhook {webhook} denied {subject}<<: {why}>>",
        root_cause="The admission webhook {webhook} denied the request for {subject}<<: {why}>>"
        ", so it is not created.",
        explanation="A webhook judges what is created; what it denies never exists.",
        advice="Change what the webhook {webhook} objects to, or its policy",
        command=_WEBHOOKS,
        confidence=94,
    ),
    Statement(
        rule="control-plane.object-too-large",
        cause=Category.CONTROL_PLANE,
        pattern=words(
            r"(?P<why>Request entity too large.{0,160}|etcdserver: request is too large|"
            r"trying to send message larger than max.{0,80}|"
            rf"{_STORED} (?:[\w'\"./-]{{1,120}} ){{0,8}}?{_TOO_LARGE}.{{0,120}}?{_STORE}.{{0,60}}|"
            rf"{_STORE}.{{0,80}}?\b{_STORED} (?:[\w'\"./-]{{1,120}} ){{0,8}}?{_TOO_LARGE}.{{0,60}}|"
            r"Too long: (?:must have at most|may not be (?:more|longer) than) "
            r"\d{6,9}.{0,40})"
        ),
        summary="{subject} is too large for the API server and etcd: {why}",
        root_cause="An object of {subject} is larger than the size limit of the API server and "
        "etcd (about 1.5 MiB a request) allows: {why}.",
        explanation="ConfigMaps and Secrets may hold 1 MiB; managed fields and annotations count "
        "as well. " + REJECTED,
        advice="Split the object, or keep large data in a volume",
        confidence=95,
    ),
    Statement(
        rule="admission.immutable",
        cause=Category.ADMISSION,
        pattern=words(
            r"(?P<why>(?:(?P<field>spec[\w.\[\]]{0,200}): (?:Invalid value|Forbidden): .{0,300}?)?"
            r"(?:field is immutable|updates to \w{1,40} spec for fields other than .{1,160}|"
            r"pod updates may not change fields other than .{1,160}))"
        ),
        summary="an update of {subject} was rejected: field<< {field}>> is immutable and cannot be "
        "changed",
        root_cause="An update of {subject} changes a field that is immutable once the object "
        "exists, and was rejected: {why}.",
        explanation=REJECTED + " Fields such as selectors are fixed when the object is created.",
        advice="Delete the object and create it anew, or take the change back",
        confidence=94,
    ),
    Statement(
        rule="disruption.budget",
        cause=Category.ROLLOUT,
        pattern=words(
            r"(?P<why>would violate the pod's disruption budget.{0,200}|PodDisruptionBudget"
            r".{0,80}(?:block|prevent|den|not allow).{0,120})"
        ),
        summary="{subject} cannot be evicted: its PodDisruptionBudget (PDB) allows no disruption",
        root_cause="Eviction of {subject}, as for a drain of its node, is refused, because it "
        "{why} (PodDisruptionBudget).",
        explanation="A PodDisruptionBudget lets only so many Pods be missing at once; a drain "
        "waits until another Pod is ready.",
        advice="Bring the other replicas up, add replicas, or relax the budget",
        command="kubectl -n {namespace} get poddisruptionbudgets",
        confidence=92,
    ),
    Statement(
        rule="permission.namespace-ends",
        cause=Category.ADMISSION,
        pattern=words(
            rf"unable to create new content in namespace (?P<where>{NAME}) because it is being "
            r"terminated"
        ),
        summary="namespace {where} is being terminated, so {subject} creates nothing in it",
        root_cause="Namespace {where} is being deleted, and nothing new is created in it.",
        explanation="A namespace that is deleted waits for everything in it to go, and for "
        "finalizers.",
        advice="Create the namespace anew, or see what keeps it from going",
        command="kubectl get namespace {where} -o yaml",
        confidence=85,
    ),
)
