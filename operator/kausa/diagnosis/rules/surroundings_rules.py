"""The rules about what stands around a Pod: nodes, volumes, quotas, networks, and controllers."""

from __future__ import annotations

from kausa.diagnosis.rules.batch import cron_job_is_misconfigured, job_failed, job_is_suspended
from kausa.diagnosis.rules.claims import (
    claim_is_not_bound,
    claim_is_resized,
    claim_is_slow,
    claim_waits_rightly,
    volume_has_failed,
)
from kausa.diagnosis.rules.edges import (
    ingress_has_no_class,
    policy_selects_nobody,
    service_has_nobody,
)
from kausa.diagnosis.rules.network_trouble import (
    dns_is_down,
    network_comes_and_goes,
    network_is_parted,
)
from kausa.diagnosis.rules.nodes import node_flaps, node_is_not_ready, node_under_pressure
from kausa.diagnosis.rules.rollouts import (
    budget_allows_nothing,
    daemon_set_fits_no_node,
    deployment_lacks_replicas,
    partition_holds_back,
    rollout_goes_back_and_forth,
    rollout_is_paused,
    selectors_overlap,
    workload_lacks_pods,
)
from kausa.diagnosis.rules.rule import Rule
from kausa.diagnosis.rules.scheduling import no_node_could_fit
from kausa.diagnosis.rules.several import containers_fail_apart
from kausa.diagnosis.rules.system_parts import (
    control_plane_part_fails,
    network_agent_fails,
    storage_agent_fails,
)
from kausa.diagnosis.rules.terminating import deletion_is_stuck
from kausa.diagnosis.rules.unresolved import name_leads_nowhere

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    containers_fail_apart,
    no_node_could_fit,
    claim_is_not_bound,
    claim_is_resized,
    claim_is_slow,
    claim_waits_rightly,
    volume_has_failed,
    name_leads_nowhere,
    service_has_nobody,
    ingress_has_no_class,
    policy_selects_nobody,
    dns_is_down,
    network_is_parted,
    network_comes_and_goes,
    network_agent_fails,
    storage_agent_fails,
    control_plane_part_fails,
    node_flaps,
    node_is_not_ready,
    node_under_pressure,
    partition_holds_back,
    rollout_goes_back_and_forth,
    rollout_is_paused,
    deployment_lacks_replicas,
    workload_lacks_pods,
    budget_allows_nothing,
    daemon_set_fits_no_node,
    selectors_overlap,
    deletion_is_stuck,
    job_is_suspended,
    cron_job_is_misconfigured,
    job_failed,
)
