from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import pytest

import cluster
from localcluster import api, checks, dns, kubelet, network, pki, proxy
from localcluster.components import NAMES, PORTS, components
from localcluster.errors import CannotRun, ComponentFailed
from localcluster.layout import Layout
from localcluster.local import LocalCluster
from localcluster.locking import exclusive
from localcluster.providers import NamedCluster
from localcluster.supervisor import Supervisor
from localcluster.waiting import wait_for

LAYOUT = Layout(Path("/cache/cluster"))


def test_a_wait_ends_at_its_deadline_with_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_text("".join(f"line {number}\n" for number in range(50)))
    with pytest.raises(ComponentFailed) as failed:
        wait_for("etcd", lambda: False, timeout_s=0.0, log=log)
    lines = str(failed.value).splitlines()
    assert lines[0] == "etcd: not ready after 0 s"
    assert lines[2:] == [f"  | line {number}" for number in range(30, 50)]


def test_a_wait_ends_at_once_when_the_process_died() -> None:
    with pytest.raises(ComponentFailed, match="etcd: its process died"):
        wait_for("etcd", lambda: False, timeout_s=1000, alive=lambda: False)


def test_a_log_that_cannot_be_read_does_not_hide_the_failure(tmp_path: Path) -> None:
    with pytest.raises(ComponentFailed, match="not ready after 0 s"):
        wait_for("etcd", lambda: False, timeout_s=0, log=tmp_path / "none.log")


def test_two_commands_exclude_each_other(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "lock"
    busy = f"Another command .pid {os.getpid()}. holds"
    with exclusive(lock), pytest.raises(Exception, match=busy), exclusive(lock, timeout_s=0):
        pass
    with exclusive(lock, timeout_s=0):
        pass


def test_a_port_that_is_taken_is_refused_with_its_number() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotRun, match=f"Port {port}, which etcd needs, is taken"):
            checks.check_ports({port: "etcd"})
    checks.check_ports({port: "etcd"})


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(CannotRun, match="runs on Linux only"):
        checks.check_platform()


def test_another_user_than_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotRun, match="needs root"):
        checks.check_platform()


def test_a_refusal_is_one_line_and_exit_code_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAUSA_TEST_KUBECONFIG", "/some/config")
    assert cluster.main(["stop", "etcd"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_kubeconfig_prints_the_path_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAUSA_TEST_KUBECONFIG", "/some/config")
    assert cluster.main(["kubeconfig"]) == 0
    assert capsys.readouterr().out == "/some/config\n"


def test_the_names_that_can_be_stopped_are_the_components() -> None:
    assert (*components(LAYOUT, Path("/bin")), "kwok") == NAMES
    assert set(PORTS.values()) <= set(NAMES)


def test_what_makes_and_places_pods_is_not_held_to_twenty_a_second() -> None:
    found = components(LAYOUT, Path("/bin"))
    for name in ("kube-controller-manager", "kube-scheduler"):
        assert "--kube-api-qps=500" in found[name].command


def test_a_node_is_ready_when_it_says_so_and_takes_pods() -> None:
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {}}
    tainted = {**ready, "spec": {"taints": [{"key": "node.kubernetes.io/not-ready"}]}}
    assert api.node_is_ready(json.dumps(ready).encode())
    assert not api.node_is_ready(json.dumps(tainted).encode())
    assert not api.node_is_ready(b"{}")
    assert not api.node_is_ready(b'"not yet"')
    assert not api.node_is_ready(b'{"kind": "Status", "status": "Failure", "code": 404}')
    assert not api.node_is_ready(b"")


def test_the_kubelet_keeps_off_what_is_not_the_clusters() -> None:
    config = json.loads(kubelet.config(LAYOUT))
    assert config["makeIPTablesUtilChains"] is False
    assert config["cgroupRoot"] == "/kausa-cluster"
    assert config["podLogsDir"].startswith(str(LAYOUT.state))


def test_pods_ask_the_bridge_for_names_and_nowhere_else(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "cluster")
    layout.run.mkdir(parents=True)
    assert dns.recorded(layout) is None
    dns.write_config(layout, Path("/built/coredns"))
    corefile = layout.corefile.read_text()
    assert corefile.count(f"bind {network.GATEWAY}\n") == corefile.count("bind ") == 2
    assert corefile.count("{") == corefile.count("}")
    assert "forward" not in corefile
    assert json.loads(kubelet.config(layout))["clusterDNS"] == [network.GATEWAY]
    assert components(layout, Path("/bin"))["coredns"].command[0] == "/built/coredns"


def test_the_proxy_leaves_the_machines_limits_alone_and_answers_on_loopback() -> None:
    config = json.loads(proxy.config(LAYOUT, node="kausa-node"))
    assert set(config["conntrack"].values()) == {0, "0s"}
    assert config["iptables"]["localhostNodePorts"] is False
    for name in ("healthzBindAddress", "metricsBindAddress"):
        assert config[name].startswith("127.0.0.1:")


def test_the_api_server_is_where_the_clusters_service_leads_to() -> None:
    found = components(LAYOUT, Path("/bin"))
    assert f"--advertise-address={network.GATEWAY}" in found["kube-apiserver"].command
    assert f"TCP-LISTEN:6443,bind={network.GATEWAY}," in found["api-forwarder"].command[1]


@pytest.mark.parametrize("word", ["load", "load-image"])
def test_several_archives_are_loaded_one_after_the_other(
    word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(NamedCluster, "load_image", lambda _, file: loaded.append(file))
    monkeypatch.setenv("KAUSA_TEST_KUBECONFIG", "/some/config")
    monkeypatch.chdir(tmp_path)
    assert cluster.main([word, "a.tar", "b.tar"]) == 0
    assert loaded == [tmp_path / "a.tar", tmp_path / "b.tar"]


def test_a_kubeconfig_holds_all_that_it_needs(tmp_path: Path) -> None:
    for name in ("ca.crt", "admin.crt", "admin.key"):
        (tmp_path / name).write_text(name)
    target = tmp_path / "kubeconfig"
    pki.write_kubeconfig(tmp_path, "admin", target)
    document = json.loads(target.read_text())
    assert document["users"][0]["user"]["client-key-data"] == "YWRtaW4ua2V5"
    assert str(tmp_path) not in target.read_text()
    assert target.stat().st_mode & 0o077 == 0


def test_what_a_new_cluster_starts_is_what_was_written_down_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "cluster")
    started: list[tuple[str, ...]] = []

    def prepare(layout: Layout, binaries: Path, *, coredns: Path) -> None:
        layout.run.mkdir(parents=True)
        dns.write_config(layout, coredns)

    def start_all(layout: Layout, supervisor: Supervisor) -> None:
        started.append(supervisor.command("coredns"))

    for place in (
        *("local.check_platform", "local.check_ports", "packages.ensure", "network.check_free"),
        *("firewall.check_free", "records.write_finished"),
    ):
        monkeypatch.setattr(f"localcluster.{place}", lambda *_: None)
    monkeypatch.setattr("localcluster.binaries.ensure", lambda *_: Path("/bin"))
    monkeypatch.setattr("localcluster.binaries.ensure_kubectl", lambda *_: None)
    monkeypatch.setattr("localcluster.dns.ensure", lambda *_: Path("/built/coredns"))
    monkeypatch.setattr("localcluster.bringup.prepare", prepare)
    monkeypatch.setattr("localcluster.bringup.start_all", start_all)
    LocalCluster(layout, {}).up()
    assert started == [("/built/coredns", "-conf", str(layout.corefile), "-dns.port", "53")]
