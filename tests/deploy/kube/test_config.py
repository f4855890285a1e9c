"""kubeconfig is read as kubectl reads it, and an environment finds its cluster."""

import base64
import os
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from scorekit.deploy.kube import (
    ClusterEntry,
    ConfigOverrides,
    ContextEntry,
    KubeConfig,
    PemSource,
    Target,
    UserEntry,
    find_context,
    find_target,
    load,
)
from scorekit.deploy.kube.config import IN_CLUSTER
from scorekit.deploy.kube.connection import pool
from scorekit.deploy.kube.credentials import Credentials
from scorekit.errors import SetupError

FIRST = """
current-context: one
clusters:
- {name: a, cluster: {server: "https://a.test:6443/", certificate-authority: ca.crt, tls-server-name: a}}
users:
- {name: ann, user: {client-certificate: certs/ann.crt, client-key: /keys/ann.key}}
contexts:
- {name: one, context: {cluster: a, user: ann, namespace: first}}
"""
SECOND = """
current-context: two
clusters:
- {name: a, cluster: {server: "https://other.test"}}
- {name: b, cluster: {server: "https://b.test", proxy-url: "http://proxy.test:3128", insecure-skip-tls-verify: true}}
users:
- name: bob
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./bin/login
      args: [--fast]
      env: [{name: A, value: "1"}]
      provideClusterInfo: true
contexts:
- {name: two, context: {cluster: b, user: bob}}
"""


def written(folder: Path, **files: str) -> list[str]:
    paths = []
    for name, text in files.items():
        path = folder / name / "config"
        path.parent.mkdir()
        path.write_text(text)
        paths.append(str(path))
    return paths


def test_several_files_are_merged_first_wins(tmp_path: Path) -> None:
    """The first file that has a name counts, also for the current context; missing and empty files are skipped."""
    first, second, empty = written(tmp_path, first=FIRST, second=SECOND, empty="")
    paths = os.pathsep.join([str(tmp_path / "none"), empty, first, "", second])
    config = load("", {"KUBECONFIG": paths})
    assert config.current == "one"
    assert config.clusters["a"].server == "https://a.test:6443"
    assert set(config.contexts) == {"one", "two"}
    assert config.clusters["b"].proxy_url == "http://proxy.test:3128"
    assert config.clusters["b"].is_insecure


def test_relative_paths_belong_to_their_file(tmp_path: Path) -> None:
    """Relative paths of certificates and commands are relative to the file that names them."""
    first, second = written(tmp_path, first=FIRST, second=SECOND)
    config = load("", {"KUBECONFIG": f"{first}{os.pathsep}{second}"})
    assert config.clusters["a"].authority == PemSource(file=str(tmp_path / "first" / "ca.crt"))
    assert config.users["ann"].certificate == PemSource(file=str(tmp_path / "first/certs/ann.crt"))
    assert config.users["ann"].key == PemSource(file="/keys/ann.key")
    plugin = config.users["bob"].exec
    assert plugin is not None
    assert plugin.command == str(tmp_path / "second" / "bin" / "login")
    assert (plugin.arguments, plugin.environ, plugin.wants_cluster) == (("--fast",), {"A": "1"}, True)


def test_the_flag_wins_over_the_variable_and_that_over_home(tmp_path: Path) -> None:
    """--kubeconfig goes before KUBECONFIG, and KUBECONFIG before ~/.kube/config; a given file must exist."""
    first, second = written(tmp_path, first=FIRST, second=SECOND)
    home = tmp_path / "home" / ".kube"
    home.mkdir(parents=True)
    (home / "config").write_text(SECOND)
    assert load(first, {"KUBECONFIG": second}).current == "one"
    assert load("", {"KUBECONFIG": first, "HOME": str(home.parent)}).current == "one"
    assert load("", {"HOME": str(home.parent)}).current == "two"
    with pytest.raises(SetupError, match="no such file"):
        load(str(tmp_path / "none"), {})


