"""A Kubernetes node on this machine: etcd, the control plane, kubelet, kube-proxy, containerd, CoreDNS.

Run by `script/cluster up|images|shell|status|down`. Standard library only.

Promises:

* Everything runs in a network, a mount and a process namespace of its own. No route leads out of the network, mounts
  end with the mount namespace, and when the first process of the process namespace ends, the kernel ends all others:
  pods, shims and daemons alike. So nothing can be left behind, however the node ends.
* `down` also gives back what no namespace holds: control groups, and the sysctls that the kubelet sets.
* The kubeconfig is the node's own, in the cache folder; nobody else's is read or written.
* Images that were loaded stay in the cache for the next `up`.
* Two runs at once wait for each other; a failure is one sentence, with the end of the log that tells why.

    host ── script/cluster up ──▶ unshare ──▶ PID 1 (this file, `hold`)
                                              ├─ containerd ── shims ── pods
                                              ├─ etcd, kube-apiserver, kube-controller-manager, kube-scheduler
                                              └─ kubelet, kube-proxy
"""

import base64
import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

SCRIPTS = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit"
BIN = CACHE / "bin"
HOME = CACHE / "cluster"
PKI, LOGS, STATE = HOME / "pki", HOME / "logs", HOME / "node.json"
LOCK = Path("/run/lock/scorekit-cluster")
"""One for the machine, whatever the cache folder: its control group and its sysctls are there once."""
KUBECONFIG = HOME / "kubeconfig"
CONTAINERD = HOME / "containerd.sock"

CONTEXT = "minikube"
"""The name of the kubeconfig's context: what the seed's commands, and `ks init`, were written for."""
NODE, ADDRESS, GATEWAY = "minikube", "192.168.77.1", "192.168.77.254"
SERVICES, FIRST_SERVICE, DNS, PODS = "10.96.0.0/16", "10.96.0.1", "10.96.0.10", "10.244.0.0/24"
NETWORK = "scorekit-pods"

PAUSE, COREDNS = "registry.k8s.io/pause:3.10", "registry.k8s.io/coredns/coredns:v1.11.3"
BINARIES = [
    *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"),
    *("coredns", "pause"),
]
PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "conntrack": "conntrack",
    "openssl": "openssl",
    "mount": "mount",
}
CNI = Path("/usr/lib/cni")
# What the kubelet sets for the whole machine, whatever its namespaces.
SYSCTLS = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"]
SYSCTLS += ["kernel/keys/root_maxbytes"]
UP_WITHIN_S, DOWN_WITHIN_S = 180, 30

Result = TypeVar("Result")


class NoCluster(Exception):
    """Says in one sentence why there is no node."""


def say(text: str) -> None:
    print(f"cluster: {text}", file=sys.stderr, flush=True)


# ── on the host ──────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def alone() -> Iterator[None]:
    HOME.mkdir(parents=True, exist_ok=True)
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def started_at(pid: int) -> str | None:
    """When a process began, in clock ticks since boot: process ids come again, but not with the same beginning."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def holder() -> int | None:
    """The process id of the running node's first process; None if no node runs."""
    state = noted()
    return int(state["pid"]) if state and started_at(state["pid"]) == state["started"] else None


