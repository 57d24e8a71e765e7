"""The one server that runs, and the models in it.

Its processes carry our state folder in their environment, those that it starts for a model too, so
there is no file with a pid that may name a stranger by then.
"""

from __future__ import annotations

import json
import shutil
import socket
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from hack.model_server.place import Place

from localcluster import processes
from localcluster.console import say
from localcluster.errors import CannotRun, ClusterError
from localcluster.waiting import wait_for

COMPONENT = "model-server"
READY_TIMEOUT_S = 60.0
CREATE_TIMEOUT_S = 300.0
STOP_GRACE_S = 10.0
ASK_TIMEOUT_S = 5.0


def address(place: Place) -> str | None:
    """Where our server answers; None where none of ours does."""
    try:
        url = place.address.read_text()
    except FileNotFoundError:
        return None
    return url if processes.ours(place.state) and answers(url) else None


def ensure(place: Place, binary: Path) -> str:
    """Its address; started where it does not run."""
    if (url := address(place)) is not None:
        return url
    stop(place)
    place.state.mkdir(parents=True)
    place.models.mkdir(exist_ok=True)
    url = f"http://127.0.0.1:{free_port()}"
    processes.start(
        [str(binary), "serve"],
        component=COMPONENT,
        owner=place.state,
        log=place.log,
        path=processes.PATH,
        settings=_settings(place, url),
    )
    wait_for(
        "the model server",
        lambda: answers(url),
        timeout_s=READY_TIMEOUT_S,
        log=place.log,
        alive=lambda: bool(processes.ours(place.state)),
    )
    place.address.write_text(url)
    return url


def add(place: Place, binary: Path, *, url: str, model: str, modelfile: str) -> None:
    """Makes the server have the model as the modelfile says; nothing where it is so already."""
    stamp = place.models / f"{model.replace(':', '-')}.modelfile"
    if model in names(url) and stamp.is_file() and stamp.read_text() == modelfile:
        return
    say(f"Adding {model} to the server.")
    stamp.unlink(missing_ok=True)
    wanted = place.state / "Modelfile"
    wanted.write_text(modelfile)
    settings = (f"{name}={value}" for name, value in _settings(place, url).items())
    command = ["env", *settings, str(binary), "create", model, "-f", str(wanted)]
    done = processes.run(command, timeout_s=CREATE_TIMEOUT_S)
    if done.returncode or model not in names(url):
        raise ClusterError(f"The server did not take {model}: {done.stderr.strip()[-500:]}")
    stamp.write_text(modelfile)


def stop(place: Place) -> bool:
    """Ends what we started and forgets it; false where there was nothing."""
    running = processes.ours(place.state)
    for process in running:
        processes.stop(process, grace_s=STOP_GRACE_S)
    with suppress(FileNotFoundError):
        place.log.replace(place.last_log)
    shutil.rmtree(place.state, ignore_errors=True)
    return bool(running)


def check_named(url: str, model: str) -> None:
    """Refuses a server that somebody named and that does not answer or lacks the model."""
    try:
        held = names(url)
    except ClusterError:
        raise CannotRun(
            f"KAUSA_MODEL_URL={url} is set, and no Ollama server answers there. Start it, or unset"
            " the variable to have one made."
        ) from None
    if model not in held:
        raise CannotRun(
            f"The server at KAUSA_MODEL_URL={url} does not have {model}. Pull it there, or name"
            " one that it has in KAUSA_SIMPLE_MODEL."
        )


def answers(url: str) -> bool:
    try:
        _ask(f"{url}/api/version")
    except ClusterError:
        return False
    return True


def names(url: str) -> set[str]:
    """The models that a server has, under their full names and without `:latest`."""
    held = {str(entry["name"]) for entry in _ask(f"{url}/api/tags")["models"]}
    return held | {name.removesuffix(":latest") for name in held}


def free_port() -> int:
    """A port that nobody uses now; the server binds it a moment later."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _settings(place: Place, url: str) -> dict[str, str]:
    """The server keeps a key of its own in its home, so that is ours as well."""
    return {
        "HOME": str(place.state),
        "OLLAMA_HOST": url.removeprefix("http://"),
        "OLLAMA_MODELS": str(place.models),
        "OLLAMA_NO_CLOUD": "1",
    }


def _ask(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=ASK_TIMEOUT_S) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise ClusterError(f"{url} does not answer ({error}).") from None