def test_a_pod_needs_no_kubeconfig(tmp_path: Path) -> None:
    """In a pod the service account is a context, unless there is a kubeconfig."""
    for name, text in {"token": "t", "ca.crt": "c", "namespace": "ns\n"}.items():
        (tmp_path / name).write_text(text)
    inside = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}
    config = load("", inside, tmp_path)
    assert config.contexts == {IN_CLUSTER: ContextEntry(IN_CLUSTER, IN_CLUSTER, "ns")}
    assert config.clusters[IN_CLUSTER].server == "https://[fd00::1]:443"
    for destination in ("", "https://kubernetes.default.svc", "https://[fd00::1]"):
        assert find_target(config, ConfigOverrides(), destination, "e").name == IN_CLUSTER
    (first,) = written(tmp_path, first=FIRST)
    assert load("", inside | {"KUBECONFIG": first}, tmp_path).current == "one"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: 3", "clusters: every entry must be a mapping with a name"),
        ("clusters: [{name: a, cluster: x}]", "clusters: a: cluster must be a mapping"),
        ("a: [", "not YAML"),
        ("- a", "the file must contain one mapping"),
        ("users: [{name: u, user: {auth-provider: {name: gcp}}}]", "gke-gcloud-auth-plugin"),
        ("users: [{name: u, user: {exec: {apiVersion: v1}}}]", "exec has no command"),
        ("users: [{name: u, user: {exec: aws}}]", "user u: exec must be a mapping"),
        ("users: [{name: u, user: {exec: {command: aws, args: get-token}}}]", "user u: args must be a list"),
        ("users: [{name: u, user: {exec: {command: aws, env: {A: b}}}}]", "user u: env must be a list"),
        ("users: [{name: u, user: {as-groups: admins}}]", "user u: as-groups must be a list"),
        ("users: [{name: u, user: {as-user-extra: [a]}}]", "user u: as-user-extra must be a mapping"),
        ("users: [{name: u, user: {as-user-extra: {a: b}}}]", "user u: a must be a list"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file, the entry and the fault."""
    (path,) = written(tmp_path, broken=text)
    with pytest.raises(SetupError, match=message) as caught:
        load("", {"KUBECONFIG": path})
    assert path in str(caught.value)


def test_a_context_is_found_without_its_user(tmp_path: Path) -> None:
    """An environment can be made for a cluster whose user this machine could not log in as."""
    (path,) = written(tmp_path, first=FIRST.replace("client-key: /keys/ann.key", "auth-provider: {name: gcp}"))
    named = find_context("", {"KUBECONFIG": path})
    assert named is not None
    name, context, cluster = named
    assert (name, context.namespace, context.file) == ("one", "first", path)
    assert cluster.server == "https://a.test:6443"
    assert find_context(path, {}, "two") is None
    assert find_context("", {"HOME": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("current-context: gone", "context 'gone' does not exist"),
        (
            "{current-context: c, contexts: [{name: c, context: {cluster: gone}}]}",
            "No cluster with name 'gone' exists",
        ),
    ],
)
def test_a_context_that_leads_nowhere_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The current context must exist, and so must the cluster of a context."""
    (path,) = written(tmp_path, first=text)
    with pytest.raises(SetupError, match=message):
        find_context(path, {})


CONFIG = KubeConfig(
    clusters={"a": ClusterEntry(server="https://a.test:443"), "b": ClusterEntry(server="https://b.test:6443")},
    users={"ann": UserEntry(token="t"), "bob": UserEntry()},  # noqa: S106
    contexts={"one": ContextEntry("a", "ann"), "two": ContextEntry("b", "bob"), "also": ContextEntry("b", "ann")},
    current="one",
    where="config",
)


def chosen(destination: str, **overrides: str) -> Target:
    return find_target(CONFIG, ConfigOverrides(**overrides), destination, "default")  # type: ignore[arg-type]


def test_an_environment_finds_its_cluster() -> None:
    """A context or an address in any spelling finds the cluster, and flags go before both."""
    assert chosen("context:two") == Target("two", CONFIG.clusters["b"], CONFIG.users["bob"])
    for address in ("https://A.test", "https://a.test:443/", "a.test"):
        assert chosen(address).name == "one"
    assert chosen("").name == "one"
    assert chosen("https://a.test", context="two").name == "two"
    assert chosen("context:nowhere", context="two").name == "two"
    assert chosen("https://elsewhere.test", cluster="b").cluster == CONFIG.clusters["b"]
    assert chosen("https://b.test:6443", user="bob").user == CONFIG.users["bob"]
    direct = chosen("https://elsewhere.test", server="https://c.test/")
    assert direct.cluster.server == "https://c.test"
    assert direct.user is CONFIG.users["ann"]
    given = chosen("", token="mine", act_as="carl")  # noqa: S106
    assert (given.user.token, given.user.act_as) == ("mine", "carl")


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        (
            "https://old.test",
            "'default' at 'https://old.test', but cannot locate a server at that address; "
            r"contexts in config: one \(https://a.test:443\), two .*ks env set default --context NAME",
        ),
        ("context:three", 'kubeconfig has no context "three"; contexts in config: one'),
        ("https://b.test:6443", r"several contexts have that address \(two, also\): use --context NAME"),
    ],
)
def test_an_unknown_destination_lists_the_contexts(destination: str, message: str) -> None:
    """A destination that kubeconfig does not have is an error that lists the contexts (ksonnet-rules.md#apply)."""
    with pytest.raises(SetupError, match=message):
        chosen(destination)


