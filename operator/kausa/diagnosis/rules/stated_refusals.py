"""Refusals of the API server and of the kubelet: quotas, limits, policies, accounts, resources.

The words of the API server are known to detection already; here is what they mean to a person.
"""

from __future__ import annotations

from kausa.detection.workloads.refusals import REFUSALS
from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["REFUSAL_STATEMENTS"]

_SHAPES = {each.name: each.pattern for each in REFUSALS}
_WEBHOOKS = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"
_QUOTA = frozenset({Category.QUOTA})
_ADMISSION = frozenset({Category.ADMISSION})
REFUSED = (
    "The API server refuses the Pod before it exists, so there is no Pod to look at; the "
    "controller tries again, waiting longer each time."
)

REFUSAL_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="quota.exceeded",
        of=_QUOTA,
        cause=Category.QUOTA,
        pattern=_SHAPES["quota-exceeded"],
        summary="quota {quota} is exhausted: requested {requested}, used {used}, limited {limited}",
        root_cause="ResourceQuota {quota} in namespace {namespace} limits {limited}; {used} is in "
        "use, and another {requested} was requested.",
        explanation=REFUSED,
        advice="Raise the quota {quota}, or free what is used under it",
        command="kubectl -n {namespace} describe resourcequota {quota}",
        confidence=95,
    ),
    Statement(
        rule="quota.unspecified",
        of=_QUOTA,
        cause=Category.QUOTA,
        pattern=_SHAPES["quota-unspecified"],
        summary="quota {quota} demands that Pods specify {missing}",
        root_cause="ResourceQuota {quota} in namespace {namespace} counts what Pods ask for, so "
        "each must specify {missing}; this one does not.",
        explanation=REFUSED,
        advice="Specify {missing}, or give the namespace a LimitRange with defaults",
        command="kubectl -n {namespace} describe resourcequota {quota}",
        confidence=95,
    ),
    Statement(
        rule="quota.scopes",
        of=_QUOTA,
        cause=Category.QUOTA,
        pattern=_SHAPES["quota-scopes"],
        summary="no quota in namespace {namespace} admits a Pod of this scope: {scopes}",
        root_cause="A Pod of this scope needs a ResourceQuota that covers it, and namespace "
        "{namespace} has none: {scopes}.",
        explanation=REFUSED,
        advice="Create a ResourceQuota for this scope, or use another priority class",
        command="kubectl -n {namespace} describe resourcequotas",
        confidence=92,
    ),
    Statement(
        rule="quota.limit-range-unset",
        of=_QUOTA,
        cause=Category.QUOTA,
        pattern=words(
            r"(?P<bound>maximum|minimum) (?P<resource>\S{1,100}) usage per (?P<per>\w{1,63}) is "
            r"(?P<allowed>\S{1,40}?)\.\s+No (?P<unset>limit|request) is specified"
        ),
        summary="a LimitRange sets a {bound} of {allowed} {resource} per {per}, and no {unset} is "
        "specified",
        root_cause="A LimitRange in namespace {namespace} sets a {bound} of {allowed} {resource} "
        "per {per}, and the Pod specifies no {unset}.",
        explanation=REFUSED,
        advice="Specify a {unset} of {resource} within the range",
        command="kubectl -n {namespace} describe limitranges",
        confidence=95,
    ),
    Statement(
        rule="quota.limit-range",
        of=_QUOTA,
        cause=Category.QUOTA,
        pattern=_SHAPES["limit-range"],
        summary="a LimitRange sets a {bound} of {allowed} {resource} per {per}, but the {field} is "
        "{asked}",
        root_cause="The LimitRange of namespace {namespace} sets a {bound} of {allowed} {resource} "
        "per {per}; the {field} of {asked} is beyond it.",
        explanation=REFUSED,
        advice="Bring the {field} of {resource} within {allowed}, or change the LimitRange",
        command="kubectl -n {namespace} describe limitranges",
        confidence=95,
    ),
    Statement(
        rule="quota.limit-ratio",
        of=_QUOTA,
        cause=Category.QUOTA,
        pattern=_SHAPES["limit-ratio"],
        summary="a LimitRange allows a limit of {allowed} times the request of {resource} per {per}"
        "<<, but it is {asked}>>",
        root_cause="The LimitRange of namespace {namespace} allows the limit of {resource} per "
        "{per} to be {allowed} times its request<<; it is {asked}>>.",
        explanation=REFUSED,
        advice="Bring request and limit of {resource} closer together",
        command="kubectl -n {namespace} describe limitranges",
        confidence=94,
    ),
    Statement(
        rule="admission.webhook-fails",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["webhook-fails"],
        summary="admission webhook {webhook} does not answer: {why}",
        root_cause="The API server must ask the admission webhook {webhook} before it creates a "
        "Pod, and cannot: {why}.",
        explanation="The program behind the webhook is down, cannot be reached, or its certificate "
        "is not trusted; with failurePolicy Fail nothing is created meanwhile.",
        advice="Bring the program behind the webhook {webhook} back, or remove its configuration",
        command=_WEBHOOKS,
        confidence=94,
    ),
    Statement(
        rule="admission.webhook-denies",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["webhook-denies"],
        summary="admission webhook {webhook} denies {subject} its Pods<<: {why}>>",
        root_cause="The admission webhook {webhook} denies what {subject} creates<<: {why}>>.",
        explanation=REFUSED,
        advice="Change what the webhook {webhook} objects to, or its policy",
        command=_WEBHOOKS,
        confidence=94,
    ),
    Statement(
        rule="admission.policy-denies",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["policy-denies"],
        summary="ValidatingAdmissionPolicy {policy} denies {subject} its Pods: {why}",
        root_cause="ValidatingAdmissionPolicy {policy} (binding {binding}) denies what {subject} "
        "creates: {why}.",
        explanation=REFUSED,
        advice="Change what the policy {policy} objects to, or the policy",
        command="kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings",
        confidence=94,
    ),
    Statement(
        rule="admission.pod-security",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["pod-security"],
        summary="the Pods of {subject} violate PodSecurity {level}<<: {why}>>",
        root_cause="Namespace {namespace} enforces the Pod security level {level}, which the Pods "
        "of {subject} violate<<: {why}>>.",
        explanation=REFUSED,
        advice="Set the security context that the level demands, or relax the namespace's level",
        command="kubectl get namespace {namespace} --show-labels",
        confidence=95,
    ),
    Statement(
        rule="admission.security-context",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["security-context"],
        summary="no {what} admits the Pods of {subject}<<: {why}>>",
        root_cause="No {what} that the ServiceAccount may use admits the Pods of {subject}"
        "<<: {why}>>.",
        explanation=REFUSED,
        advice="Let the ServiceAccount use a {what} that fits, or ask for less",
        confidence=92,
    ),
    Statement(
        rule="admission.service-account",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["service-account"],
        summary="ServiceAccount {account} does not exist in namespace {namespace}, and {subject} "
        "needs it",
        root_cause="The Pods of {subject} run as ServiceAccount {account}, which was not found in "
        "namespace {namespace}.",
        explanation=REFUSED,
        advice="Create the ServiceAccount {account}, or correct serviceAccountName",
        command="kubectl -n {namespace} get serviceaccounts",
        confidence=95,
    ),
    Statement(
        rule="admission.priority-class",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["priority-class"],
        summary="PriorityClass {wanted} does not exist, and {subject} needs it",
        root_cause="The Pods of {subject} name the PriorityClass {wanted}, which does not exist.",
        explanation=REFUSED,
        advice="Create the PriorityClass {wanted}, or correct priorityClassName",
        command="kubectl get priorityclasses",
        confidence=95,
    ),
    Statement(
        rule="admission.runtime-class",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=_SHAPES["runtime-class"],
        summary="RuntimeClass {wanted} does not exist, and {subject} needs it",
        root_cause="The Pods of {subject} name the RuntimeClass {wanted}, which does not exist.",
        explanation=REFUSED,
        advice="Create the RuntimeClass {wanted}, or correct runtimeClassName",
        command="kubectl get runtimeclasses",
        confidence=95,
    ),
    Statement(
        rule="admission.invalid",
        of=_ADMISSION,
        pattern=_SHAPES["invalid"],
        summary="the {what} that {subject} creates is invalid: {why}",
        root_cause="The API server rejects the {what} that {subject} creates as invalid: {why}.",
        explanation=REFUSED,
        advice="Correct the named field in the template of {subject}",
        command="kubectl -n {namespace} get {kind} {name} -o yaml",
        confidence=93,
    ),
    Statement(
        rule="admission.out-of-resource",
        of=_ADMISSION,
        cause=Category.ADMISSION,
        pattern=words(
            r"OutOf\w+: .*?didn't have enough resource: (?P<resource>\S+?), requested: "
            r"(?P<requested>\d+), used: (?P<used>\d+), capacity: (?P<capacity>\d+)"
        ),
        summary="{node} has not enough {resource} for {subject}: requested {requested}, used "
        "{used}, capacity {capacity}",
        root_cause="The kubelet of {node} refuses {subject}: it requests {requested} of "
        "{resource}, {used} of {capacity} are used.",
        explanation="The Pod was bound to the node past the scheduler, or another one was faster; "
        "the kubelet checks again and refuses for good.",
        advice="Let the scheduler choose the node, or free {resource} on {node}",
        command="kubectl describe node {node_name}",
        confidence=93,
    ),
    Statement(
        rule="admission.node-refuses",
        of=_ADMISSION,
        pattern=words(
            r"^(?:NodeAffinity|NodeName|NodePorts|TaintToleration|AppArmor|SysctlForbidden|"
            r"PodOS\w+|TopologyAffinityError|UnexpectedAdmissionError): (?P<why>.+)"
        ),
        summary="{node} refuses {subject} ({reason}): {why}",
        root_cause="The kubelet of {node} refuses to run {subject} ({reason}): {why}.",
        explanation="The kubelet checks a Pod again when it arrives; one that does not fit is "
        "refused for good and must be made anew.",
        advice="Make node and Pod fit in what the kubelet names",
        command="kubectl describe node {node_name}",
        confidence=85,
    ),
    Statement(
        rule="control-plane.not-answering",
        of=frozenset({Category.CONTROL_PLANE}),
        pattern=_SHAPES["api-server"],
        summary="the control plane fails {subject}: {why}",
        root_cause="The API server or its etcd did not do what was asked for {subject}: {why}.",
        explanation="The request was right; the control plane was too slow or unreachable.",
        advice="Look at the API server and at etcd",
        command="kubectl get --raw /readyz",
        confidence=78,
    ),
)
