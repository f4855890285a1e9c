"""The library that is generated from a description of Kubernetes, and the one in our wheel."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from scorekit.errors import RenderError
from scorekit.ks.engine.evaluator import Program
from scorekit.ks.engine.imports import ImportSearch
from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.library import bundled, generate_library
from scorekit.ks.library.swagger import ApiDescription, describe
from scorekit.testing import MemoryTree

DATA = Path(__file__).parents[2] / "data"
# The k8s.libsonnet that ksonnet-gen (ksonnet-lib of April 2019) makes from Kubernetes 1.8.0's swagger.json, without the
# group `meta`, where the body of PATCH was the kind of another object at each run.
ORIGINAL = "0d795f2ab8d85c65e5e69644d5cb5cc4d653e36d4bd043468761679cd9a605c2"
# The kinds to which ksonnet-gen's k.libsonnet gives functions over containers.
WORKLOADS = {
    *(f"apps/v1beta1/{kind}" for kind in ("deployment", "statefulSet")),
    *(f"apps/v1beta2/{kind}" for kind in ("daemonSet", "deployment", "replicaSet", "statefulSet")),
    *("batch/v1/job", "batch/v1beta1/cronJob", "batch/v2alpha1/cronJob"),
    *(f"core/v1/{kind}" for kind in ("pod", "podTemplate", "replicationController")),
    *(f"extensions/v1beta1/{kind}" for kind in ("daemonSet", "deployment", "replicaSet")),
}


@pytest.fixture(scope="module")
def swagger() -> str:
    """The description of Kubernetes 1.8.0."""
    return gzip.decompress((DATA / "kubernetes-v1.8.0.json.gz").read_bytes()).decode()


@pytest.fixture(scope="module")
def v1_8_0(swagger: str) -> ApiDescription:
    return describe(json.loads(swagger))


def evaluated(source: str, files: dict[str, str] | None = None) -> Any:
    return Jsonnet().evaluate(Program(source, ImportSearch(MemoryTree(files or {}), ("lib",))))


def small(**properties: Any) -> dict[str, Any]:
    """A description with one kind, ``apps/v1 Thing``, whose spec has these properties."""
    thing = {"group": "apps", "version": "v1", "kind": "Thing"}
    body = {"name": "body", "schema": {"$ref": "#/definitions/io.k8s.api.apps.v1.Thing"}}
    return {
        "info": {"version": "v9.8.7"},
        "paths": {"/apis/apps/v1/things": {"post": {"parameters": [body], "x-kubernetes-group-version-kind": thing}}},
        "definitions": {
            "io.k8s.api.apps.v1.Thing": {
                "properties": {"spec": {"$ref": "#/definitions/io.k8s.api.apps.v1.ThingSpec"}}
            },
            "io.k8s.api.apps.v1.ThingSpec": {"properties": properties},
        },
    }


@pytest.fixture(scope="module")
def generated(swagger: str) -> dict[str, str]:
    """The generated library of Kubernetes 1.8.0, in an app."""
    return {f"lib/{name}": text for name, text in generate_library(swagger).items()}


def test_k8s_libsonnet_is_ksonnets_byte_for_byte(generated: dict[str, str]) -> None:
    """For Kubernetes 1.8.0 the three megabytes are those that ksonnet-gen wrote."""
    assert hashlib.sha256(generated["lib/k8s.libsonnet"].encode()).hexdigest() == ORIGINAL


def test_k_libsonnet_adds_what_ksonnets_added(generated: dict[str, str]) -> None:
    """Kinds with a pod's template get two functions, core/v1 gets `list`, and nothing else changes."""
    source = """
        local within(value) = if std.type(value) == "object" then std.objectFieldsAll(value) else [];
        local kinds(library) = {
          [group + "/" + version + "/" + kind]: within(library[group][version][kind])
          for group in within(library)
          if group != "__ksonnet"
          for version in within(library[group])
          for kind in within(library[group][version])
        };
        [kinds(import "k.libsonnet"), kinds(import "k8s.libsonnet")]
    """
    extended, plain = evaluated(source, generated)
    assert extended.pop("core/v1/list") == ["items", "new"]
    assert extended.keys() == plain.keys()
    added = {kind: set(members) - set(plain[kind]) for kind, members in extended.items() if members != plain[kind]}
    assert added == {kind: {"mapContainers", "mapContainersWithName"} for kind in WORKLOADS}


