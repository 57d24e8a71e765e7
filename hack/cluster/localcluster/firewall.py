"""The packet filter rules that the port mapping plugin leaves when its pods are killed.

Only what is surely ours goes: chains with our network's name in their comments, the rules that
jump to them, and the plugin's shared chains where the machine had none of them before and nobody
else uses them now.
"""

from __future__ import annotations

import re
import shlex

from localcluster.network import NETWORK
from localcluster.processes import run

SHARED = ("CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ")
TOOLS = {"iptables": "ip", "ip6tables": "ip6"}


def chains(saved: str) -> list[str]:
    """The chain names of a table as `iptables-save` writes it."""
    return re.findall(r"^:(\S+) ", saved, flags=re.MULTILINE)


def nat(saved: str) -> str:
    """The nat table of a whole listing; asking for it by name would make it where there is none."""
    found = re.search(r"^\*nat$.*?^COMMIT$", saved, flags=re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def read_chains() -> dict[str, list[str]]:
    return {tool: chains(_read(tool)) for tool in TOOLS}


def _read(tool: str) -> str:
    return nat(run((f"{tool}-save",)).stdout)


def undo(saved: str, *, before: list[str], network: str = NETWORK) -> list[list[str]]:
    """The arguments that take our rules out of a nat table: rules that jump, then chains."""
    rules = [shlex.split(line) for line in saved.splitlines() if line.startswith("-A ")]
    mine = {chain for chain in chains(saved) if _is_mine(chain, saved, network=network)}
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


def _is_mine(chain: str, saved: str, *, network: str) -> bool:
    """The plugin names the network in the comment of the rule that jumps to a pod's chain."""
    named = rf'^-A .*name: \\?"{re.escape(network)}\\?".* -j {re.escape(chain)}$'
    return chain.startswith("CNI-DN-") and bool(re.search(named, saved, flags=re.MULTILINE))


def _target(rule: list[str]) -> str:
    return rule[rule.index("-j") + 1] if "-j" in rule else ""


def is_bare(saved: str) -> bool:
    """A table with its built-in chains and nothing in them."""
    built_in = {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}
    return set(chains(saved)) <= built_in and not re.search("^-A ", saved, flags=re.MULTILINE)


def clean(before: dict[str, list[str]]) -> None:
    for tool, family in TOOLS.items():
        saved = _read(tool)
        for arguments in undo(saved, before=before.get(tool, [])):
            run((tool, "-w", "5", "-t", "nat", *arguments))
        # The tool makes the table with its first rule, and only nft can take it away again.
        if saved and not before.get(tool) and is_bare(_read(tool)):
            run(("nft", "delete", "table", family, "nat"))
