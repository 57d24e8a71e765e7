"""A containerd of our own: its root, state, socket and runc folder lie in the state."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from localcluster import images, network
from localcluster.errors import CannotRun, ClusterError
from localcluster.layout import Layout
from localcluster.packages import cni_folder, find, static_busybox
from localcluster.processes import run

# Sockets of the shims lie here whatever the configuration says.
SHIM_SOCKETS = Path("/run/containerd/s")
# And so do the notes of the network plugins.
RESULTS = Path("/var/lib/cni/results")

CONFIG = """\
version = 2
root = "{state}/containerd/root"
state = "{state}/containerd/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "{socket}"
[ttrpc]
  address = "{socket}.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{state}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  stream_server_address = "127.0.0.1"
  enable_selinux = false
  disable_apparmor = true
  # Where root lacks CAP_SYS_RESOURCE, no pod starts without this.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{state}/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "{runc}"
        Root = "{state}/containerd/runc"
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{state}/containerd/registries"
"""


def config(layout: Layout, *, plugins: Path, runc: Path) -> str:
    return CONFIG.format(
        state=layout.state,
        socket=layout.socket,
        pause=images.PAUSE,
        plugins=plugins,
        runc=runc,
    )


def write_config(layout: Layout) -> Path:
    plugins, runc = cni_folder(), find("runc")
    if plugins is None or runc is None:
        raise CannotRun("runc and the CNI plugins are needed and are not installed.")
    networks = layout.cni / "net.d"
    networks.mkdir(parents=True, exist_ok=True)
    (networks / "10-kausa.conflist").write_text(network.cni_config(layout.cni / "leases"))
    target = layout.run / "containerd.toml"
    target.write_text(config(layout, plugins=plugins, runc=runc))
    return target


def answers(layout: Layout) -> bool:
    return run(("ctr", "-a", str(layout.socket), "version"), timeout_s=5).returncode == 0


def image_names(layout: Layout) -> list[str]:
    command = ("ctr", "-a", str(layout.socket), "-n", "k8s.io", "images", "ls", "-q")
    return run(command, timeout_s=20).stdout.split()


def load_image(layout: Layout, file: Path) -> None:
    command = ("ctr", "-a", str(layout.socket), "-n", "k8s.io", "images", "import", str(file))
    done = run(command, timeout_s=300)
    if done.returncode:
        raise ClusterError(f"The image of {file} was not taken: {done.stderr.strip()[-300:]}")


def load_test_images(layout: Layout, *, binaries: Path) -> None:
    """The two images that every test may name; already loaded ones cost one question."""
    there = image_names(layout)
    if images.PAUSE not in there:
        load_image(layout, _write(layout, images.pause((binaries / "pause").read_bytes())))
    if images.BUSYBOX not in there:
        busybox = static_busybox()
        if busybox is None:
            raise CannotRun("A static busybox is needed and is not installed.")
        load_image(layout, write_busybox(layout, busybox))


def write_busybox(layout: Layout, busybox: Path) -> Path:
    applets = run((str(busybox), "--list")).stdout.split()
    return _write(layout, images.busybox(busybox.read_bytes(), applets))


def _write(layout: Layout, image: images.Image) -> Path:
    layout.images.mkdir(parents=True, exist_ok=True)
    file = layout.images / f"{image.name.split('/')[-1].replace(':', '-')}.tar"
    file.write_bytes(images.archive(image))
    return file


def shim_sockets(folder: Path = SHIM_SOCKETS) -> list[str]:
    return sorted(str(socket) for socket in folder.glob("*"))


def remove_sockets(before: Iterable[str], unix: Path = Path("/proc/net/unix")) -> None:
    """Takes away what killed shims left: new since `before`, and nobody listens there."""
    stale = stale_sockets(shim_sockets(), before=before, listening=unix.read_text())
    for socket in stale:
        Path(socket).unlink(missing_ok=True)


def stale_sockets(now: Iterable[str], *, before: Iterable[str], listening: str) -> list[str]:
    used = {line.rpartition(" ")[2] for line in listening.splitlines()}
    return [socket for socket in now if socket not in before and socket not in used]


def sandboxes(layout: Layout, results: Path = RESULTS) -> set[str]:
    """The ids of our pods' sandboxes, from wherever one of them left its name before a crash."""
    tasks = layout.containerd.glob("state/io.containerd.runtime.v2.task/k8s.io/*")
    known = layout.containerd.glob("root/io.containerd.grpc.v1.cri/sandboxes/*")
    found = {folder.name for folder in (*tasks, *known)}
    prefix, suffix = f"{network.NETWORK}-", "-eth0"
    for result in results.glob(f"{prefix}*{suffix}"):
        found.add(result.name.removeprefix(prefix).removesuffix(suffix))
    return found


def remove_results(ids: set[str], results: Path = RESULTS) -> None:
    """What the network plugins remember of pods that were killed instead of deleted."""
    for sandbox in ids:
        for name in (f"{network.NETWORK}-{sandbox}-eth0", f"cni-loopback-{sandbox}-lo"):
            (results / name).unlink(missing_ok=True)
