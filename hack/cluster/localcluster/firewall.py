"""The packet filter rules that stay when kube-proxy and pods are killed instead of ended.

Only what is surely ours goes: kube-proxy's chains that were not there before, the port mapping
plugin's chains with our network's name in their comments, the rules that jump to either, and the
plugin's shared chains where the machine had none of them before and nobody else uses them now.
Where another kube-proxy has been at work, its chains and ours would have the same names, so `up`
refuses.
"""

from __future__ import annotations

import re
import shlex

from localcluster.errors import CannotRun
from localcluster.network import NETWORK
from localcluster.processes import run

SHARED = ("CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ")
PROXY = "KUBE-"
SERVICES = "KUBE-SERVICES"
TOOLS = {"iptables": "ip", "ip6tables": "ip6"}
# kube-proxy has a chain in each of them; the plugin has its own in the first.
TABLES = ("nat", "filter", "mangle")
_BUILT_IN = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}


def chains(saved: str) -> list[str]:
    """The chain names of a table as `iptables-save` writes it."""
    return re.findall(r"^:(\S+) ", saved, flags=re.MULTILINE)


def table(saved: str, name: str) -> str:
    """One table of a whole listing; asking for it by name would make it where there is none."""
    found = re.search(rf"^\*{name}$.*?^COMMIT$", saved, flags=re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def key(tool: str, name: str) -> str:
    """How a table is called in the record."""
    return f"{tool} {name}"


def read_chains() -> dict[str, list[str]]:
    """The chains of every table."""
    found: dict[str, list[str]] = {}
    for tool in TOOLS:
        saved = _read(tool)
        found |= {key(tool, name): chains(table(saved, name)) for name in TABLES}
    return found


def check_free() -> None:
    """Refuses to share the names of chains with another kube-proxy."""
    for name, found in read_chains().items():
        if SERVICES in found:
            raise CannotRun(
                f"A kube-proxy has rules here already ({name} has {SERVICES}), and this cluster's"
                " would have the same names. If none runs any more, `kube-proxy --cleanup` or a"
                " restart of the machine takes them away."
            )


def _read(tool: str) -> str:
    return run((f"{tool}-save",)).stdout


def undo(saved: str, *, before: list[str], network: str = NETWORK) -> list[list[str]]:
    """The arguments that take our rules out of a table: rules that jump, then chains."""
    rules = [shlex.split(line) for line in saved.splitlines() if line.startswith("-A ")]
    mine = {
        chain
        for chain in chains(saved)
        if _is_mapped(chain, saved, network=network)
        or (chain.startswith(PROXY) and chain not in before)
    }
    jumps = [rule for rule in rules if _target(rule) in mine and rule[1] not in mine]
    kept = [rule for rule in rules if rule not in jumps and rule[1] not in mine]
    shared = _unused_shared(kept, present=chains(saved), before=before)
    jumps += [rule for rule in kept if _target(rule) in shared]
    doomed = [*sorted(mine), *shared]
    return [
        *(["-D", *rule[1:]] for rule in jumps),
        *(["-F", chain] for chain in doomed),
        *(["-X", chain] for chain in doomed),
    ]


def _unused_shared(rules: list[list[str]], *, present: list[str], before: list[str]) -> list[str]:
    """The shared chains, where they came after us and send nothing to anyone else's chain."""
    ours = [chain for chain in SHARED if chain in present and chain not in before]
    used = any(rule[1] in ours and _target(rule).startswith("CNI-DN-") for rule in rules)
    return [] if used else ours


def _is_mapped(chain: str, saved: str, *, network: str) -> bool:
    """The plugin names the network in the comment of the rule that jumps to a pod's chain."""
    named = rf'^-A .*name: \\?"{re.escape(network)}\\?".* -j {re.escape(chain)}$'
    return chain.startswith("CNI-DN-") and bool(re.search(named, saved, flags=re.MULTILINE))


def _target(rule: list[str]) -> str:
    return rule[rule.index("-j") + 1] if "-j" in rule else ""


def is_bare(saved: str) -> bool:
    """A table with its built-in chains as they are made, and nothing in them."""
    policies = dict(re.findall(r"^:(\S+) (\S+)", saved, flags=re.MULTILINE))
    rules = re.search("^-A ", saved, flags=re.MULTILINE)
    return set(policies) <= _BUILT_IN and set(policies.values()) <= {"ACCEPT"} and not rules


def clean(before: dict[str, list[str]]) -> None:
    for tool, family in TOOLS.items():
        whole = _read(tool)
        for name in TABLES:
            saved = table(whole, name)
            there = before.get(key(tool, name), [])
            for arguments in undo(saved, before=there):
                run((tool, "-w", "5", "-t", name, *arguments))
            # The tool makes the table with its first rule, and only nft can take it away again.
            if saved and not there and is_bare(table(_read(tool), name)):
                run(("nft", "delete", "table", family, name))
