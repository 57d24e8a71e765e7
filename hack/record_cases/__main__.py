"""Record the cases in tests/cases anew: each scenario runs on a real node and is written down.

python -m hack.record_cases --kubeconfig FILE [--only TEXT ...] [--at-once 12]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from hack.record_cases.cleaning import cleaned
from hack.record_cases.cluster import Cluster
from hack.record_cases.scenario import Manifest, Scenario
from hack.record_cases.scenarios import SCENARIOS
from hack.record_cases.writing import write_case

CASES = Path(__file__).resolve().parents[2] / "tests" / "cases"


def main() -> int:
    """The exit code: 0 where all were recorded, 2 for arguments that name none."""
    options = _options()
    wanted = [
        each
        for each in SCENARIOS
        if not options.only or any(text in each.id for text in options.only)
    ]
    if not wanted:
        known = ", ".join(each.id for each in SCENARIOS)
        print(f"record-cases: no scenario is called that. There are: {known}.", file=sys.stderr)
        return 2
    print(f"record-cases: {len(wanted)} scenarios, {options.at_once} at once", flush=True)
    with (
        Cluster(kubeconfig=options.kubeconfig) as cluster,
        ThreadPoolExecutor(max_workers=options.at_once) as pool,
    ):
        running = [pool.submit(_record, each, cluster=cluster) for each in wanted]
        failed = [each.exception() for each in running]
    problems = [
        f"{scenario.id}: {error!r}"
        for scenario, error in zip(wanted, failed, strict=True)
        if error is not None
    ]
    print("\n".join((f"{len(wanted) - len(problems)} recorded", *problems)))
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="record-cases", description=__doc__)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--only", nargs="*", default=[], help="record those whose id holds this")
    parser.add_argument("--at-once", type=int, default=12)
    return parser.parse_args()


def _record(scenario: Scenario, *, cluster: Cluster) -> None:
    namespace = scenario.id
    cluster.make_namespace(namespace, labels=scenario.labels)
    try:
        _run(cluster, scenario, namespace=namespace)
        recorded_at = datetime.now(UTC)
        objects = cleaned(cluster.objects(namespace=namespace, made=scenario.cluster_wide))
        write_case(
            CASES / scenario.id,
            scenario,
            namespace=namespace,
            server_version=cluster.version,
            recorded_at=recorded_at,
            objects=_only_own_nodes(objects, scenario),
            logs=_logs(cluster, objects, namespace=namespace),
        )
        print(f"  {scenario.id}: {len(objects)} objects", flush=True)
    finally:
        cluster.delete_namespace(namespace)
        for manifest in scenario.cluster_wide:
            cluster.delete(manifest)


def _run(cluster: Cluster, scenario: Scenario, *, namespace: str) -> None:
    for manifest in scenario.cluster_wide:
        cluster.apply(manifest, namespace=None)
    for name, data in scenario.secrets.items():
        cluster.make_secret(name, namespace=namespace, data=data)
    for step in scenario.steps:
        for name, replicas in step.scale.items():
            cluster.scale(name, namespace=namespace, replicas=replicas)
        for manifest in step.manifests:
            cluster.apply(manifest, namespace=namespace)
        time.sleep(step.seconds)


def _logs(
    cluster: Cluster, objects: Sequence[Manifest], *, namespace: str
) -> dict[tuple[str, str, bool], str]:
    found = {}
    for pod in (each for each in objects if each["kind"] == "Pod"):
        name = pod["metadata"]["name"]
        spec = pod["spec"]
        for each in (*spec.get("initContainers", ()), *spec["containers"]):
            for previous in (False, True):
                found[name, each["name"], previous] = cluster.log(
                    name, each["name"], namespace=namespace, previous=previous
                )
    return found


def _only_own_nodes(objects: Sequence[Manifest], scenario: Scenario) -> list[Manifest]:
    """Without the nodes, and the like, that another scenario made meanwhile."""
    own = {(each["kind"], each["metadata"]["name"]) for each in scenario.cluster_wide}
    others = {
        (each["kind"], each["metadata"]["name"])
        for scenario_ in SCENARIOS
        for each in scenario_.cluster_wide
    } - own
    return [each for each in objects if (each["kind"], each["metadata"]["name"]) not in others]


if __name__ == "__main__":
    sys.exit(main())
