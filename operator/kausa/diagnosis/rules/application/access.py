"""Credentials that are refused: by databases, brokers, HTTP services, clouds, the API server."""

from __future__ import annotations

from kausa.diagnosis.rules.application.idea import Idea, Look, Told, any_of
from kausa.diagnosis.rules.application.targets import find_target, software_at
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

__all__ = ["ACCESS_IDEAS"]

_WHO_MAY_NOT = (
    r"User \\?[\"'`\u2018\u201c]?(?P<user>system:serviceaccount:(?P<where>[\w-]{1,63}):"
    r"(?P<account>[\w.-]{1,253}))\\?[\"'`\u2019\u201d]? cannot (?P<verb>[\w*]{1,30}) resource "
    r"\\?\"(?P<resource>[^\"\\]{1,120})\\?\"(?: in API group \\?\"(?P<group>[^\"\\]{0,120})\\?\")?"
)
_Q = r"[\"'`\u2018\u2019\u201c\u201d]?"


def _with_target(look: Look) -> Look:
    def found(text: str) -> Told | None:
        told = look(text)
        if told is None:
            return None
        target = find_target(text)
        software = software_at(target, text)
        return {**told, "target": str(target) if target is not None else "", "software": software}

    return found


def _risk_everywhere(told: Told) -> Risk:
    """Whoever reads the Secrets of every namespace can become nearly anybody."""
    risky = told.get("resource", "").partition("/")[0] in ("secrets", "*")
    return Risk.HIGH if risky else Risk.MEDIUM


