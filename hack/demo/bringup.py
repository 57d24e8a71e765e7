"""From nothing to a table that fills: cluster, definitions, operator, workloads.

What each step makes is recorded before it is made, so that a kill between two steps leaves nothing
that `down` would not find.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

from hack.demo import clustertool, kubectl, operator_process, removal, shop
from hack.demo.console import say
from hack.demo.hints import hints, whereabouts
from hack.demo.kubectl import Kubectl
from hack.demo.operator_process import Operator
from hack.demo.place import MANIFESTS, Place
from hack.demo.progress import Progress
from hack.demo.record import Record
from hack.demo.watching import Drawn, Printed, watch


def up(place: Place, *, keep: bool) -> None:
    """Raises DemoError, with what was made still there, or Interrupted."""
    operator_process.check_installed()
    if keep:
        say("Ctrl-C at any moment removes everything again.")
    client, record = _cluster(place)
    say("Applying the definitions of FailureDiagnosis and Runbook.")
    shop.define(client)
    shop.open_(client)
    operator = _operator(place, client, record)
    say("Starting five workloads that fail, each in its own way, and a healthy one.")
    since = time.monotonic()
    shop.stock(client)
    say(f"  what they are: {MANIFESTS}")

    def when_settled(progress: Progress) -> str:
        return hints(
            progress.table,
            kubeconfig=client.kubeconfig,
            kubectl=client.binary,
            search_path=os.environ.get("PATH", ""),
        )

    view = Drawn() if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else Printed()
    progress = watch(
        client, operator, view, place=place, since=since, keep=keep, when_settled=when_settled
    )
    say(f"All five were diagnosed {progress.full_after or 0:.1f} s after they were started.")
    say("The operator and the workloads go on; `make demo-down` removes everything.")


def _cluster(place: Place) -> tuple[Kubectl, Record]:
    earlier = Record.load(place.record)
    there = clustertool.is_there()
    if earlier is None:
        record = Record(owns_cluster=not there)
    else:
        say("An earlier demo is still there; starting over.")
        operator_process.stop(place, earlier)
        clustertool.interrupt_up(place)
        present = removal.cluster_id(place, earlier.kubeconfig) if there else ""
        record = replace(earlier.followed_by(there=there, present=present), operator=None)
    record.save(place.record)
    first = "" if there else " (the first time builds Kubernetes: some minutes)"
    say(f"Bringing the cluster up{first}.")
    clustertool.up(place)
    client = Kubectl(kubectl.required(place), clustertool.kubeconfig())
    record = replace(
        record,
        kubeconfig=str(client.kubeconfig),
        cluster=removal.cluster_id(place, client.kubeconfig),
        crds=tuple(dict.fromkeys((*record.crds, *shop.missing_definitions(client)))),
    )
    record.save(place.record)
    return client, record


def _operator(place: Place, client: Kubectl, record: Record) -> Operator:
    operator = operator_process.start(place, client.kubeconfig)
    replace(record, operator=operator.started).save(place.record)
    say(f"Starting the operator. {whereabouts(place)}")
    operator.wait_until_it_watches()
    return operator
