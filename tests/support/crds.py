"""Puts the committed CRDs into a cluster and waits until they are served."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

__all__ = ["apply_crds"]

FOLDER = Path(__file__).resolve().parents[2] / "crds"
APPLY = "application/apply-patch+yaml"


def apply_crds(
    kubeconfig: str, *, folder: Path = FOLDER, timeout: float = 30
) -> dict[str, dict[str, str]]:
    """Apply every CRD in the folder, twice without harm; the conditions of each by its name.

    Raises:
        TimeoutError: a CRD was accepted by the API server, but is not served.
    """
    manifests = [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]
    with config.new_client_from_config(kubeconfig) as api:
        crds = client.ApiextensionsV1Api(api)
        for manifest in manifests:
            crds.patch_custom_resource_definition(
                manifest["metadata"]["name"],
                manifest,
                field_manager="kausa-tests",
                force=True,
                _content_type=APPLY,
            )
        deadline = time.monotonic() + timeout
        return {
            manifest["metadata"]["name"]: _served(api, manifest, deadline=deadline)
            for manifest in manifests
        }


def _served(api: Any, manifest: dict[str, Any], *, deadline: float) -> dict[str, str]:
    """Established comes a moment before the first request is answered, so ask for a list too."""
    crds, objects = client.ApiextensionsV1Api(api), client.CustomObjectsApi(api)
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    while True:
        status = crds.read_custom_resource_definition(name).status
        conditions = {item.type: item.status for item in (status and status.conditions) or []}
        if conditions.get("Established") == "True":
            try:
                objects.list_cluster_custom_object(
                    spec["group"], spec["versions"][0]["name"], spec["names"]["plural"], limit=1
                )
                return conditions
            except client.ApiException as error:
                if error.status != 404:
                    raise
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} is not served; its conditions: {conditions}")
        time.sleep(0.1)
