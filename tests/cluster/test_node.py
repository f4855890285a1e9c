"""The node of script/cluster: what runs in it can reach each other and nothing else, and its kubeconfig is its own."""

import json
import os
from pathlib import Path

import pytest

from .conftest import script
from .node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.cluster]


def test_its_kubeconfig_is_its_own(node: Node) -> None:
    """`up` prints the path of a kubeconfig in the cache, whose only context is called minikube; nobody's is touched."""
    printed = script("up")
    path = Path(printed.stdout.strip())
    assert "runs already" in printed.stderr
    assert path.is_relative_to(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    assert path.stat().st_mode & 0o077 == 0
    assert [each["name"] for each in json.loads(path.read_text())["contexts"]] == ["minikube"]
    assert node.kubectl("config", "current-context").strip() == "minikube"


def test_no_traffic_leaves_it(node: Node) -> None:
    """Its default route leads to an address that nobody has, over an interface both of whose ends are inside."""
    links = {each["ifname"] for each in json.loads(node.said("ip", "-json", "link"))}
    assert links >= {"lo", "node0", "node0-peer"}
    assert not [name for name in links if not name.startswith(("lo", "node0", "cni0", "veth"))]
    (route,) = json.loads(node.said("ip", "-json", "route", "show", "default"))
    assert route["dev"] == "node0"
    neighbours = json.loads(node.said("ip", "-json", "neigh", "show", "to", route["gateway"]))
    assert not [each for each in neighbours if each.get("lladdr")]


def test_names_of_services_are_resolved_in_pods(node: Node, component: str, namespace: str) -> None:
    """A pod finds a Service by its short and its long name, through the cluster's own CoreDNS."""
    code = "import socket; print(*(socket.gethostbyname(n) for n in ('other', 'kubernetes.default.svc.cluster.local')))"
    secure = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "me", "labels": {"app": "me"}},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    **{"name": "main", "image": component, "imagePullPolicy": "IfNotPresent"},
                    **{"command": ["python3", "-c", code], "securityContext": secure},
                }
            ],
        },
    }
    ports = [{"port": 80}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other"}, "spec": {"ports": ports}}
    objects = {"apiVersion": "v1", "kind": "List", "items": [service, pod]}
    node.kubectl("apply", "-n", namespace, "-f", "-", text=json.dumps(objects))
    node.kubectl("wait", "pod/me", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    address = node.read("service", "other", "-n", namespace)["spec"]["clusterIP"]
    assert node.kubectl("logs", "me", "-n", namespace).split() == [address, "10.96.0.1"]


def test_commands_run_in_its_network_with_its_kubeconfig(node: Node) -> None:
    """`script/cluster shell COMMAND` gives the command's own exit status; an unknown command is one sentence."""
    assert node.ran("sh", "-c", "exit 7").returncode == 7
    assert node.said("sh", "-c", "kubectl get nodes -o name") == "node/minikube\n"
    assert "not found" in node.ran("no-such-command").stdout or "No such file" in node.ran("no-such-command").stdout