def noted() -> dict[str, Any]:
    """What was noted of the last node; empty if there is nothing, or nothing that can be read."""
    try:
        state = json.loads(STATE.read_text())
        return {"pid": int(state["pid"]), **{name: state[name] for name in ("started", "outer", "sysctls")}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def note(state: dict[str, Any]) -> None:
    """Note what is needed to end a node, all of it or nothing."""
    written = STATE.with_suffix(".new")
    written.write_text(json.dumps(state))
    written.replace(STATE)


def faults() -> list[str]:
    """Why a node cannot run here; empty if it can."""
    if sys.platform != "linux":
        return ["a node needs Linux"]
    missing = [name for name in BINARIES if not (BIN / name).is_file()]
    if etcd() is None:
        missing.append("etcd")
    found = [f"script/tools has not built {', '.join(missing)}"] if missing else []
    packages = missing_packages()
    if packages:
        found.append(f"Debian's packages {', '.join(packages)} are missing; script/tools installs them as root")
    if os.geteuid() != 0:
        found.append("a node needs root")
    return found


def missing_packages() -> list[str]:
    """Debian's packages of the programs that are not here."""
    packages = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    return sorted(packages | (set() if (CNI / "bridge").exists() else {"containernetworking-plugins"}))


def etcd() -> Path | None:
    found = BIN / "etcd" if (BIN / "etcd").exists() else shutil.which("etcd")
    return Path(found) if found else None


def up() -> None:
    with alone():
        if holder() is not None:
            say("a node runs already")
            return
        if reasons := faults():
            raise NoCluster("; ".join(reasons))
        if STATE.exists():
            remove()  # a node was killed: what it changed on the machine is restored before it is changed again
        if groups("kubepods"):
            raise NoCluster("another kubelet runs on this machine: it has the control group kubepods")
        began = time.monotonic()
        prepare()
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / "node.log").open("wb") as log:
            command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
            command += ["--propagation", "private", sys.executable, __file__, "hold"]
            outer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        inner = until(lambda: first_child(outer.pid), 10, "unshare has started no process") or 0
        sysctls = {name: sysctl(name) for name in SYSCTLS}
        note({"pid": inner, "started": started_at(inner), "outer": outer.pid, "sysctls": sysctls})
        try:
            follow(outer, began)
        except BaseException:  # a failure, or Ctrl-C: what has half started is not left behind
            remove()
            raise
    say(f"up after {time.monotonic() - began:.1f} s; KUBECONFIG={KUBECONFIG}, reached from script/cluster shell")


def first_child(pid: int) -> int | None:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None


def follow(outer: "subprocess.Popen[bytes]", began: float) -> None:
    """Show the steps of the node's start as they are done, until it is ready. Raises ``NoCluster`` where it ends."""
    shown = 0
    while True:
        lines = (LOGS / "node.log").read_text(errors="replace").splitlines()
        for line in lines[shown:]:
            say(line)
        shown = len(lines)
        if lines and lines[-1] == "ready":
            return
        if outer.poll() is not None or time.monotonic() - began > UP_WITHIN_S:
            raise NoCluster(f"the node did not start; its logs are in {LOGS}")
        time.sleep(0.05)


def sysctl(name: str) -> str:
    return (Path("/proc/sys") / name).read_text().strip()


def down() -> None:
    with alone():
        if not STATE.exists():
            say("nothing to take down")
            return
        remove()
        say("down")


def remove() -> None:
    """End the node, if it runs, and give back what no namespace holds."""
    state = noted()
    pid = holder()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)  # it removes its containers, so that the next node does not find them
        deadline = time.monotonic() + DOWN_WITHIN_S
        while started_at(pid) == state["started"]:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += DOWN_WITHIN_S
            with contextlib.suppress(ChildProcessError):
                os.waitpid(state["outer"], os.WNOHANG)
            time.sleep(0.02)
    for name, value in state.get("sysctls", {}).items():
        if sysctl(name) != value:
            (Path("/proc/sys") / name).write_text(value)
    deadline = time.monotonic() + 5
    while (
        left := groups("kubepods")
    ) and time.monotonic() < deadline:  # a group is busy until its last process is reaped
        for group in left:
            with contextlib.suppress(OSError):
                group.rmdir()
        time.sleep(0.02)
    for name in ("etcd", "kubelet", "pod-logs", "pki", "ipam", "cni", "containerd-state"):
        shutil.rmtree(HOME / name, ignore_errors=True)
    for file in (STATE, KUBECONFIG, CONTAINERD, CONTAINERD.with_suffix(".sock.ttrpc")):
        file.unlink(missing_ok=True)


def groups(name: str) -> list[Path]:
    """The control groups below ``name``, the deepest first, in every hierarchy of version 1 or the one of version 2."""
    root = Path("/sys/fs/cgroup")
    tops = [*root.glob(name), *root.glob(f"*/{name}")]
    return sorted((Path(path) for top in tops for path, _, _ in os.walk(top)), key=lambda each: -len(each.parts))


