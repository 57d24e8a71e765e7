from __future__ import annotations

import subprocess

import pytest

from localcluster import firewall
from localcluster.errors import CannotRun

OURS = r"""
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:CNI-DN-aaa - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A CNI-DN-aaa -p tcp -m tcp --dport 18080 -j DNAT --to-destination 10.187.88.4:8080
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"kausa-local\" id: \"4b\"" -j CNI-DN-aaa
COMMIT
"""  # noqa: E501
THEIRS = """\
:CNI-DN-bbb - [0:0]
:KUBE-SERVICES - [0:0]
-A CNI-DN-bbb -p tcp -j DNAT --to-destination 10.1.0.4:80
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"other\\" id: \\"5c\\"" -j CNI-DN-bbb
COMMIT
"""
PROXY = """\
*filter
:INPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -j KUBE-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""
SHARED = OURS.replace("COMMIT\n", THEIRS)


def test_an_untouched_table_needs_nothing() -> None:
    assert firewall.undo("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n", before=[]) == []
    assert firewall.undo("", before=[]) == []


def test_all_chains_of_the_plugin_go_where_only_ours_are_there() -> None:
    steps = firewall.undo(OURS, before=[])
    assert [step[:2] for step in steps] == [
        ["-D", "CNI-HOSTPORT-DNAT"],
        ["-D", "PREROUTING"],
        ["-D", "OUTPUT"],
        ["-F", "CNI-DN-aaa"],
        ["-F", "CNI-HOSTPORT-DNAT"],
        ["-X", "CNI-DN-aaa"],
        ["-X", "CNI-HOSTPORT-DNAT"],
    ]


def test_a_comment_with_quotes_is_one_argument_when_its_rule_is_deleted() -> None:
    first = firewall.undo(OURS, before=[])[0]
    assert 'dnat name: "kausa-local" id: "4b"' in first


def test_chains_of_another_network_stay_with_what_leads_to_them() -> None:
    steps = firewall.undo(SHARED, before=["KUBE-SERVICES"])
    assert [step[:2] for step in steps] == [
        ["-D", "CNI-HOSTPORT-DNAT"],
        ["-F", "CNI-DN-aaa"],
        ["-X", "CNI-DN-aaa"],
    ]
    assert "CNI-DN-aaa" in steps[0]


def test_shared_chains_that_were_there_before_stay() -> None:
    touched = {step[1] for step in firewall.undo(OURS, before=["CNI-HOSTPORT-DNAT"])}
    assert touched == {"CNI-HOSTPORT-DNAT", "CNI-DN-aaa"}
    assert ["-X", "CNI-HOSTPORT-DNAT"] not in firewall.undo(OURS, before=["CNI-HOSTPORT-DNAT"])


def test_the_nat_table_is_cut_out_of_a_whole_listing() -> None:
    whole = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    assert firewall.chains(firewall.table(whole, "nat")) == ["OUTPUT"]
    assert firewall.table("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "nat") == ""


def test_a_table_is_bare_only_without_rules_and_chains_of_anyone() -> None:
    assert firewall.is_bare("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n")
    assert not firewall.is_bare(OURS)
    assert not firewall.is_bare("*nat\n:DOCKER - [0:0]\nCOMMIT\n")
    assert not firewall.is_bare("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n")
    assert firewall.is_bare("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n")


def test_the_proxys_chains_go_with_what_leads_to_them() -> None:
    steps = firewall.undo(PROXY, before=[])
    assert [step[:2] for step in steps] == [
        ["-D", "INPUT"],
        ["-D", "INPUT"],
        ["-D", "OUTPUT"],
        ["-F", "KUBE-FIREWALL"],
        ["-F", "KUBE-NODEPORTS"],
        ["-F", "KUBE-SERVICES"],
        ["-X", "KUBE-FIREWALL"],
        ["-X", "KUBE-NODEPORTS"],
        ["-X", "KUBE-SERVICES"],
    ]
    assert "kubernetes health check service ports" in steps[0]


def test_a_chain_that_a_kubelet_had_before_stays() -> None:
    steps = firewall.undo(PROXY, before=["INPUT", "KUBE-FIREWALL"])
    assert not [step for step in steps if "KUBE-FIREWALL" in step]
    assert ["-X", "KUBE-NODEPORTS"] in steps


@pytest.mark.parametrize("chain", ["KUBE-SERVICES", "KUBE-FIREWALL"])
def test_rules_of_another_kube_proxy_are_refused_and_a_kubelets_are_not(
    chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = f"*nat\n:OUTPUT ACCEPT [0:0]\n:{chain} - [0:0]\nCOMMIT\n"
    monkeypatch.setattr(
        firewall, "run", lambda command: subprocess.CompletedProcess(command, 0, saved, "")
    )
    if chain == firewall.SERVICES:
        with pytest.raises(CannotRun, match="kube-proxy has rules here already"):
            firewall.check_free()
    else:
        firewall.check_free()


def test_the_machine_is_put_back_table_by_table(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, PROXY, "")

    monkeypatch.setattr(firewall, "run", run)
    firewall.clean({"iptables filter": ["INPUT"], "ip6tables filter": ["INPUT"]})
    assert ("iptables", "-w", "5", "-t", "filter", "-X", "KUBE-SERVICES") in asked
    assert ("ip6tables", "-w", "5", "-t", "filter", "-X", "KUBE-SERVICES") in asked
    assert not [command for command in asked if "nft" in command or "mangle" in command]