ACCESS_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.rbac-forbidden-everywhere",
        category=Category.PERMISSION,
        look=any_of(_WHO_MAY_NOT + r" at the cluster scope"),
        summary="container {container} is forbidden by RBAC to {verb} {resource} at the cluster "
        "scope as ServiceAccount {account}",
        cause="The API server refuses (403 Forbidden): the ServiceAccount {where}/{account} of "
        "container {container} has no permission (RBAC) to {verb} {resource} at the cluster "
        "scope.",
        explanation="A Role holds in one namespace and cannot allow this: it takes a ClusterRole "
        "and a ClusterRoleBinding, which reach every namespace. Whether the program should have "
        "that at all is for whoever answers for the cluster; many programs can be told to keep to "
        "one namespace, where a Role is enough.",
        advice="Ask whether the program should {verb} {resource} in the whole cluster at all; if "
        "so, bind a ClusterRole with this permission by a ClusterRoleBinding",
        command="kubectl get clusterrolebindings -o wide",
        risk_of=_risk_everywhere,
        confidence=95,
    ),
    Idea(
        rule="application.rbac-forbidden",
        category=Category.PERMISSION,
        look=any_of(
            rf"{_Q}?User {_Q}\\?\"?(?P<user>system:serviceaccount:(?P<where>[\w-]{{1,63}}):"
            rf"(?P<account>"
            r"[\w.-]{1,253}))\\?\"? cannot (?P<verb>[\w*]{1,30}) resource "
            r"\\?\"(?P<resource>[^\"\\]{1,120})\\?\"(?: in API group "
            r"\\?\"(?P<group>[^\"\\]{0,120})\\?\")?(?: in the namespace "
            r"\\?\"(?P<namespace_of>[^\"\\]{1,63}))?",
            r"(?P<user>)(?P<account>)(?<![\w.-])(?P<resource>[\w.-]{1,253}) (?:\"[^\"]{0,253}\" "
            r")?is forbidden: ",
        ),
        summary="container {container} is forbidden by RBAC to<< {verb}>> {resource}<< as "
        "ServiceAccount {account}>>",
        cause="The API server refuses (403 Forbidden): the ServiceAccount<< {where}/{account}>> "
        "of container {container} has no permission (RBAC) to<< {verb}>> {resource}<< in "
        "namespace {namespace_of}>>.",
        explanation="No Role or ClusterRole that is bound to the ServiceAccount allows it.",
        advice="Bind a Role with this permission to the ServiceAccount of the Pod",
        command="kubectl -n {namespace} get rolebindings -o wide",
        confidence=95,
    ),
    Idea(
        rule="application.token-refused",
        category=Category.PERMISSION,
        look=any_of(
            r"(?P<why>the server has asked for the client to provide credentials)",
            r"(?P<why>(?:service ?account )?token (?:has |is |was )?(?:expired|invalid|revoked|"
            r"not valid)[^\n]{0,60})",
            r"(?P<why>(?:expired|invalid|revoked) (?:service ?account )?(?:bearer |access |api |"
            r"jwt )?token)",
            r"\b(?P<why>Unauthorized)\s{0,4}$",
        ),
        summary="container {container} is refused: its token is not accepted ({why})",
        cause="The credentials of container {container} are refused: {why} (Unauthorized, 401). "
        "Its token, such as that of its ServiceAccount, is expired, invalid or revoked.",
        explanation="Tokens of ServiceAccounts are renewed in the mounted file; a program that "
        "reads it once goes on with one that has expired.",
        advice="Let the program read the token anew, or give it a valid one",
        command="kubectl -n {namespace} get serviceaccounts",
        confidence=86,
    ),
    Idea(
        rule="application.authentication-failed",
        category=Category.PERMISSION,
        look=_with_target(
            any_of(
                rf"password authentication failed for user {_Q}(?P<user>[^\"'\s]{{1,120}}){_Q}",
                rf"Access denied for user {_Q}(?P<user>[^\"'@\s]{{1,120}}){_Q}",
                rf"(?:role|user|login) {_Q}(?P<user>[^\"'\s]{{1,120}}){_Q} (?:does not exist|is "
                rf"not permitted to log in)",
                rf"Login failed for user {_Q}(?P<user>[^\"'\s]{{1,120}})",
                rf"no pg_hba\.conf entry for host [^,]{{1,80}}, "
                rf"user {_Q}(?P<user>[^\"',\s]{{1,120}})",
                r"ORA-01017|(?P<user>)\bWRONGPASS\b|\bNOAUTH\b|invalid username-password pair|"
                r"NOPERM this user",
                r"(?P<user>)Authentication failed|AuthenticationFailed|auth(?:entication)? "
                r"(?:error|failure)|AuthenticationException|SaslAuthenticationException|SASL "
                r"authentication|ACCESS_REFUSED|invalid credentials|bad credentials|(?:incorrect|"
                r"invalid|wrong) (?:username|user name|login|user or password|username/password|"
                r"password for (?:user|role|account|login)|password (?:was )?(?:given|supplied|"
                r"provided|entered))\b|(?:incorrect|invalid|wrong) password(?=\W{0,3}(?:$|\n))|"
                r"password (?:is |was )?(?:incorrect|wrong|rejected|not accepted)|code "
                r"18\b.{0,20}auth|LDAP: "
                r"error code 49|could not authenticate|unable to authenticate|login (?:failed|"
                r"incorrect)|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|"
                r"ExpiredToken\b|NoCredentialProviders|Unable to locate credentials|"
                r"invalid[_ ]grant|invalid[_ ]client|invalid api key|bad username or password",
            )
        ),
        summary="container {container} cannot log in<< to {target}>><< ({software})>><< as user "
        "{user}>>: authentication failed",
        cause="Authentication failed: the credentials of container {container}<< (user {user})>> "
        "are refused<< by {target}>><< ({software})>>.",
        explanation="The password, token or user that the container was given is wrong, has "
        "changed, or is not known there.",
        advice="Check the Secret that the container takes its credentials from",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=91,
    ),
    Idea(
        rule="application.http-refused",
        category=Category.PERMISSION,
        look=_with_target(
            any_of(
                r"(?:status(?: ?code)?|code|HTTP(?:/\d(?:\.\d)?)?|error|response|returned(?: "
                r"error)?)\W{1,4}(?P<code>40[13])\b",
                r"\b(?P<code>401 Unauthorized|403 Forbidden|401 Client Error|403 Client Error)",
                r"\b(?P<code>AccessDenied|PermissionDenied|UnauthorizedOperation|"
                r"Unauthenticated)\b",
            )
        ),
        summary="container {container} is refused<< by {target}>> with {code}",
        cause="A request of container {container}<< to {target}>> is refused with {code}: its "
        "credentials are missing, wrong, or lack the permission.",
        explanation="401 means that it is not known who asks; 403 that it is known and not "
        "allowed.",
        advice="Check the credentials that the container was given and what they allow",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=82,
    ),
)
