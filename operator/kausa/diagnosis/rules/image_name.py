"""Image references, taken apart as container runtimes do."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ImageName"]


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
