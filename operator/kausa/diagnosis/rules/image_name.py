"""Image references, taken apart as container runtimes do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.diagnosis.rules.application.typos import distance

__all__ = ["ImageName", "likely_image", "odd_in"]

_WELL_KNOWN = (
    "alpine", "amazonlinux", "busybox", "cassandra", "centos", "consul", "debian", "docker",
    "elasticsearch", "fedora", "fluentd", "golang", "grafana", "haproxy", "httpd", "influxdb",
    "jenkins", "kafka", "kibana", "latest", "logstash", "mariadb", "memcached", "mongo", "mysql",
    "nats", "nginx", "node", "openjdk", "perl", "php", "postgres", "prometheus", "python",
    "rabbitmq",
    "redis", "registry", "ruby", "rust", "solr", "sonarqube", "stable", "tomcat", "traefik",
    "ubuntu",
    "vault", "wordpress", "zookeeper",
)  # fmt: skip
_TWO_COLONS = re.compile(r"::")
_TAG = re.compile(r"[\w][\w.-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """An image reference, taken apart: `registry.example/team/app:1.2`."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, reference: str) -> ImageName:
        """Split a reference as the runtimes do; never raises."""
        rest, _, digest = reference.partition("@")
        first, slash, after = rest.partition("/")
        has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, after) if has_registry else ("docker.io", rest)
        name, colon, tag = path.rpartition(":")
        if not colon or "/" in tag:
            name, tag = path, "" if digest else "latest"
        return cls(registry=registry, repository=name, tag=tag, digest=digest)

    @property
    def version(self) -> str:
        """`tag 1.2` or `digest sha256:...`."""
        return f"tag {self.tag}" if self.tag else f"digest {self.digest[:19]}"


def odd_in(reference: str) -> str:
    """What is wrong in a name that runtimes cannot parse, in words; empty where it is not seen."""
    if not reference.strip():
        return "it is empty"
    if any(each.isspace() for each in reference):
        return "it holds a space"
    if "://" in reference:
        return "it begins with a scheme, which image names do not have"
    if _TWO_COLONS.search(reference):
        return "it has two colons together"
    for sign in "${}<>":
        if sign in reference:
            return f"it holds {sign}, perhaps of a variable that was not filled in"
    name = ImageName.parse(reference)
    if any(each.isupper() for each in name.repository):
        return "its repository has capital letters"
    if name.tag and not _TAG.fullmatch(name.tag):
        return f"its tag {name.tag} has characters that no tag may have"
    if reference.endswith((":", "/", "@")) or "//" in reference:
        return "a part of it is empty"
    if name.digest and not re.fullmatch(r"\w{1,20}:[0-9a-f]{32,128}", name.digest):
        return "its digest is not complete"
    return ""


def likely_image(name: ImageName) -> str:
    """The well-known image or tag that was meant, where one letter or two differ."""
    for part in (name.repository.rpartition("/")[2], name.tag):
        word = part.lower()[:40]
        if len(word) < 4 or word in _WELL_KNOWN:
            continue
        near = min(_WELL_KNOWN, key=lambda each: (distance(word, each), each))
        if near[0] == word[0] and distance(word, near) <= (1 if len(word) < 6 else 2):
            return near
    return ""
