"""The memory and its backups, for every switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chart.rendering import Rendered, environment, nested

pytestmark = pytest.mark.chart

Render = Callable[..., Rendered]


def server(**more: Any) -> dict[str, Any]:
    external = {"url": "https://qdrant.example:6333", **more}
    return {"clusterName": "prod-eu", "memory": {"mode": "external", "external": external}}


def volumes(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in pod["volumes"]}


# -- embedded --------------------------------------------------------------------------------------


def test_the_embedded_memory_is_in_a_claim_that_outlives_the_release(defaults: Rendered) -> None:
    claim = defaults.one("PersistentVolumeClaim", "kausa-memory")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert "storageClassName" not in claim["spec"], "the cluster's default"
    source = volumes(defaults.pod())["memory"]["persistentVolumeClaim"]
    assert source == {"claimName": "kausa-memory"}
    mounted = {each["name"]: each["mountPath"] for each in defaults.container()["volumeMounts"]}
    path = defaults.environment()["KAUSA_MEMORY_PATH"]
    assert path == f"{mounted['memory']}/memory", "a folder of its own, beside lost+found"


def test_the_claim_is_as_it_was_asked_for(render: Render) -> None:
    volume = {
        "storageClass": "fast",
        "size": "9Gi",
        "keep": False,
        "annotations": {"a": "b"},
        "accessModes": ["ReadWriteOncePod"],
    }
    claim = render(nested("memory.embedded.persistence", volume)).one(
        "PersistentVolumeClaim", "kausa-memory"
    )
    assert claim["metadata"]["annotations"] == {"a": "b"}
    assert claim["spec"] == {
        "storageClassName": "fast",
        "accessModes": ["ReadWriteOncePod"],
        "resources": {"requests": {"storage": "9Gi"}},
    }


def test_a_claim_of_ones_own_and_a_folder_of_the_pod_are_taken_instead(render: Render) -> None:
    mine = render(nested("memory.embedded.persistence.existingClaim", "mine"))
    assert not mine.all("PersistentVolumeClaim")
    assert volumes(mine.pod())["memory"]["persistentVolumeClaim"] == {"claimName": "mine"}
    folder = render(nested("memory.embedded.persistence.enabled", False))
    assert not folder.all("PersistentVolumeClaim")
    assert volumes(folder.pod())["memory"]["emptyDir"] == {"sizeLimit": "5Gi"}


@pytest.mark.parametrize(("mode", "migrates"), [("embedded", "true"), ("external", "false")])
def test_who_has_the_memory_alone_migrates_it_by_itself(
    render: Render, mode: str, migrates: str
) -> None:
    found = render(server() if mode == "external" else {})
    assert found.environment()["KAUSA_MEMORY_MIGRATE"] == migrates
    other = nested(f"memory.{mode}.migrate", migrates == "false")
    if mode == "external":
        other = server(migrate=True)
    assert render(other).environment()["KAUSA_MEMORY_MIGRATE"] != migrates


# -- none ------------------------------------------------------------------------------------------


def test_without_a_memory_there_is_no_embedder_and_no_claim(render: Render) -> None:
    found = render(nested("memory.mode", "none"))
    assert found.names("Deployment") == ["kausa"]
    assert not found.all("PersistentVolumeClaim")
    told = found.environment()
    assert told["KAUSA_MEMORY_ENABLED"] == "false"
    assert not [name for name in told if name.startswith("KAUSA_EMBEDDER")]
    assert found.names("Secret") == ["kausa-redaction"]


# -- a server --------------------------------------------------------------------------------------


def test_a_server_is_told_with_its_key_in_a_secret(render: Render) -> None:
    found = render(server(existingSecret={"name": "qdrant", "key": "k"}))
    told = found.environment()
    assert told["KAUSA_MEMORY_STORE"] == "server"
    assert told["KAUSA_MEMORY_URL"] == "https://qdrant.example:6333"
    assert told["KAUSA_MEMORY_API_KEY"] == {"secretKeyRef": {"name": "qdrant", "key": "k"}}
    assert told["KAUSA_CLUSTER_NAME"] == "prod-eu"
    assert not {"KAUSA_MEMORY_GRPC", "KAUSA_MEMORY_CA_FILE", "KAUSA_MEMORY_PATH"} & set(told)
    assert "memory" not in volumes(found.pod())
    assert not found.all("PersistentVolumeClaim")


def test_all_that_a_server_can_want_is_told(render: Render) -> None:
    found = render(
        server(
            grpc={"enabled": True, "port": 7334},
            tls={"existingSecret": "tls", "clientCertificate": True},
            prefix="blue",
            replicationFactor=3,
        )
    )
    told = found.environment()
    assert (told["KAUSA_MEMORY_GRPC"], told["KAUSA_MEMORY_GRPC_PORT"]) == ("true", "7334")
    assert told["KAUSA_MEMORY_PREFIX"] == "blue"
    assert told["KAUSA_MEMORY_REPLICATION_FACTOR"] == "3"
    assert volumes(found.pod())["memory-tls"]["secret"]["secretName"] == "tls"
    for name, file in (("CA", "ca.crt"), ("CERT", "tls.crt"), ("KEY", "tls.key")):
        assert told[f"KAUSA_MEMORY_{name}_FILE"] == f"/etc/kausa/memory-tls/{file}"
    only_trust = render(server(tls={"existingSecret": "tls"})).environment()
    assert "KAUSA_MEMORY_CERT_FILE" not in only_trust


# -- backups ---------------------------------------------------------------------------------------


def job(found: Rendered) -> dict[str, Any]:
    spec: dict[str, Any] = found.one("CronJob", "kausa-backup")["spec"]
    return spec


def container(spec: dict[str, Any]) -> dict[str, Any]:
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    every = [*pod.get("initContainers", []), *pod["containers"]]
    found: dict[str, Any] = next(each for each in every if each["name"] == "backup")
    return found


def test_there_are_no_backups_unless_asked_for(render: Render) -> None:
    assert not render(server()).all("CronJob")


def test_a_backup_is_a_folder_called_as_its_job_in_a_claim_that_stays(render: Render) -> None:
    found = render({**server(existingSecret={"name": "qdrant"}), "backup": {"enabled": True}})
    spec = job(found)
    assert (spec["schedule"], spec["timeZone"]) == ("17 2 * * *", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    run = container(spec)
    assert run["args"] == ["memory", "backup", "/backups/$(JOB_NAME)", "--check"]
    told = environment(run)
    label = "metadata.labels['batch.kubernetes.io/job-name']"
    assert told["JOB_NAME"] == {"fieldRef": {"fieldPath": label}}
    names = {"KAUSA_MEMORY_URL", "KAUSA_MEMORY_API_KEY", "KAUSA_MEMORY_PREFIX"}
    assert names < set(told)
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert volumes(pod)["backups"]["persistentVolumeClaim"]["claimName"] == "kausa-backup"
    claim = found.one("PersistentVolumeClaim", "kausa-backup")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_a_backup_is_as_it_was_asked_for(render: Render) -> None:
    values = {
        **server(tls={"existingSecret": "tls"}),
        "settings": {"KAUSA_MEMORY_BACKUPS": "scroll", "KAUSA_QUEUE_SIZE": 200},
        "backup": {
            "enabled": True,
            "schedule": "0 0 * * 0",
            "timeZone": "Europe/Berlin",
            "check": False,
            "deadlineSeconds": 600,
            "persistence": {"existingClaim": "mine"},
        },
    }
    found = render(values)
    spec = job(found)
    assert (spec["schedule"], spec["timeZone"]) == ("0 0 * * 0", "Europe/Berlin")
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 600
    run = container(spec)
    assert run["args"][-1] == "--no-check"
    told = environment(run)
    assert told["KAUSA_MEMORY_BACKUPS"] == "scroll"
    assert "KAUSA_QUEUE_SIZE" not in told
    assert told["KAUSA_MEMORY_CA_FILE"] == "/etc/kausa/memory-tls/ca.crt"
    pod = volumes(spec["jobTemplate"]["spec"]["template"]["spec"])
    assert pod["backups"]["persistentVolumeClaim"]["claimName"] == "mine"
    assert pod["memory-tls"]["secret"]["secretName"] == "tls"
    assert not found.all("PersistentVolumeClaim")


def test_a_backup_has_annotations_and_variables_of_its_own(render: Render) -> None:
    proxy = {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}
    no_mesh = {"sidecar.istio.io/inject": "false"}
    backup = {"enabled": True, "podAnnotations": no_mesh, "extraEnv": [proxy]}
    spec = job(render({**server(), "backup": backup}))
    assert spec["jobTemplate"]["spec"]["template"]["metadata"]["annotations"] == no_mesh
    assert environment(container(spec))["HTTPS_PROXY"] == "http://proxy:3128"


def test_a_backup_does_not_write_to_a_volume_that_only_the_operator_has(render: Render) -> None:
    audit = {"KAUSA_MEMORY_AUDIT": "file", "KAUSA_MEMORY_AUDIT_PATH": "/audit/memory.jsonl"}
    values = {
        **server(),
        "settings": audit,
        "extraVolumes": [{"name": "audit", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "audit", "mountPath": "/audit"}],
        "backup": {"enabled": True},
    }
    found = render(values)
    assert found.environment()["KAUSA_MEMORY_AUDIT"] == "file"
    told = environment(container(job(found)))
    assert told["KAUSA_MEMORY_AUDIT"] == "log"
    assert "KAUSA_MEMORY_AUDIT_PATH" not in told


def test_old_backups_go_after_a_new_one_is_complete_and_not_before(render: Render) -> None:
    values = {**server(), "backup": {"enabled": True, "keepLast": 3}}
    pod = job(render(values))["jobTemplate"]["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["initContainers"]] == ["backup"]
    (keep,) = pod["containers"]
    assert keep["args"][1:] == ["/backups", "kausa-backup", "3"]
    every = {**server(), "backup": {"enabled": True, "keepLast": 0}}
    pod = job(render(every))["jobTemplate"]["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    assert [each["name"] for each in pod["containers"]] == ["backup"]