def test_containers_are_mapped_and_lists_made_as_by_ksonnet(generated: dict[str, str]) -> None:
    """Functions map all containers or those of given names; other fields stay."""
    source = """
        local k = import "k.libsonnet";
        local deployment = k.apps.v1beta2.deployment;
        local pod(containers) = { containers: containers, dnsPolicy: "x" };
        local spec(containers) = { spec: { template: { spec: pod(containers), a: 1 }, b: 2 } };
        local both = spec([{ name: "a" }, { name: "b" }, { other: "c" }]);
        local marked(each) = each { seen: true };
        {
          all: both + deployment.mapContainers(marked),
          one: both + deployment.mapContainersWithName("b", marked),
          several: both + deployment.mapContainersWithName(names=["c", "a", "a"], f=marked),
          list: k.core.v1.list.new([1, 2]),
          single: k.core.v1.list.new(items={ a: 1 }) + k.core.v1.list.items([2]) + k.core.v1.list.items(3),
        }
    """

    def spec(*containers: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"containers": [*containers], "dnsPolicy": "x"}, "a": 1}, "b": 2}}

    seen, a, b, c = {"seen": True}, {"name": "a"}, {"name": "b"}, {"other": "c"}
    assert evaluated(source, generated) == {
        "all": spec(a | seen, b | seen, c | seen),
        "one": spec(a, b | seen, c),
        "several": spec(a | seen, b, c),
        "list": {"apiVersion": "v1", "kind": "List", "items": [1, 2]},
        "single": {"apiVersion": "v1", "kind": "List", "items": [{"a": 1}, 2, 3]},
    }


def test_names_that_are_invalid_in_jsonnet_are_changed() -> None:
    """Keywords, dollars and dashes give functions that can be called and set the right field."""
    properties = {name: {"type": "boolean"} for name in ("error", "$ref", "x-kubernetes-map-type", "HTTPGet")}
    files = generate_library(json.dumps(small(**properties)))
    source = """
        local k = import "k.libsonnet";
        local spec = k.apps.v1.thing.mixin.spec;
        k.apps.v1.thing.new() + spec.withErrorParam(1) + spec.withDollarRef(2) + spec.withXKubernetesMapType(3)
        + spec.withHttpGet(4)
    """
    assert evaluated(source, {f"lib/{name}": text for name, text in files.items()}) == {
        "apiVersion": "apps/v1",
        "kind": "Thing",
        "spec": {"error": 1, "$ref": 2, "x-kubernetes-map-type": 3, "HTTPGet": 4},
    }


def test_a_recursive_definition_ends() -> None:
    """A definition that contains itself gives a finite library that evaluates."""
    files = generate_library(json.dumps(small(below={"$ref": "#/definitions/io.k8s.api.apps.v1.ThingSpec"})))
    source = '(import "k.libsonnet").apps.v1.thing.mixin.spec.below.mixinInstance({ a: 1 })'
    assert evaluated(source, {f"lib/{name}": text for name, text in files.items()}) == {"spec": {"below": {"a": 1}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "swagger.json: not JSON"),
        ("[]", "swagger.json: an object was expected"),
        ('{"info": {"version": "v1.8.0"}}', "swagger.json: it has no definitions or no paths"),
        (json.dumps(small() | {"info": {"version": "unversioned"}}), 'swagger.json: info.version is "unversioned"'),
    ],
)
def test_an_invalid_description_is_refused(text: str, message: str) -> None:
    """The error names the file and the fault."""
    with pytest.raises(RenderError) as caught:
        generate_library(text, "swagger.json")
    assert str(caught.value).startswith(message)


def test_the_wheels_library_has_all_of_1_8_0(v1_8_0: ApiDescription) -> None:
    """It has every definition of Kubernetes 1.8.0, and each field has the same meaning."""
    held = bundled._description().definitions
    for name, definition in v1_8_0.definitions.items():
        fields = {(field.name, field.shape, field.ref) for field in definition.fields}
        assert fields <= {(field.name, field.shape, field.ref) for field in held[name].fields}, name
        assert held[name].served == definition.served


