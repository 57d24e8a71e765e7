"""Who may not do what: RBAC, expired tokens, and rules about the security context."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

__all__ = ["PERMISSION_STATEMENTS"]

GRANTED = (
    "A Role or ClusterRole grants permissions, and a binding gives it to somebody; one of the two "
    "is missing."
)
_ROLES = "kubectl -n {namespace} get roles,rolebindings"

PERMISSION_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="permission.denied-everywhere",
        cause=Category.PERMISSION,
        pattern=words(
            r"\b(?:User|ServiceAccount) ?[\"'](?P<user>[^\"']{1,253})[\"'] cannot "
            r"(?P<verb>[a-z]{2,30}) (?:resource )?[\"']?(?P<resource>[\w./-]{1,100})[\"']?"
            r"(?: in API group [\"'](?P<group>[\w.-]{0,253})[\"'])? at the cluster scope"
        ),
        summary="RBAC: user {user} may not {verb} {resource} at the cluster scope",
        root_cause="The user {user} lacks the RBAC permission to {verb} {resource}"
        "<< of API group {group}>> at the cluster scope, so the request of {subject} is "
        "forbidden.",
        explanation="A Role holds in one namespace and cannot allow this; it takes a ClusterRole "
        "and a ClusterRoleBinding, which reach every namespace.",
        advice="Ask whether {user} should {verb} {resource} in the whole cluster at all; if so, "
        "grant it with a ClusterRole and a ClusterRoleBinding",
        command="kubectl get clusterrolebindings -o wide",
        risk=Risk.MEDIUM,
        confidence=96,
    ),
    Statement(
        rule="permission.denied",
        cause=Category.PERMISSION,
        pattern=words(
            r"\b(?:User|ServiceAccount) ?[\"'](?P<user>[^\"']{1,253})[\"'] cannot "
            r"(?P<verb>[a-z]{2,30}) (?:resource )?[\"']?(?P<resource>[\w./-]{1,100})[\"']?"
            r"(?: in API group [\"'](?P<group>[\w.-]{0,253})[\"'])?"
            r"(?: in the namespace [\"'](?P<place>[\w.-]{1,253})[\"']| in namespace "
            r"[\"'](?P<there>[\w.-]{1,253})[\"'])?"
        ),
        summary="RBAC: user {user} may not {verb} {resource}<< in namespace {place}>>"
        "<< in namespace {there}>>",
        root_cause="The user {user} lacks the RBAC permission to {verb} {resource}"
        "<< of API group {group}>><< in namespace {place}>><< in namespace {there}>>, so the "
        "request of {subject} is forbidden.",
        explanation=GRANTED,
        advice="Grant {user} the permission to {verb} {resource} with a Role and a RoleBinding",
        command=_ROLES,
        confidence=95,
    ),
    Statement(
        rule="permission.token",
        cause=Category.PERMISSION,
        pattern=words(
            r"^Unauthorized\b.{0,200}|the server has asked for the client to provide credentials|"
            r"(?:service ?account )?token (?:has )?(?:expired|been invalidated|is (?:expired|"
            r"invalid|not valid))|invalid bearer token"
        ),
        summary="the API server answers Unauthorized to {subject}: its ServiceAccount token is "
        "expired or invalid",
        root_cause="The API server rejects the credentials of {subject} (Unauthorized, 401): the "
        "ServiceAccount token that it shows has expired, was revoked, or is no longer valid.",
        explanation="Tokens of ServiceAccounts are short-lived and renewed in the mounted file; a "
        "program that reads the file once goes on with an expired one, and one copied elsewhere "
        "is never renewed.",
        advice="Restart the Pod for a fresh token, and use a client that reads the token anew",
        command="kubectl -n {namespace} get serviceaccounts",
        confidence=88,
    ),
    Statement(
        rule="admission.security-context-required",
        cause=Category.ADMISSION,
        pattern=words(
            r"is forbidden: (?P<why>(?!violates PodSecurity)[^;]{0,160}?\b(?:SecurityContext|"
            r"RunAsNonRoot|running as root|run as root|privileged|hostPath|hostNetwork|hostPID|"
            r"hostIPC|capabilit\w{1,6}|seccomp\w{0,8}|allowPrivilegeEscalation|runAsUser)\b"
            r"[^;]{0,200})"
        ),
        summary="a security policy forbids {subject}: {why}",
        root_cause="Admission forbids {subject} because of its security context: {why}.",
        explanation="The policy of the namespace or of the cluster demands a safer security "
        "context; what breaks it is never created.",
        advice="Set the securityContext that the policy requires",
        command="kubectl get namespace {namespace} --show-labels",
        confidence=94,
    ),
    Statement(
        rule="quota.exceeds-limit",
        cause=Category.QUOTA,
        pattern=words(
            r"is forbidden: (?P<why>[^;]{0,160}?\bexceeds?(?: the)?(?: max\w{0,4})? limit"
            r"(?:s)? (?:for|of|on) (?P<resource>[\w./-]{1,63})[^;]{0,120})"
        ),
        summary="{subject} asks for more {resource} than the namespace's limits allow: {why}",
        root_cause="The API server refuses {subject} because its {resource} exceeds the maximum "
        "that a LimitRange or quota of namespace {namespace} sets: {why}.",
        explanation="A LimitRange bounds what one container or Pod may ask for, a ResourceQuota "
        "what all of a namespace may.",
        advice="Ask for less {resource}, or raise the LimitRange of the namespace",
        command="kubectl -n {namespace} describe limitranges",
        confidence=92,
    ),
    Statement(
        rule="quota.exceeded-unnumbered",
        cause=Category.QUOTA,
        pattern=words(
            r"exceed(?:ed|s) (?:the )?(?:resource ?)?quota(?:: (?P<quota>[\w.-]{1,253}))?"
        ),
        summary="a ResourceQuota<< ({quota})>> of namespace {namespace} is exhausted, and "
        "{subject} exceeds it",
        root_cause="{subject} would exceed a ResourceQuota<< ({quota})>> of namespace "
        "{namespace}: {said}.",
        explanation="A ResourceQuota bounds what all Pods of a namespace may ask for together.",
        advice="Free what is used under the quota, or raise it",
        command="kubectl -n {namespace} describe resourcequotas",
        confidence=88,
    ),
    Statement(
        rule="admission.service-account-missing",
        cause=Category.ADMISSION,
        pattern=words(
            r"service ?accounts? \"?(?:[\w.-]{1,63}/)?(?P<account>[\w.-]{1,253}?)\"? (?:was |"
            r"is )?(?:not found|does not exist)"
        ),
        summary="ServiceAccount {account} does not exist (not found), and {subject} needs it",
        root_cause="{subject} runs as ServiceAccount {account}, which does not exist in namespace "
        "{namespace}: {said}.",
        explanation="The API server refuses a Pod whose ServiceAccount does not exist.",
        advice="Create the ServiceAccount {account}, or correct serviceAccountName",
        command="kubectl -n {namespace} get serviceaccounts",
        confidence=92,
    ),
)