def enter(command: Sequence[str]) -> None:
    """Become ``command`` in the node's network, with its kubeconfig; without one an interactive shell."""
    pid = holder()
    if pid is None:
        raise NoCluster("no node runs: script/cluster up")
    environ = os.environ | {"KUBECONFIG": str(KUBECONFIG), "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    shell = [os.environ.get("SHELL", "/bin/sh")]
    os.execvpe("nsenter", ["nsenter", f"--net=/proc/{pid}/ns/net", "--", *(command or shell)], environ)


def images(names: Sequence[str]) -> None:
    """Load images of Docker's (or files of `docker save`) into the node; those that it has already are passed over."""
    if holder() is None:
        raise NoCluster("no node runs: script/cluster up")
    loaded = HOME / "images.json"
    known: dict[str, str] = json.loads(loaded.read_text()) if loaded.exists() else {}
    for name in names:
        if Path(name).is_file():
            import_image(Path(name).read_bytes())
            continue
        inspected = subprocess.run(
            ["docker", "image", "inspect", "--format", "{{.Id}}", name], capture_output=True, text=True, check=False
        )
        if inspected.returncode:
            raise NoCluster(f"Docker has no image {name}: {inspected.stderr.strip()}")
        identity = inspected.stdout.strip()
        if known.get(name) == identity:
            continue
        began = time.monotonic()
        with subprocess.Popen(["docker", "save", name], stdout=subprocess.PIPE) as saved:
            done = subprocess.run(
                [*ctr(), "images", "import", "-"], stdin=saved.stdout, capture_output=True, text=True, check=False
            )
        if saved.returncode or done.returncode:
            raise NoCluster(f"image {name} was not loaded: {done.stderr.strip()}")
        known[name] = identity
        loaded.write_text(json.dumps(known))
        say(f"{name} loaded in {time.monotonic() - began:.1f} s")


def ctr() -> list[str]:
    return ["ctr", "--address", str(CONTAINERD), "--namespace", "k8s.io"]


def import_image(archive: bytes) -> None:
    done = subprocess.run([*ctr(), "images", "import", "-"], input=archive, capture_output=True, check=False)
    if done.returncode:
        raise NoCluster(f"an image was not loaded: {done.stderr.decode().strip()}")


# ── what is written before the start ─────────────────────────────────────────────────────────────────────────────────


def prepare() -> None:
    for name in ("etcd", "kubelet", "pod-logs", "pki", "ipam", "cni"):
        shutil.rmtree(HOME / name, ignore_errors=True)
        (HOME / name).mkdir(parents=True)
    certificates()
    (HOME / "cni" / "10-pods.conflist").write_text(json.dumps(pod_network()))
    (HOME / "containerd.toml").write_text(CONTAINERD_CONFIG)
    (HOME / "kubelet.json").write_text(json.dumps(kubelet_config()))
    (HOME / "resolv.conf").write_text("nameserver 127.0.0.1\n")  # no name outside the cluster is resolved


def certificates() -> None:
    """An authority for a week, and a pair for each daemon and the administrator, with the users' kubeconfigs."""
    key("ca")
    key("service-accounts")
    openssl(
        "req",
        "-x509",
        "-new",
        "-key",
        f"{PKI}/ca.key",
        "-subj",
        "/CN=cluster-ca",
        "-days",
        "7",
        "-out",
        f"{PKI}/ca.crt",
    )
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    addresses = [ADDRESS, "127.0.0.1", FIRST_SERVICE]
    alternatives = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)])
    certificate("apiserver", "kube-apiserver", "kubernetes", alternatives)
    certificate("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    certificate("kubelet", f"system:node:{NODE}", "system:nodes", f"IP:{ADDRESS},DNS:{NODE}")
    for name, user, group in (
        ("admin", "minikube", "system:masters"),
        ("kube-controller-manager", "system:kube-controller-manager", "system:kube-controller-manager"),
        ("kube-scheduler", "system:kube-scheduler", "system:kube-scheduler"),
        ("kube-proxy", "system:node-proxier", "system:node-proxier"),
    ):
        certificate(name, "system:kube-proxy" if name == "kube-proxy" else user, group)
    for name in ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
        (PKI / f"{name}.conf").write_text(json.dumps(kubeconfig(name)))
    KUBECONFIG.touch(mode=0o600)
    KUBECONFIG.write_text(json.dumps(kubeconfig("admin"), indent=1))


def key(name: str) -> None:
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{PKI}/{name}.key")


def certificate(name: str, user: str, group: str, alternatives: str = "") -> None:
    key(name)
    request = openssl("req", "-new", "-key", f"{PKI}/{name}.key", "-subj", f"/O={group}/CN={user}")
    extensions = PKI / f"{name}.ext"
    extensions.write_text(
        "extendedKeyUsage=clientAuth,serverAuth\n" + (f"subjectAltName={alternatives}\n" if alternatives else "")
    )
    signed = ["-CA", f"{PKI}/ca.crt", "-CAkey", f"{PKI}/ca.key", "-CAcreateserial", "-days", "7"]
    openssl("x509", "-req", *signed, "-extfile", str(extensions), "-out", f"{PKI}/{name}.crt", given=request)


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=False)
    if done.returncode:
        raise NoCluster(f"openssl {arguments[0]} failed: {done.stderr.decode().strip()}")
    return done.stdout