def test_the_wheels_library_is_packed_as_it_would_be_packed_now() -> None:
    """The file is what `script/kubernetes.py` writes."""
    text = (Path(bundled.__file__).parents[2] / "builtin" / "kubernetes.json").read_text()
    assert bundled.packed(bundled.unpacked(text)) == text


@pytest.mark.slow
def test_every_file_of_the_wheels_library_is_jsonnet() -> None:
    """Each version of each group evaluates, of kinds and of their parts."""
    counts = evaluated(
        """
        local count(library) = std.foldl(function(sum, group) sum + std.foldl(function(sum, version)
          sum + std.length(std.objectFieldsAll(library[group][version])),
          std.objectFieldsAll(library[group]), 0), std.objectFieldsAll(library), 0);
        [count(import "k8s.libsonnet"), count(import "@k8s/hidden.libsonnet")]
        """
    )
    definitions = bundled._description().definitions.values()
    served = sum(each.served is not None for each in definitions)
    assert counts[0] == served
    assert counts[1] > len(definitions) - served - 10  # few have no version, hence no place


def test_without_lib_the_wheel_answers_as_1_8_0_would(generated: dict[str, str]) -> None:
    """What packages of 2018 use is the same in the wheel and generated (ksonnet-rules.md#library)."""
    source = """
        local k = import "k.libsonnet";
        local deployment = k.extensions.v1beta1.deployment;
        local container = k.apps.v1beta1.deployment.mixin.spec.template.spec.containersType;
        local pod = deployment.mixin.spec.template.spec;
        local service = k.core.v1.service;
        local web = container.new("web", "nginx") + container.withEnv({ name: "A", value: "b" });
        k.core.v1.list.new([
          deployment.new("web", 2, web) + deployment.mixin.spec.selector.withMatchLabels({ app: "web" })
          + deployment.mixin.spec.template.metadata.withAnnotationsMixin({ note: "x" })
          + pod.withServiceAccountName("web") + pod.withVolumes(pod.volumesType.fromEmptyDir("tmp"))
          + deployment.mapContainersWithName("web", function(c) c { imagePullPolicy: "Always" }),
          service.new("web", { app: "web" }, service.mixin.spec.portsType.newNamed("http", 80, 8080))
          + service.mixin.metadata.withLabelsMixin({ app: "web" }) + service.mixin.spec.withType("NodePort"),
          k.core.v1.configMap.new("config", { a: "b" }),
          k.rbac.v1beta1.clusterRoleBinding.new() + k.rbac.v1beta1.clusterRoleBinding.withSubjects({ kind: "User" }),
          k.rbac.v1beta1.role.mixin.metadata.withNamespace("seldon"),
          k.batch.v1.job.mixin.spec.template.spec.withRestartPolicy("Never"),
          k.storage.v1.storageClass.new() + k.storage.v1.storageClass.withProvisioner("x"),
          k.apps.v1beta2.statefulSet.mixin.spec.updateStrategy.rollingUpdate.withPartition(1),
        ])
    """
    found = evaluated(source)
    assert found == evaluated(source, generated)
    assert found["items"][0]["spec"]["template"]["spec"]["containers"] == [
        {"name": "web", "image": "nginx", "env": [{"name": "A", "value": "b"}], "imagePullPolicy": "Always"}
    ]


def test_the_wheels_library_has_todays_apis() -> None:
    """It also has what Kubernetes 1.31 serves and 1.8 did not."""
    source = """
        local k = import "k.libsonnet";
        [k.apps.v1.deployment.new(), k.networking.v1.ingress.new(), k.autoscaling.v2.horizontalPodAutoscaler.new(),
         k.policy.v1.podDisruptionBudget.new(), k.batch.v1.cronJob.new()]
    """
    assert [each["apiVersion"] for each in evaluated(source)] == [
        *("apps/v1", "networking.k8s.io/v1", "autoscaling/v2", "policy/v1", "batch/v1")
    ]
