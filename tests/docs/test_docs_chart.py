"""What the documentation says of the chart: values that it takes, ways that it opens."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.pages import COMMAND_LANGUAGES, ROOT, Block, all_pages, commands_of
from docs.running import helm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

CHART = ROOT / "charts" / "kausa"
VALUES = tuple(block for page in all_pages() for block in page.blocks if block.key == "values")
EVERYTHING: dict[str, Any] = {
    "clusterName": "docs",
    "memory": {
        "mode": "external",
        "external": {
            "url": "http://qdrant.example:6333",
            "existingSecret": {"name": "qdrant"},
            "grpc": {"enabled": True},
        },
    },
    "model": {"provider": "ollama", "url": "http://ollama.example:11434"},
    "tracing": {"endpoint": "http://collector.example:4318"},
    "embedder": {"model": {"download": True, "volume": {"emptyDir": {}}}},
    "backup": {"enabled": True},
}
"""With all that a NetworkPolicy may have to let through."""


@pytest.fixture(scope="module")
def program() -> Path:
    """Helm, built where it is not there yet."""
    return helm()


def rendered(program: Path, values: str) -> list[dict[str, Any]]:
    """The manifests that the chart makes of values."""
    done = subprocess.run(
        [str(program), "template", "kausa", str(CHART), "--namespace", "kausa-system", "-f", "-"],
        input=values,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@pytest.mark.parametrize("block", VALUES, ids=str)
def test_the_chart_takes_the_values_of_the_docs(program: Path, block: Block) -> None:
    assert block.language == "yaml"
    assert rendered(program, block.text)


def test_values_that_a_command_sets_exist() -> None:
    known = yaml.safe_load((CHART / "values.yaml").read_text())
    given = [
        (str(block), path)
        for page in all_pages()
        for block in page.blocks
        if block.language in COMMAND_LANGUAGES
        for command in commands_of(block)
        for path in re.findall(r"--set(?:-string|-json|-file)?[ =]([\w.]+)=", command)
    ]
    assert given
    for where, path in given:
        inside = known
        for part in path.split("."):
            assert isinstance(inside, dict), f"{where}: there is no {path}"
            assert part in inside, f"{where}: there is no {path}"
            inside = inside[part]


def test_the_backup_of_the_embedded_memory_can_be_made_twice_and_leaves_no_value_behind() -> None:
    """An old Pod of that name is done already, and takes no other arguments."""
    (block,) = (
        each
        for page in all_pages()
        for each in page.blocks
        if each.language in COMMAND_LANGUAGES and "memory-backup.yaml" in each.text
    )
    steps = [" ".join(command.split()) for command in commands_of(block)]
    kinds = [re.sub(r".* (delete|create|wait|upgrade) .*", r"\1", step) for step in steps]
    assert kinds == ["upgrade", "delete", "create", "wait", "delete", "upgrade"]
    assert "--ignore-not-found" in steps[1]
    assert steps[-1].endswith("--set replicas=null"), "as many as before, which may not be 1"


def test_every_page_that_types_kausa_says_where_that_program_is() -> None:
    for name in ("use", "offline", "recall", "model"):
        text = (ROOT / "docs" / f"{name}.md").read_text()
        head = text.split("```", 1)[0]
        assert "`.venv/bin/kausa` after `make install`" in head, name


def ports(policy: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Component, direction and port, by number or name, of all that a policy lets through."""
    spec = policy["spec"]
    component = spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or []:
            assert rule.get("ports"), f"{policy['metadata']['name']} opens every port"
            for port in rule["ports"]:
                yield component, direction, port["port"]


def named_ports(manifests: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, Any], int]]:
    """The number behind a name, by component and name."""
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            pod = manifest["spec"]["template"]
            component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
            for container in pod["spec"]["containers"]:
                for port in container.get("ports", []):
                    yield (component, port["name"]), port["containerPort"]


def test_every_way_that_is_open_stands_in_the_table_of_the_security_page(program: Path) -> None:
    manifests = rendered(program, yaml.safe_dump(EVERYTHING))
    policies = [each for each in manifests if each["kind"] == "NetworkPolicy"]
    names: dict[tuple[str, Any], int] = dict(named_ports(manifests))
    table = table_of_ways()
    opened = {
        (component, direction, names.get((component, port), port))
        for policy in policies
        if "app.kubernetes.io/component" in policy["spec"]["podSelector"].get("matchLabels", {})
        for component, direction, port in ports(policy)
    }
    assert opened
    untold = {each for each in opened if not told(each, table)}
    assert not untold, f"docs/security.md does not tell of {sorted(map(str, untold))}"


def told(way: tuple[str, str, Any], table: list[tuple[str, str, str]]) -> bool:
    """Whether a row has this Pod, this direction and this port, or the value that gives it."""
    given = {6333: "memory.external.url", 6334: "memory.external.grpc.port"}
    given |= {11434: "model.url", 4318: "tracing.endpoint"}
    component, direction, port = way
    return any(
        row[:2] == (component, {"ingress": "in", "egress": "out"}[direction])
        and (re.search(rf"\b{port}\b", row[2]) or given.get(port, "?") in row[2])
        for row in table
    )


def table_of_ways() -> list[tuple[str, str, str]]:
    """Pod, direction and ports of each row."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (in|out) \| [^|]* \| ([^|]*) \|", text, re.MULTILINE)
    assert rows
    return [(pod, direction, ports_) for pod, direction, ports_ in rows]
