"""Secrets of all kinds, planted in scenes: each in one place, in one syntax."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from bench.redaction.clean_lines import LINES
from bench.redaction.doors import Scene
from bench.redaction.kinds import KINDS
from bench.redaction.names import secret_name
from bench.redaction.places import TRACES, logged, secret_manifest, written
from bench.redaction.secret import Secret, Shown

__all__ = ["Plant", "scenes"]

IN_ONE_SCENE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A scene with what was planted in it, and how."""

    scene: Scene
    secrets: list[tuple[Secret, str]]


def scenes(*, seed: int, secrets: int) -> Iterator[Plant]:
    """So many secrets, the kinds in turn, ten in each scene."""
    rng = Random(seed)
    kinds = list(KINDS)
    for first in range(0, secrets, IN_ONE_SCENE):
        scene, planted = Scene(), []
        for number in range(first, min(first + IN_ONE_SCENE, secrets)):
            secret = KINDS[kinds[number % len(kinds)]](rng)
            where = rng.choices(list(_PLACES), weights=_WEIGHTS)[0]
            how = _PLACES[where](rng, scene, secret)
            planted.append((secret, f"{where}, {how}"))
        yield Plant(scene=scene, secrets=planted)


def _log(rng: Random, scene: Scene, secret: Secret) -> str:
    found = secret_manifest(rng, secret) if rng.random() < 0.1 else written(rng, secret)
    scene.log += logged(rng, found.text)
    return found.how


def _trace(rng: Random, scene: Scene, secret: Secret) -> str:
    found = written(rng, secret)
    kind = rng.choice(list(TRACES))
    scene.log += f"{rng.choice(LINES)(rng)}\n{TRACES[kind](rng, found.text)}"
    return f"{kind}, {found.how}"


def _event(rng: Random, scene: Scene, secret: Secret) -> str:
    found = written(rng, secret)
    scene.events.append(f"Error: failed to start container api: {found.text}")
    return found.how


def _message(rng: Random, scene: Scene, secret: Secret) -> str:
    found = written(rng, secret)
    scene.message += f"fatal: {found.text}\n"
    return found.how


def _environment(rng: Random, scene: Scene, secret: Secret) -> str:
    name = rng.choice(secret.names or (secret_name(rng),))
    if secret.shown is not Shown.NAMED and rng.random() < 0.5:
        name = "SETTING"
    scene.env.append({"name": name, "value": secret.text})
    return f"named {name}"


def _annotation(rng: Random, scene: Scene, secret: Secret) -> str:
    if rng.random() < 0.3:
        found = secret_manifest(rng, secret)
        scene.annotations["kubectl.kubernetes.io/last-applied-configuration"] = found.text
        return found.how
    found = written(rng, secret)
    scene.annotations[f"example.com/note-{len(scene.annotations)}"] = found.text
    return found.how


def _arguments(rng: Random, scene: Scene, secret: Secret) -> str:
    if secret.shown is Shown.NAMED and not secret.text.startswith("-"):
        flag = "--" + secret.names[0].strip(".").replace("_", "-")
        words = [flag, secret.text] if rng.random() < 0.5 else [f"{flag}={secret.text}"]
        scene.args.extend([*words, "--port=80"])
        return "flag"
    found = written(rng, secret)
    scene.args.extend(["--config", found.text, "--verbose"])
    return found.how


def _object(rng: Random, scene: Scene, secret: Secret) -> str:
    number = len(scene.objects)
    if rng.random() < 0.3:
        meta = {"name": f"db-{number}", "namespace": "shop"}
        data = {"stringData": {"a": secret.text}, "kind": "Secret", "apiVersion": "v1"}
        scene.objects.append({**data, "metadata": meta})
        return "Secret"
    found = written(rng, secret)
    meta = {"name": "settings" if number == 0 else f"settings-{number}", "namespace": "shop"}
    data = {"app.yaml": found.text, "note.json": json.dumps({"note": found.text})}
    scene.objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    return f"ConfigMap, {found.how}"


def _question(rng: Random, scene: Scene, secret: Secret) -> str:
    found = written(rng, secret)
    scene.question += f"Why does it fail? It was started so: {found.text}\n"
    return found.how


_PLACES: dict[str, Callable[[Random, Scene, Secret], str]] = {
    "log": _log,
    "trace": _trace,
    "event": _event,
    "last words": _message,
    "environment": _environment,
    "annotation": _annotation,
    "arguments": _arguments,
    "object": _object,
    "question": _question,
}
_WEIGHTS = (30, 20, 12, 6, 10, 8, 6, 6, 2)
