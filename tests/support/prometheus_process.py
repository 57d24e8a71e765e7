"""A real Prometheus that scrapes what it is told and evaluates the rules it is given."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.embedder_process import free_port

__all__ = ["PrometheusProcess", "prometheus_process"]

READY_SECONDS = 60.0


class PrometheusProcess:
    """Asked over its own API, as Grafana asks it."""

    def __init__(self, *, port: int, log_path: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log_path = log_path

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer; fails with what Prometheus says."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=20) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error
        assert answer["status"] == "success", answer
        assert not answer.get("warnings"), answer
        return answer["data"]

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series that an expression has now."""
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=expr)["result"]
        return found

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes."""
        found: list[dict[str, Any]] = self.get("/api/v1/targets")["activeTargets"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with how their last evaluation went."""
        found = self.get("/api/v1/rules")["groups"]
        return [rule for group in found for rule in group["rules"]]

    def ready(self) -> bool:
        """Whether it serves."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


@contextmanager
def prometheus_process(
    binary: Path, folder: Path, *, targets: Mapping[str, int], rules: Path
) -> Iterator[PrometheusProcess]:
    """One that scrapes these ports of this machine (by job) each second; killed at the end."""
    port = free_port()
    jobs = [
        {
            "job_name": job,
            "static_configs": [
                {
                    "targets": [f"127.0.0.1:{target}"],
                    "labels": {"cluster": "here", "namespace": "kausa-system"},
                }
            ],
        }
        for job, target in targets.items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": jobs,
    }
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(config))
    log_path = folder / "prometheus.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [
                str(binary),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        running = PrometheusProcess(port=port, log_path=log_path)
        deadline = time.monotonic() + READY_SECONDS
        while not running.ready():
            assert process.poll() is None, log_path.read_text()
            assert time.monotonic() < deadline, log_path.read_text()
            time.sleep(0.1)
        yield running
    finally:
        process.kill()
        process.wait(timeout=10)
