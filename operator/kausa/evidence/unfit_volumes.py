"""A claim that waits, and the volumes that there are: why each of them is none for it."""

from __future__ import annotations

from collections.abc import Iterator

from kausa.cluster.paging import is_whole
from kausa.cluster.reader import Manifest
from kausa.evidence.around import source_of
from kausa.evidence.dossier import Evidence
from kausa.evidence.fields import at, labels_of, name_of, namespace_of, strings, table, text
from kausa.evidence.quantity import parse_quantity
from kausa.evidence.selecting import in_words, selects
from kausa.resources.evidence import EvidenceKind

__all__ = ["objections", "unfit_evidence"]

MOST_TOLD = 5


def unfit_evidence(claim: Manifest, volumes: tuple[Manifest, ...]) -> Iterator[Evidence]:
    """One piece of evidence for all volumes, those first that would nearly do."""
    told = sorted(
        ((tuple(objections(claim, each)), name_of(each)) for each in volumes),
        key=lambda each: (len(each[0]), each[1]),
    )
    if not told:
        return
    words = "; ".join(
        f"{name} {', '.join(why) if why else 'would do'}" for why, name in told[:MOST_TOLD]
    )
    least = "" if is_whole(volumes) else "at least "
    more = f"; and {least}{len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    yield Evidence(
        kind=EvidenceKind.VOLUME,
        source=source_of(claim, "spec"),
        text=f"Volumes for PersistentVolumeClaim {name_of(claim)}: {words}{more}",
    )


def objections(claim: Manifest, volume: Manifest) -> Iterator[str]:
    """Why the binder does not give this volume to this claim; nothing where it might."""
    owner = table(volume, "spec", "claimRef")
    mine = (namespace_of(claim), name_of(claim))
    if owner and (text(owner, "namespace"), text(owner, "name")) != mine:
        yield f"is claimed by {text(owner, 'namespace')}/{text(owner, 'name')}"
    phase = text(volume, "status", "phase")
    if phase in ("Released", "Failed"):
        yield f"is {phase}"
    has, wants = strings(volume, "spec", "accessModes"), strings(claim, "spec", "accessModes")
    lacking = [each for each in wants if each not in has]
    if lacking:
        yield f"offers {', '.join(has) or 'no access'}, not {', '.join(lacking)}"
    if _class(volume) != _class(claim):
        yield f"has class {_class(volume) or 'none'}, not {_class(claim) or 'none'}"
    size, asked = (
        parse_quantity(text(volume, "spec", "capacity", "storage")),
        parse_quantity(text(claim, "spec", "resources", "requests", "storage")),
    )
    if size is not None and asked is not None and size < asked:
        yield (
            f"has {text(volume, 'spec', 'capacity', 'storage')} of "
            f"{text(claim, 'spec', 'resources', 'requests', 'storage')} asked for"
        )
    selector = at(claim, "spec", "selector")
    if isinstance(selector, dict) and not selects(selector, labels_of(volume)):
        yield f"has not the labels {in_words(selector)}"
    modes = [text(each, "spec", "volumeMode") or "Filesystem" for each in (volume, claim)]
    if modes[0] != modes[1]:
        yield f"is {modes[0]}, not {modes[1]}"


def _class(manifest: Manifest) -> str:
    old = "volume.beta.kubernetes.io/storage-class"
    annotated = text(table(manifest, "metadata", "annotations"), old)
    return annotated or text(manifest, "spec", "storageClassName")
