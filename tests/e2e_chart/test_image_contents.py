"""What is in the images, as they are run: as nobody in particular, on a read-only root."""

from __future__ import annotations

from typing import Any

import pytest
from support.namespace import Namespace
from support.operator_process import wait_for

from kausa import __version__

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

REGISTRY = "ghcr.io/kausa-dev/kausa"
OPERATOR, EMBEDDER = f"{REGISTRY}/operator:{__version__}", f"{REGISTRY}/embedder:{__version__}"
UNWANTED = {"pip", "pip3", "gcc", "cc", "g++", "strip", "apt-get", "dpkg", "sh", "bash", "busybox"}
LOOK = f"""
import os, sys
unwanted = {sorted(UNWANTED)!r}
for folder, folders, files in os.walk("/"):
    if folder in ("/proc", "/sys", "/dev"):
        folders[:] = []
        continue
    for name in [*files, *folders]:
        path = os.path.join(folder, name)
        runs = os.path.isfile(path) and os.access(path, os.X_OK)
        if name == "pip" or name in unwanted and runs:
            print("unwanted", path)
        if os.access(path, os.W_OK) and not os.path.islink(path):
            print("writable", path)
print("uid", os.getuid(), "prefix", sys.prefix)
"""
# Whatever was taken out of the packages must not be missed by what the services import.
IMPORTS = {
    OPERATOR: "grpc, kopf, numpy, qdrant_client, qdrant_edge, re2, yaml, kausa.controller.operator",
    EMBEDDER: "fastembed, numpy, onnxruntime, tokenizers, kausa_embedder.service.server",
}


def run(namespace: Namespace, image: str, *command: str) -> str:
    """What a program of an image says, run as the chart runs it, once it has ended well."""
    name = f"run-{abs(hash((image, command))) % 100_000}"
    namespace.core.create_namespaced_pod(namespace.name, _pod(name, image, list(command)))

    def ended() -> str | None:
        phase: str = namespace.core.read_namespaced_pod_status(name, namespace.name).status.phase
        return phase if phase in {"Succeeded", "Failed"} else None

    phase = wait_for(ended, what=f"{command} to end", seconds=120)
    said: str = namespace.core.read_namespaced_pod_log(name, namespace.name)
    assert phase == "Succeeded", said
    return said


def _pod(name: str, image: str, command: list[str]) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "runAsGroup": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "main",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": command,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def test_the_programs_run_as_nobody_in_particular_on_a_read_only_root(
    images: None, namespace: Namespace
) -> None:
    assert __version__ in run(namespace, OPERATOR, "kausa", "--version")
    assert "serve until SIGTERM" in run(namespace, EMBEDDER, "kausa-embedder", "--help")


@pytest.mark.parametrize("image", [OPERATOR, EMBEDDER], ids=["operator", "embedder"])
def test_an_image_has_no_shell_compiler_or_installer_and_nothing_that_may_be_written(
    images: None, namespace: Namespace, image: str
) -> None:
    said = run(namespace, image, "python3", "-c", LOOK)
    seen = [line.split(" ", 1) for line in said.splitlines()]
    assert [line for line in seen if line[0] == "unwanted"] == []
    # Folders for everybody, into which the root being read-only lets nobody write; and what the
    # kubelet mounts.
    mounted = ("/dev", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/proc", "/sys")
    assert [
        path for word, path in seen if word == "writable" and not path.startswith(mounted)
    ] == []
    assert "uid 65532 prefix /opt/kausa" in said


@pytest.mark.parametrize("image", [OPERATOR, EMBEDDER], ids=["operator", "embedder"])
def test_everything_that_a_service_imports_is_in_its_image_and_compiled(
    images: None, namespace: Namespace, image: str
) -> None:
    script = (
        f"import {IMPORTS[image]}, sys\n"
        "ours = [each for each in sys.modules.values()"
        " if (getattr(each, '__file__', None) or '').startswith('/opt/kausa')]\n"
        "bare = [each.__name__ for each in ours if each.__file__.endswith('.py')"
        " and not __import__('os').path.exists(each.__cached__)]\n"
        "print(len(ours) > 100, bare)"
    )
    assert run(namespace, image, "python3", "-c", script).strip() == "True []"


def test_the_embedder_carries_its_model_and_needs_no_hub(
    images: None, namespace: Namespace
) -> None:
    script = (
        "from kausa_embedder.settings import Settings\n"
        "from kausa_embedder.loading import load\n"
        "loaded = load(Settings.from_environment().engine_options())\n"
        "print(loaded.spec.name)"
    )
    assert run(namespace, EMBEDDER, "python3", "-c", script).strip() == "all-MiniLM-L6-v2-w8a8"
