"""Commands of the documentation that a real API server is enough for, typed as they stand.

No Pod has to run for them. Names that a page made up are put in the place of those of the test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.rendering import CHART, Helm
from docs.pages import ROOT, Block, all_pages, blocks_run_by, commands_of
from docs.running import type_in
from kubernetes import client

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

Kubectl = Callable[..., subprocess.CompletedProcess[str]]
THIS = Path(__file__).relative_to(ROOT).as_posix()
STILL: dict[str, Any] = {"replicas": 0, "embedder": {"replicas": 0}}
AGGREGATED = ("clusterrole/kausa-view", "clusterrole/kausa-edit")


def blocks(words: str) -> list[Block]:
    """Those that this test types, and that have these words."""
    found = [each for each in blocks_run_by(THIS) if words in each.text]
    assert found, f"no page says that {words} is run here"
    return found


def yaml_of(page: str, words: str) -> str:
    """What a page tells people to write into a file."""
    (found,) = (
        each.text
        for each in next(one for one in all_pages() if str(one) == page).blocks
        if each.language == "yaml" and words in each.text
    )
    return found


def test_every_block_that_names_this_test_is_typed_by_it() -> None:
    words = ("--server-side", "one-namespace.yaml", "--from=cronjob", "clusterrolebinding")
    typed = {str(block) for each in words for block in blocks(each)}
    assert {str(each) for each in blocks_run_by(THIS)} <= typed


# -- one namespace ---------------------------------------------------------------------------------


@pytest.fixture
def tenant(kubectl: Kubectl, kubeconfig: str, restricted: str, tmp_path: Path) -> str:
    """A kubeconfig of somebody who is `admin` of one namespace, and nothing elsewhere."""
    kubectl("create", "serviceaccount", "tenant", "-n", restricted)
    bound = f"--serviceaccount={restricted}:tenant"
    kubectl("create", "rolebinding", "tenant", "--clusterrole=admin", bound, "-n", restricted)
    config = yaml.safe_load(Path(kubeconfig).read_text())
    token = kubectl("create", "token", "tenant", "-n", restricted).stdout.strip()
    config["users"] = [{"name": each["name"], "user": {"token": token}} for each in config["users"]]
    path = tmp_path / "tenant.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


@pytest.fixture
def with_helm(helm: Helm) -> str:
    """What finds Helm in a shell."""
    return f"export PATH={helm.path.parent}:$PATH\n"


@pytest.fixture
def admin_was_here(
    kubectl: Kubectl, kubeconfig: str, restricted: str, with_helm: str
) -> Iterator[None]:
    """What the page asks of an admin of the cluster, typed; of the cluster it is undone."""
    there = [each for each in AGGREGATED if kubectl("get", each).returncode == 0]
    try:
        for block in blocks("--server-side"):
            for command in commands_of(block):
                typed = re.sub(r"\bshop\b", restricted, command)
                # Other tests may have written the same with another field manager.
                typed = typed.replace("--server-side", "--server-side --force-conflicts")
                type_in(with_helm + typed, folder=ROOT, kubeconfig=kubeconfig)
        yield
    finally:
        for each in AGGREGATED:
            if each not in there:
                kubectl("delete", each)


@pytest.mark.usefixtures("admin_was_here")
def test_who_has_only_a_namespace_installs_and_upgrades_in_it(
    tenant: str, helm: Helm, with_helm: str, restricted: str, tmp_path: Path, api: Any
) -> None:
    values = yaml.safe_load(yaml_of("docs/install.md", "rbac: {create: false}"))
    values["watch"]["namespace"] = restricted
    (tmp_path / "one-namespace.yaml").write_text(yaml.safe_dump(values | STILL))
    os.symlink(ROOT / "charts", tmp_path / "charts")
    for block in blocks("one-namespace.yaml"):
        for command in commands_of(block):
            typed = re.sub(r"\bshop\b", restricted, command)
            type_in(with_helm + typed, folder=tmp_path, kubeconfig=tenant)
    found = client.AppsV1Api(api).list_namespaced_deployment(restricted).items
    assert {each.metadata.name for each in found} == {"kausa", "kausa-embedder"}
    gone = helm.at(tenant, home=tmp_path).run("uninstall", "kausa", "-n", restricted, timeout=120)
    assert gone.returncode == 0, gone.stderr


def test_who_has_only_a_namespace_cannot_give_the_operator_its_rights(
    tenant: str, helm: Helm, restricted: str, tmp_path: Path
) -> None:
    """Why the page asks for an admin: the roles are more than `admin` of a namespace."""
    values = {**STILL, "watch": {"namespace": restricted}, "crds": {"enabled": False}}
    values |= {"rbac": {"aggregate": False}}
    tried = helm.at(tenant, home=tmp_path).run(
        *("install", "kausa", str(CHART), "-n", restricted), values=values, timeout=120
    )
    assert tried.returncode != 0
    assert "RBAC permissions not currently held" in tried.stderr


# -- backups of a server ---------------------------------------------------------------------------


def test_jobs_that_list_and_restore_backups_are_made_as_the_page_says(
    kubectl: Kubectl, kubeconfig: str, installing: Helm, restricted: str, tmp_path: Path
) -> None:
    values = {
        **STILL,
        "fullnameOverride": "kausa",
        "crds": {"enabled": False},
        "rbac": {"create": False},
        "clusterName": "a",
        "memory": {"mode": "external", "external": {"url": "http://qdrant:6333"}},
        "backup": {"enabled": True},
    }
    done = installing.run("install", restricted, str(CHART), "-n", restricted, values=values)
    assert done.returncode == 0, done.stderr
    (tmp_path / "list.yaml").write_text(yaml_of("docs/operate.md", "os.listdir"))
    (tmp_path / "restore.yaml").write_text(yaml_of("docs/operate.md", "memory, restore, --yes"))
    for block in blocks("--from=cronjob"):
        for command in commands_of(block):
            typed = command.replace("-n kausa-system", f"-n {restricted}")
            type_in(typed, folder=tmp_path, kubeconfig=kubeconfig)

    def pod(name: str) -> dict[str, Any]:
        job = json.loads(kubectl("get", "job", name, "-n", restricted, "-o", "json").stdout)
        found: dict[str, Any] = job["spec"]["template"]["spec"]
        return found

    nightly = json.loads(
        kubectl("get", "cronjob", "kausa-backup", "-n", restricted, "-o", "json").stdout
    )["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    listing, restoring = pod("list"), pod("restore")
    assert "initContainers" not in listing
    (show,) = listing["containers"]
    assert show["volumeMounts"] == nightly["containers"][0]["volumeMounts"]
    folder = tmp_path / "backups"
    (folder / "kausa-backup-29410217").mkdir(parents=True)
    program = show["args"][0].replace("/backups", str(folder))
    said = type_in(f"{show['command'][0]} -c {json.dumps(program)}", folder=tmp_path)
    assert said == "kausa-backup-29410217\n"
    (restore,) = restoring["initContainers"]
    assert restore["args"] == ["memory", "restore", "--yes", "/backups/kausa-backup-29410217"]
    (before,) = nightly["initContainers"]
    assert restore["env"] == before["env"], "where the server is, and its key"
    assert restoring["containers"][0]["args"] == ["print('restored')"], "it removes no backup"


# -- dry runs --------------------------------------------------------------------------------------


def test_the_right_to_dry_runs_is_granted_as_the_page_says(
    kubectl: Kubectl, kubeconfig: str, restricted: str
) -> None:
    (block,) = blocks("kubectl create clusterrolebinding kausa-dry-run")
    made = ("clusterrole/kausa-dry-run", "clusterrolebinding/kausa-dry-run")
    kubectl("delete", "--ignore-not-found", *made)
    try:
        for command in commands_of(block):
            typed = command.replace("NAMESPACE:NAME", f"{restricted}:default")
            type_in(typed, folder=ROOT, kubeconfig=kubeconfig)
        account = f"--as=system:serviceaccount:{restricted}:default"
        asked = kubectl("auth", "can-i", "patch", "deployments", account, "-n", restricted)
        assert asked.stdout.strip() == "yes", asked.stderr
    finally:
        kubectl("delete", "--ignore-not-found", *made)