def kubeconfig(pair: str) -> dict[str, Any]:
    """A kubeconfig in JSON, which is YAML. The administrator's is whole by itself; the daemons' name their files."""
    files = {"certificate-authority": "ca.crt", "client-certificate": f"{pair}.crt", "client-key": f"{pair}.key"}
    values = {name: str(PKI / file) for name, file in files.items()}
    if pair == "admin":
        values = {f"{name}-data": encoded(PKI / file) for name, file in files.items()}
    cluster = {name: value for name, value in values.items() if name.startswith("certificate-authority")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {"server": f"https://{ADDRESS}:6443", **cluster}}],
        "users": [{"name": CONTEXT, "user": {name: values[name] for name in values if name.startswith("client")}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def pod_network() -> dict[str, Any]:
    addresses = {"type": "host-local", "dataDir": str(HOME / "ipam"), "ranges": [[{"subnet": PODS}]]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    bridge["ipam"] = {**addresses, "routes": [{"dst": "0.0.0.0/0"}]}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": NETWORK, "plugins": [bridge, ports]}


CONTAINERD_CONFIG = f"""version = 2
root = "{HOME}/containerd"
state = "{HOME}/containerd-state"
[grpc]
  address = "{CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  netns_mounts_under_state_dir = true
  # Without CAP_SYS_RESOURCE nobody may lower oom_score_adj: "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI}"
    conf_dir = "{HOME}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def kubelet_config() -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "failCgroupV1": False,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(PKI / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(PKI / "kubelet.crt"),
        "tlsPrivateKeyFile": str(PKI / "kubelet.key"),
        "clusterDNS": [DNS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(HOME / "resolv.conf"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "podLogsDir": str(HOME / "pod-logs"),
        "volumePluginDir": str(HOME / "kubelet" / "plugins"),
        # A developer's disk is often nearly full: pods are not evicted for it, and images are not collected.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
    }


# ── inside the namespaces ────────────────────────────────────────────────────────────────────────────────────────────


class Node:
    """The first process of the namespaces: starts the daemons in order, reaps, ends with the first that ends."""

    def __init__(self) -> None:
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._began = time.monotonic()
        self._stopping = False

    def run(self) -> None:
        """Start everything, say so, and wait. Nothing starts before this process is noted, so that it can be ended."""
        signal.signal(signal.SIGTERM, self._stop)
        until(STATE.exists, 10, "nobody has noted this node")
        self._folders()
        self._network()
        self._start_containerd()
        self._start_control_plane()
        self._start_kubelet()
        self._start_names()
        print("ready", flush=True)
        while True:
            # Orphans of the pods' shims come to the first process of the namespace: they must be reaped here.
            pid, status = os.wait()
            ended = [name for name, process in self._daemons.items() if process.pid == pid]
            if ended and not self._stopping:
                print(f"{ended[0]} ended with status {os.waitstatus_to_exitcode(status)}; see its log", flush=True)
                sys.exit(1)  # and with this process everything ends

    def _stop(self, *_: object) -> None:
        """End without leaving containers in containerd's store: the images in it serve the next node."""
        self._stopping = True
        for name in ("kubelet", "kube-proxy"):
            if name in self._daemons:
                self._daemons[name].kill()
        if "containerd" in self._daemons:
            self._remove_containers()
            self._daemons["containerd"].terminate()
            with contextlib.suppress(subprocess.TimeoutExpired, ChildProcessError):
                self._daemons["containerd"].wait(5)
        os._exit(0)

    def _remove_containers(self) -> None:
        tasks = self._printed(*ctr(), "tasks", "ls", "--quiet").split()
        if tasks:
            self._printed(*ctr(), "tasks", "rm", "--force", *tasks)
        containers = self._printed(*ctr(), "containers", "ls", "--quiet").split()
        if containers:
            self._printed(*ctr(), "containers", "rm", *containers)

    def _printed(self, *command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout

    def _step(self, text: str) -> None:
        print(f"{text} ({time.monotonic() - self._began:.1f} s)", flush=True)

    def _daemon(self, name: str, program: Path | str, *arguments: str) -> None:
        with (LOGS / f"{name}.log").open("wb") as log:
            self._daemons[name] = subprocess.Popen(
                [str(program), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _until(self, name: str, within_s: float, *command: str) -> None:
        """Wait until ``command`` succeeds, which shows that the daemon ``name`` works."""

        def works() -> bool:
            if (status := self._daemons[name].poll()) is not None:
                raise NoCluster(f"{name} ended with status {status}: {end_of(LOGS / f'{name}.log')}")
            return subprocess.run(command, capture_output=True, check=False).returncode == 0

        until(works, within_s, f"{name} does not work after {within_s:.0f} s")

    def _folders(self) -> None:
        """Volumes that the kubelet mounts must be seen by containers; what is written at fixed places must not stay."""
        subprocess.run(["mount", "--make-rshared", "/"], check=True)
        # The kubelet's sockets of plugins, CNI's results, links to the containers' logs: their places cannot be chosen.
        for folder in ("/var/lib", "/var/log"):
            if not HOME.is_relative_to(folder):
                subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)

    def _network(self) -> None:
        for command in (
            "ip link set lo up",
            # Both ends stay in the namespace: an interface with a carrier, where the kernel has no `dummy`.
            "ip link add node0 type veth peer name node0-peer",
            "ip link set node0-peer up",
            f"ip address add {ADDRESS}/24 dev node0",
            "ip link set node0 up",
            # Nothing is there, but the kernel decides the route before kube-proxy rewrites a Service's address.
            f"ip route add default via {GATEWAY} dev node0 onlink",
        ):
            subprocess.run(command.split(), check=True)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
        # Without it an answer from a pod to a pod of the same bridge is not rewritten back.
        with contextlib.suppress(OSError):
            Path("/proc/sys/net/bridge/bridge-nf-call-iptables").write_text("1")

    def _start_containerd(self) -> None:
        command = ("containerd", "--config", str(HOME / "containerd.toml"))
        self._daemon("containerd", *command)
        self._until("containerd", 30, *ctr(), "version")
        if self._printed(*ctr(), "containers", "ls", "--quiet").strip():
            # The last node was killed. Its containers go, and containerd must forget what it has just read of them.
            self._remove_containers()
            self._daemons["containerd"].terminate()
            self._daemons["containerd"].wait(20)
            self._daemon("containerd", *command)
            self._until("containerd", 30, *ctr(), "version")
        has = self._printed(*ctr(), "images", "ls", "--quiet").split()
        for name, program in ((PAUSE, "pause"), (COREDNS, "coredns")):
            if name not in has:
                import_image(image_of(name, BIN / program))
        self._step("containerd runs")

    def _start_control_plane(self) -> None:
        client, peers = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
        self._daemon(
            "etcd",
            *(str(etcd()), f"--data-dir={HOME}/etcd", "--unsafe-no-fsync", f"--initial-cluster=default={peers}"),
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"),
        )
        self._daemon(
            "kube-apiserver",
            *(BIN / "kube-apiserver", f"--etcd-servers={client}", "--secure-port=6443"),
            *(f"--bind-address={ADDRESS}", f"--advertise-address={ADDRESS}"),
            *(f"--tls-cert-file={PKI}/apiserver.crt", f"--tls-private-key-file={PKI}/apiserver.key"),
            *(f"--client-ca-file={PKI}/ca.crt", "--authorization-mode=Node,RBAC"),
            *("--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"),
            *(f"--service-cluster-ip-range={SERVICES}", "--service-account-issuer=https://kubernetes.default.svc"),
            *(f"--service-account-signing-key-file={PKI}/service-accounts.key",),
            *(f"--service-account-key-file={PKI}/service-accounts.key",),
            *(f"--kubelet-client-certificate={PKI}/kubelet-client.crt",),
            *(f"--kubelet-client-key={PKI}/kubelet-client.key", f"--kubelet-certificate-authority={PKI}/ca.crt"),
            "--kubelet-preferred-address-types=InternalIP",
        )
        self._until("kube-apiserver", 120, *kubectl(), "get", "--raw", "/readyz")
        manager, scheduler = PKI / "kube-controller-manager.conf", PKI / "kube-scheduler.conf"
        self._daemon(
            "kube-controller-manager",
            *(BIN / "kube-controller-manager", f"--kubeconfig={manager}", "--leader-elect=false"),
            *(f"--authentication-kubeconfig={manager}", f"--authorization-kubeconfig={manager}"),
            *("--use-service-account-credentials", "--bind-address=127.0.0.1", "--allocate-node-cidrs=false"),
            *(f"--service-account-private-key-file={PKI}/service-accounts.key", f"--root-ca-file={PKI}/ca.crt"),
            f"--cluster-cidr={PODS}",
        )
        self._daemon(
            "kube-scheduler",
            *(BIN / "kube-scheduler", f"--kubeconfig={scheduler}", "--leader-elect=false", "--bind-address=127.0.0.1"),
            *(f"--authentication-kubeconfig={scheduler}", f"--authorization-kubeconfig={scheduler}"),
        )
        self._step("control plane runs")

    def _start_kubelet(self) -> None:
        self._daemon(
            "kubelet",
            *(BIN / "kubelet", f"--config={HOME}/kubelet.json", f"--kubeconfig={PKI}/kubelet.conf"),
            *(f"--hostname-override={NODE}", f"--node-ip={ADDRESS}", f"--root-dir={HOME}/kubelet"),
        )
        self._daemon(
            "kube-proxy",
            *(BIN / "kube-proxy", f"--kubeconfig={PKI}/kube-proxy.conf", f"--hostname-override={NODE}"),
            *("--proxy-mode=iptables", f"--cluster-cidr={PODS}"),
            # Limits of connection tracking belong to the machine: 0 leaves them as they are.
            *("--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s"),
            *("--conntrack-tcp-timeout-close-wait=0s", "--metrics-bind-address=127.0.0.1:10249"),
            "--healthz-bind-address=127.0.0.1:10256",
        )
        ready = ("wait", f"node/{NODE}", "--for=condition=Ready", "--timeout=5s")
        self._until("kubelet", 90, *kubectl(), *ready)
        self._step("node is Ready")

    def _start_names(self) -> None:
        subprocess.run(
            [*kubectl(), "apply", "-f", str(SCRIPTS / "coredns" / "coredns.yaml")],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        rollout = ("rollout", "status", "deployment/coredns", "--namespace=kube-system", "--timeout=60s")
        self._until("kubelet", 90, *kubectl(), *rollout)
        self._step("names are resolved")


def kubectl() -> list[str]:
    return [str(BIN / "kubectl"), f"--kubeconfig={KUBECONFIG}"]


def until(true: Callable[[], Result], within_s: float, otherwise: str) -> Result:
    """What ``true`` gives, once it gives something. Raises ``NoCluster`` with ``otherwise`` if that takes too long."""
    deadline = time.monotonic() + within_s
    while not (result := true()):
        if time.monotonic() > deadline:
            raise NoCluster(otherwise)
        time.sleep(0.05)
    return result


def end_of(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").splitlines()[-3:])


def image_of(name: str, program: Path) -> bytes:
    """An archive (OCI image layout) of an image with nothing in it but one static program, which it runs."""
    layer = packed({program.name: program.read_bytes()}, mode=0o755)
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": "65532"},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }
    blobs: dict[str, bytes] = {}

    def blob(media_type: str, content: bytes) -> dict[str, Any]:
        blobs[f"blobs/sha256/{digest(content).partition(':')[2]}"] = content
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": digest(content), "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "config": blob("config.v1+json", json.dumps(config).encode()),
        "layers": [blob("layer.v1.tar", layer)],
    }
    described = blob("manifest.v1+json", json.dumps(manifest).encode())
    described["annotations"] = {"io.containerd.image.name": name}
    index = {"schemaVersion": 2, "manifests": [described]}
    layout = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    return packed(layout | blobs)


def architecture() -> str:
    """As Go names it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def packed(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def main(arguments: list[str]) -> None:
    match arguments:
        case ["up"]:
            up()
            print(KUBECONFIG)
        case ["images", *names] if names:
            images(names)
        case ["shell", "--", *command] | ["shell", *command]:
            enter(command)
        case ["status"]:
            reasons = faults()
            say(f"runs; KUBECONFIG={KUBECONFIG}" if holder() else "; ".join(reasons) or "does not run, but could")
            sys.exit(0 if holder() else 1)
        case ["packages"]:
            print(*missing_packages())
        case ["down"]:
            down()
        case ["hold"]:
            Node().run()
        case _:
            print("usage: script/cluster up | images NAME… | shell [COMMAND…] | status | down", file=sys.stderr)
            sys.exit(0 if arguments in (["--help"], ["-h"]) else 2)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except (NoCluster, OSError, subprocess.CalledProcessError) as error:
        # Inside the namespaces the lines are shown by `up`, which says whose they are.
        sys.exit(str(error) if sys.argv[1:] == ["hold"] else f"cluster: {error}")
