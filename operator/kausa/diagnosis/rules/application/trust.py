"""TLS: certificates that are expired, unknown or for another name, and ends that do not agree."""

from __future__ import annotations

from kausa.diagnosis.rules.application.idea import Idea, Look, Told, any_of
from kausa.diagnosis.rules.application.targets import find_target
from kausa.resources.category import Category

__all__ = ["TRUST_IDEAS"]


def _with_target(look: Look) -> Look:
    def found(text: str) -> Told | None:
        told = look(text)
        if told is None:
            return None
        target = find_target(text)
        return {**told, "target": str(target) if target is not None else ""}

    return found


_HOLDERS = "kubectl -n {namespace} get secrets --field-selector type=kubernetes.io/tls -o wide"
"""Where certificates of this namespace are held; of others only whoever runs the host knows."""
_CLOCK = r"current time \S{1,40} is "


def _idea(
    rule: str,
    look: Look,
    *,
    problem: str,
    why: str,
    advice: str,
    command: str = "kubectl -n {namespace} get pod {pod} -o yaml",
) -> Idea:
    return Idea(
        rule=f"application.{rule}",
        category=Category.DEPENDENCY,
        look=_with_target(look),
        summary=f"container {{container}} cannot use TLS<< with {{target}}>>: {problem}",
        cause=f"The TLS connection of container {{container}}<< to {{target}}>> fails: {problem}.",
        explanation=why,
        advice=advice,
        command=command,
        confidence=91,
    )


TRUST_IDEAS: tuple[Idea, ...] = (
    _idea(
        "certificate-expired",
        any_of(_CLOCK + r"after (?P<end>[\w:+-]{10,35})"),
        problem="the certificate has expired (at {end})",
        why="A certificate holds until its last day, and was not renewed; or what serves it still "
        "has the old one loaded.",
        advice="Renew the certificate<< of {target}>>, or reload what serves the old one; whoever "
        "runs that host holds it, and of a Service of this namespace a TLS Secret may",
        command=_HOLDERS,
    ),
    _idea(
        "certificate-not-yet-valid",
        any_of(_CLOCK + r"before (?P<begin>[\w:+-]{10,35})"),
        problem="the certificate is not yet valid (before {begin})",
        why="A certificate holds from its first day on: the clock of the node is behind, or the "
        "certificate was issued for later.",
        advice="Set the clock of the node right, or use a certificate<< of {target}>> that holds "
        "already",
        command=_HOLDERS,
    ),
    _idea(
        "certificate-expired",
        any_of(
            r"certificate (?:has |is |was )?(?:expired|not yet valid)|CERT_HAS_EXPIRED|"
            r"CertificateExpiredException|NotAfter:|certificate has expired or is not yet valid|"
            r"CertificateNotYetValid|current time \S{1,40} is (?:after|before)"
        ),
        problem="the certificate has expired or is not yet valid",
        why="A certificate holds between two dates; it was not renewed, or a clock is wrong.",
        advice="Renew the certificate, or reload what serves the old one",
        command=_HOLDERS,
    ),
    _idea(
        "certificate-name",
        any_of(
            r"certificate is (?:not )?valid for |doesn't match (?:any of )?the |hostname mismatch|"
            r"ERR_TLS_CERT_ALTNAME_INVALID|No subject alternative (?:DNS )?name|Hostname/IP does "
            r"not match|no alternative certificate subject name|doesn't contain any IP SANs|"
            r"RemoteCertificateNameMismatch|hostname .{1,200} doesn't match"
        ),
        problem="the certificate is for another name",
        why="The host's name is not among the names in the certificate.",
        advice="Use a name that the certificate holds, or issue one with this name",
    ),
    _idea(
        "authority-unknown",
        any_of(
            r"certificate signed by unknown authority|unknown (?:ca|authority)|self[- ]signed "
            r"certificate|unable to get (?:local )?issuer certificate|UNABLE_TO_VERIFY_LEAF|"
            r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|PKIX path building failed|"
            r"unable to find valid certification path|SEC_ERROR_UNKNOWN_ISSUER|certificate is not "
            r"trusted|UntrustedRoot|SSL certificate problem|failed to verify certificate|invalid "
            r"peer certificate"
        ),
        problem="the certificate is signed by an unknown authority",
        why="The container does not hold the certificate authority that signed it.",
        advice="Mount the authority's certificate into the container and let the program use it",
    ),
    _idea(
        "tls-against-plain",
        any_of(
            r"server gave HTTP response to HTTPS client|client sent an HTTP request to an HTTPS "
            r"server|wrong version number|first record does not look like a TLS handshake|http: "
            r"server gave HTTP|Unsupported or unrecognized SSL message|plain HTTP request was "
            r"sent to HTTPS port|server does not support SSL|SSL is not enabled on the server|"
            r"packet length too long|not an SSL/TLS record"
        ),
        problem="one end speaks TLS and the other does not",
        why="The port expects plain text and gets TLS, or the reverse.",
        advice="Use the right scheme or port, or switch TLS on at both ends",
    ),
    _idea(
        "tls-handshake",
        any_of(
            r"tls: handshake failure|SSLHandshakeException|handshake (?:failure|failed|timeout)|"
            r"protocol version not supported|alert protocol version|no cipher suites? in common|"
            r"unsupported protocol|ssl handshake|bad certificate|certificate required|tlsv1 alert|"
            r"SSL_ERROR_SYSCALL|ssl\.SSLError|private key does not match|failed to load "
            r"(?:key ?pair|certificate)|tls: failed to find any PEM data"
        ),
        problem="the handshake fails",
        why="The two ends do not agree on a version, a cipher or a client certificate.",
        advice="Compare the TLS settings of both ends",
    ),
)
