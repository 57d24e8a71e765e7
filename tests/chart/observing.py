"""What the tests of alerts and dashboard share: their queries, and Debian's Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from support.cluster import REPOSITORY

__all__ = [
    "ALERTS",
    "GROUPS",
    "METRICS_PAGE",
    "PROMTOOL_TESTS",
    "Alert",
    "alerts",
    "expressions",
    "groups",
    "names_in",
    "page_row",
    "panels",
    "selectors_in",
    "tool",
]

FILES = REPOSITORY / "charts" / "kausa" / "files"
ALERTS = FILES / "alerts.yaml"
DASHBOARD = FILES / "dashboard.json"
METRICS_PAGE = REPOSITORY / "docs" / "metrics.md"
PROMTOOL_TESTS = sorted((Path(__file__).parent / "promtool").glob("*.yaml"))
GROUPS = ("recording", "operator", "watch", "memory", "model", "embedder", "backup")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_METRIC = re.compile(r"\b(?:\w+:)?kausa_\w+(?::\w+)?|\b(?:process|kube)_\w+")
_SELECTOR = re.compile(r"(\b(?:\w+:)?kausa_\w+(?::\w+)?)\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of the file."""

    name: str
    group: str
    expr: str
    wait: str
    severity: str
    annotations: dict[str, str]


@cache
def groups() -> dict[str, list[dict[str, Any]]]:
    """The rules of each group."""
    loaded = yaml.safe_load(ALERTS.read_text())
    return {each["name"]: each["rules"] for each in loaded["groups"]}


def alerts() -> list[Alert]:
    """All alerts, in the file's order."""
    return [
        Alert(
            name=rule["alert"],
            group=group,
            expr=rule["expr"],
            wait=rule.get("for", ""),
            severity=rule["labels"]["severity"],
            annotations=rule["annotations"],
        )
        for group, rules in groups().items()
        for rule in rules
        if "alert" in rule
    ]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, rows left out."""
    found = json.loads(DASHBOARD.read_text())["panels"]
    return [each for each in found if each["type"] != "row"]


def expressions() -> dict[str, str]:
    """Every query of rules and dashboard, by where it stands."""
    of_rules = {
        str(rule.get("alert") or rule["record"]): str(rule["expr"])
        for rules in groups().values()
        for rule in rules
    }
    of_panels = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels()
        for target in panel["targets"]
    }
    return of_rules | of_panels


def names_in(expr: str) -> set[str]:
    """The metrics and recorded series that a query names."""
    return set(_METRIC.findall(expr))


def selectors_in(expr: str) -> list[tuple[str, set[str]]]:
    """Each metric that is narrowed, and by which labels."""
    return [(name, set(_LABEL.findall(inside))) for name, inside in _SELECTOR.findall(expr)]


def page_row(alert: Alert) -> str:
    """The alert's row in docs/metrics.md."""
    summary, runbook = (
        _TEMPLATE.sub(_placeholder, alert.annotations[name]).strip()
        for name in ("summary", "runbook")
    )
    return (
        f"| {alert.name} | {alert.severity} | {alert.wait or 'at once'} | {summary} | {runbook} |"
    )


def _placeholder(template: re.Match[str]) -> str:
    label = re.search(r"\$labels\.(\w+)", template[0])
    return label[1].upper() if label is not None else "N"


@cache
def tool(name: str) -> Path:
    """promtool or prometheus, from PATH or from Debian's package."""
    command = [sys.executable, str(REPOSITORY / "hack" / "tools" / "debian.py"), name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())