def test_without_any_kubeconfig_nothing_is_guessed() -> None:
    """Without a kubeconfig every destination is an error."""
    with pytest.raises(SetupError, match="cannot locate a server"):
        find_target(KubeConfig(where="~/.kube/config"), ConfigOverrides(), "https://a.test", "default")
    with pytest.raises(SetupError, match="No current context found"):
        find_target(KubeConfig(), ConfigOverrides(), "", "default")


@pytest.mark.parametrize("token", ["t0p-secret\n", "t0p\r\nX-Evil: secret"])
def test_a_token_with_a_line_end_is_refused_without_repeating_it(token: str) -> None:
    """A token with a line end is refused, and the message does not contain it."""
    credentials = Credentials(UserEntry(token=token), ClusterEntry(server="https://a.test"))
    with pytest.raises(SetupError, match="the header Authorization from kubeconfig or the flags") as caught:
        credentials.headers()
    assert "secret" not in str(caught.value)


def test_names_in_any_letters_are_sent_as_utf_8() -> None:
    """Names are sent in UTF-8, as kubectl sends them."""
    name = "zo\u00eb \u2713"
    ((_, sent),) = Credentials(UserEntry(act_as=name), ClusterEntry(server="https://a.test")).headers()
    assert sent.encode("latin-1").decode() == name


@pytest.mark.parametrize("server", ["https://[::1", "https://a.test:port", "ftp://a.test"])
def test_a_malformed_address_is_refused(server: str) -> None:
    """A malformed address is refused, and does not disturb the other clusters of kubeconfig."""
    with pytest.raises(
        SetupError, match=r"server, .*, must be a URL of the form https://HOST:PORT or http://HOST:PORT"
    ):
        pool(ClusterEntry(server=server), PemSource(), PemSource())
    config = replace(CONFIG, clusters={"bad": ClusterEntry(server=server), **CONFIG.clusters})
    assert find_target(config, ConfigOverrides(), "https://a.test", "e").name == "one"
    with pytest.raises(SetupError, match="cannot locate a server at that"):
        find_target(CONFIG, ConfigOverrides(), server, "e")


@pytest.mark.parametrize("proxy", ["ftp://ann:secret@p.test", "http://ann:secret@p.test:port", "http://ann:secret@[p"])
def test_a_malformed_proxy_is_refused_without_its_password(proxy: str) -> None:
    """A malformed proxy is refused without its password in the message."""
    with pytest.raises(SetupError, match="the proxy must be a URL") as caught:
        pool(ClusterEntry(server="http://a.test", proxy_url=proxy), PemSource(), PemSource())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "pair"),
    [("http://a%40b:p%2Fw@p.test:1", b"a@b:p/w"), ("ann:secret@p.test:1", b"ann:secret"), ("p.test:1", None)],
)
def test_a_proxy_gets_its_credentials(proxy: str, pair: bytes | None) -> None:
    """The proxy gets the user's name and password unescaped; its URL may lack the scheme."""
    manager = pool(ClusterEntry(server="http://a.test", proxy_url=proxy), PemSource(), PemSource())
    assert isinstance(manager, urllib3.ProxyManager)
    assert manager.proxy is not None
    assert (manager.proxy.host, manager.proxy.port) == ("p.test", 1)
    expected = {} if pair is None else {"proxy-authorization": f"Basic {base64.b64encode(pair).decode()}"}
    assert manager.proxy_headers == expected
