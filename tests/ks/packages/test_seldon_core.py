"""The package `seldon-core` in our wheel: what its prototypes render."""

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import _gojsonnet
import pytest

from scorekit.errors import RenderError
from scorekit.graph.spec import read_deployment
from scorekit.ks.app.components import AppModule
from scorekit.ks.app.templates import MODULE_PARAMS, make_environment
from scorekit.ks.io.bundled_registry import BundledRegistry
from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.prototypes.catalog import find, prototypes
from scorekit.ks.prototypes.generation import component_parameters, generate
from scorekit.ks.render.pipeline import render
from scorekit.testing import MemoryTree

PACKAGE = "vendor/seldon-core/seldon-core@1.17.1"
SEED = {
    "withApife": "false",
    "withAmbassador": "true",
    "withRbac": "true",
    "singleNamespace": "true",
    "namespace": "seldon",
}
NAME = "test-seldon-ml-score-api"
IMAGE = "alexioannides/seldon-ml-score-component"
DIGEST = "sha256:" + "0" * 64
# What Kubernetes 1.31 serves of the kinds that are rendered.
CURRENT = {
    "getambassador.io/v3alpha1",
    *("v1", "apps/v1", "autoscaling/v2", "policy/v1", "rbac.authorization.k8s.io/v1", "apiextensions.k8s.io/v1"),
    *("machinelearning.seldon.io/v1", "machinelearning.seldon.io/v1alpha2"),
}
MODELS = {
    "seldon-serve-simple": {"image": IMAGE},
    "seldon-abtest": {"imageA": "a", "imageB": "b"},
    "seldon-mab": {"imageA": "a", "imageB": "b", "mabImage": "m"},
    "seldon-outlier-detector": {"image": IMAGE, "outlierDetectorImage": "o"},
}
Object = dict[str, Any]

every_model = pytest.mark.parametrize(
    ("prototype", "flags"), [(f"{name}-{v}", flags) for name, flags in MODELS.items() for v in ("v1alpha2", "v1")]
)


def rendered(prototype: str, name: str, /, **flags: str) -> list[Object]:
    """The objects of an app with one component, made from a prototype of the package."""
    source = BundledRegistry(resources.files("scorekit") / "builtin" / "registries" / "seldon-core")
    vendored = {f"{PACKAGE}/{path}": text.decode() for path, text in source.files("seldon-core", "1.17.1").items()}
    pins = "libraries:\n  seldon-core/seldon-core: {name: seldon-core, registry: seldon-core, version: 1.17.1}\n"
    environment = "environments:\n  default: {path: default, destination: {server: x, namespace: here}}\n"
    tree = MemoryTree(
        {"app.yaml": f"apiVersion: 0.3.0\nkind: ksonnet.io/app\nname: a\n{environment}{pins}", **vendored}
    )
    make_environment(tree, "default")
    tree.write("environments/base.libsonnet", 'std.extVar("__ksonnet/components")')
    tree.write("components/params.libsonnet", MODULE_PARAMS)
    found = find(prototypes(tree, {}), prototype)
    params = component_parameters(tree, Jsonnet(), prototype=found, flags={"name": name, **flags})
    generate(tree, found, AppModule("/"), name, params)
    return render(tree, Jsonnet(), environment="default")


def core(**flags: str) -> list[Object]:
    return rendered("seldon-core", "seldon-core", **{**SEED, **flags})


def simple(version: str = "v1alpha2", /, **flags: str) -> Object:
    route, deployment = rendered(f"seldon-serve-simple-{version}", NAME, **{"image": IMAGE, **flags})
    assert route["kind"] == "Mapping"
    return deployment


def named(objects: list[Object]) -> list[str]:
    return [f"{each['kind']} {each['metadata']['name']}" for each in objects]


def the(objects: list[Object], wanted: str) -> Object:
    return next(each for each in objects if f"{each['kind']} {each['metadata']['name']}" == wanted)


def pods(objects: list[Object]) -> Iterator[Object]:
    """The specifications of all pods."""
    for each in objects:
        if each["kind"] == "Deployment":
            yield each["spec"]["template"]["spec"]
        if each["kind"] == "SeldonDeployment":
            for component in each["spec"]["predictors"][0]["componentSpecs"]:
                yield component["spec"]


def granted(objects: list[Object], kind: str) -> set[tuple[str, str, str]]:
    """Group, resource and verb of every rule, for roles of a kind."""
    return {
        (group, resource, verb)
        for each in objects
        if each["kind"] == kind
        for rule in each["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_seeds_flags_render_all_that_a_namespace_needs() -> None:
    """Definitions, accounts, roles, bindings, operator and Ambassador are all in the given namespace."""
    objects = core()
    assert named(objects) == [
        "CustomResourceDefinition mappings.getambassador.io",
        "CustomResourceDefinition seldondeployments.machinelearning.seldon.io",
        "CustomResourceDefinition tlscontexts.getambassador.io",
        "ClusterRole seldon-webhook-seldon",
        "ClusterRoleBinding seldon-webhook-seldon",
        "ServiceAccount ambassador",
        "ServiceAccount seldon",
        *("Role ambassador", "Role seldon-leader", "Role seldon-local"),
        *("RoleBinding ambassador", "RoleBinding seldon-leader", "RoleBinding seldon-local"),
        "Service seldon-core-ambassador",
        "Deployment seldon-controller-manager",
        "Deployment seldon-core-ambassador",
    ]
    namespaces = {
        each["metadata"].get("namespace") for each in objects if not each["kind"].startswith(("Cluster", "Cust"))
    }
    assert namespaces == {"seldon"}


def test_the_seeds_kubectl_lines_find_the_ambassador() -> None:
    """`expose deployment seldon-core-ambassador` finds port 8080; `-l service=ambassador` finds the pods."""
    objects = core()
    deployment = the(objects, "Deployment seldon-core-ambassador")
    template = deployment["spec"]["template"]
    assert template["metadata"]["labels"]["service"] == "ambassador"
    assert [port["containerPort"] for port in template["spec"]["containers"][0]["ports"]] == [8080]
    service = the(objects, "Service seldon-core-ambassador")
    assert [(port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [(80, 8080)]
    for selector in (service["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"]):
        assert selector.items() <= template["metadata"]["labels"].items()
    assert service["spec"]["type"] == "NodePort"


def test_operator_and_ambassador_agree_on_mappings() -> None:
    """The operator writes Mappings of v2, which are defined, and are served as v3alpha1 to the Ambassador."""
    objects = core()
    environ = the(objects, "Deployment seldon-controller-manager")["spec"]["template"]["spec"]["containers"][0]["env"]
    values = {each["name"]: each.get("value") for each in environ}
    assert {name: value for name, value in values.items() if name.startswith("AMBASSADOR")} == {
        "AMBASSADOR_ENABLED": "true",
        "AMBASSADOR_SINGLE_NAMESPACE": "false",  # "true" makes it write a Mapping that the API server refuses
        "AMBASSADOR_VERSION": "v2",
    }
    versions = the(objects, "CustomResourceDefinition mappings.getambassador.io")["spec"]["versions"]
    assert [(each["name"], each["served"], each["storage"]) for each in versions] == [
        ("v2", True, False),
        ("v3alpha1", True, True),
    ]
    spec = versions[1]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["properties"]["hostname"]["default"] == "*"
    assert ("getambassador.io", "mappings", "create") in granted(objects, "Role")
    without = core(withAmbassador="false")
    assert not [each for each in named(without) if "ambassador" in each]
    assert "getambassador.io" not in {group for group, _, _ in granted(without, "Role")}
    assert "CustomResourceDefinition mappings.getambassador.io" not in named(core(ambassadorDefinitions="false"))


def test_the_settings_of_the_operator() -> None:
    """The operator watches its namespace, creates its webhook, and knows the image of the orchestrator."""
    container = the(core(), "Deployment seldon-controller-manager")["spec"]["template"]["spec"]["containers"][0]
    values = {each["name"]: each.get("value") for each in container["env"]}
    assert container["image"] == "docker.io/seldonio/seldon-core-operator:1.17.1"
    assert values["EXECUTOR_CONTAINER_IMAGE_AND_VERSION"] == "docker.io/seldonio/seldon-core-executor:1.17.1"
    assert (values["WATCH_NAMESPACE"], values["MANAGER_CREATE_RESOURCES"]) == ("seldon", "true")
    used = {name for argument in container["args"] for name in re.findall(r"\$\((\w+)\)", argument)}
    assert used <= set(values)


def test_no_webhook_certificate_or_key_is_rendered() -> None:
    """The operator makes its own, and no definition asks for a conversion."""
    objects = core()
    assert not {"Secret", "ConfigMap", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"} & {
        each["kind"] for each in objects
    }
    assert "caBundle" not in json.dumps(objects)
    definitions = [each for each in objects if each["kind"] == "CustomResourceDefinition"]
    assert [each["spec"]["conversion"] for each in definitions] == [{"strategy": "None"}] * 3
    assert [sum(v["storage"] for v in each["spec"]["versions"]) for each in definitions] == [1, 1, 1]


def test_in_one_namespace_little_is_allowed_outside_it() -> None:
    """Cluster-wide rules allow webhook configurations and reading definitions; no verb is a wildcard."""
    objects = core()
    wide = granted(objects, "ClusterRole")
    assert {(group, resource) for group, resource, _ in wide} == {
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("apiextensions.k8s.io", "customresourcedefinitions/finalizers"),
    }
    everything = wide | granted(objects, "Role")
    assert "*" not in {verb for _, _, verb in everything}
    assert {verb for _, resource, verb in everything if resource == "secrets"} == {"get", "list", "watch"}
    ambassador = {verb for rule in the(objects, "Role ambassador")["rules"] for verb in rule["verbs"]}
    assert ambassador == {"get", "list", "watch"}
    bound = [each["subjects"][0]["name"] for each in objects if each["kind"].endswith("RoleBinding")]
    assert sorted(set(bound)) == ["ambassador", "seldon"]


def test_all_namespaces_need_cluster_roles() -> None:
    """singleNamespace=false makes operator and Ambassador watch all namespaces."""
    objects = core(singleNamespace="false")
    names = named(objects)
    assert {"ClusterRole seldon-wide", "ClusterRole ambassador-seldon", "Role seldon-leader"} <= set(names)
    assert "Role seldon-local" not in names
    assert "namespace" not in the(objects, "ClusterRole seldon-wide")["metadata"]
    [operator] = the(objects, "Deployment seldon-controller-manager")["spec"]["template"]["spec"]["containers"]
    values = {each["name"]: each.get("value") for each in operator["env"]}
    assert (values["WATCH_NAMESPACE"], values["AMBASSADOR_SINGLE_NAMESPACE"]) == ("", "false")
    [ambassador] = the(objects, "Deployment seldon-core-ambassador")["spec"]["template"]["spec"]["containers"]
    assert "AMBASSADOR_SINGLE_NAMESPACE" not in {each["name"] for each in ambassador["env"]}


def test_without_rbac_there_are_no_roles() -> None:
    """The accounts stay, so that somebody can grant them what they need."""
    names = named(core(withRbac="false"))
    assert not [each for each in names if "Role" in each]
    assert {"ServiceAccount seldon", "ServiceAccount ambassador"} <= set(names)


def test_the_environments_namespace_is_the_default() -> None:
    """Without --namespace, or with null, the environment's namespace is used."""
    assert the(core(namespace="null"), "Deployment seldon-core-ambassador")["metadata"]["namespace"] == "here"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"withApife": "true"},
            "withApife=true: Seldon Core has had no API front end .* since 1.0. Set withApife to false",
        ),
        ({"withRbac": "maybe"}, 'withRbac is "maybe"; it must be true or false'),
        ({"operatorReplicas": "0"}, "operatorReplicas is 0; it must be an integer of at least 1"),
        ({"ambassadorReplicas": "1.5"}, "ambassadorReplicas is 1.5; it must be an integer of at least 1"),
        ({"operatorDigest": "0123"}, "the digest 0123 does not begin with sha256:"),
        ({"ambassadorResources": "[]"}, r"ambassadorResources must be an object such as"),
    ],
)
def test_contradictory_parameters_are_refused(flags: dict[str, str], message: str) -> None:
    """The error names the component, the parameter and the remedy."""
    with pytest.raises(RenderError, match=message) as caught:
        core(**flags)
    assert 'component "seldon-core"' in str(caught.value)


@every_model
def test_models_are_seldon_deployments(prototype: str, flags: dict[str, str]) -> None:
    """There is one predictor, and each node of the graph that is not built in has a container of its name."""
    [deployment] = rendered(prototype, "model", **flags, ambassadorRoute="false")
    assert deployment["apiVersion"] == f"machinelearning.seldon.io/{prototype.rpartition('-')[2]}"
    [predictor] = deployment["spec"]["predictors"]

    def nodes(node: Object) -> Iterator[Object]:
        yield node
        for child in node["children"]:
            yield from nodes(child)

    graph = list(nodes(predictor["graph"]))
    containers = {each["name"] for each in predictor["componentSpecs"][0]["spec"]["containers"]}
    assert containers == {node["name"] for node in graph if "implementation" not in node}
    assert all(set(node) >= {"name", "children"} for node in graph)


@pytest.mark.parametrize("version", ["v1alpha2", "v1"])
def test_a_simple_model_is_what_the_local_runner_runs(version: str) -> None:
    """Name, image and endpoint reach the graph, so /seldon/<name>/ routes to it."""
    deployment = read_deployment(simple(version), "seldon")
    assert (deployment.name, deployment.node.name, deployment.node.image) == (NAME, NAME, IMAGE)
    assert (deployment.predictor, deployment.replicas) == ("default", 1)


@every_model
def test_a_model_is_routed_by_its_short_path(prototype: str, flags: dict[str, str]) -> None:
    """A Mapping beside it takes /seldon/<name>/ to the predictor's Service, as the operator does the long path."""
    route, deployment = rendered(prototype, "model", **flags)
    assert (route["apiVersion"], route["kind"]) == ("getambassador.io/v3alpha1", "Mapping")
    assert route["metadata"]["name"] == "seldon-model-default-short"
    assert route["spec"] == {
        "hostname": "*",
        "prefix": "/seldon/model/",
        "rewrite": "/",
        "service": "model-default:8000",
        "timeout_ms": 3000,
    }
    direct, _ = rendered(prototype, "model", **flags, noEngine="true")
    assert direct["spec"]["service"] == "model-default:9000"
    assert deployment["kind"] == "SeldonDeployment"


def test_each_predictor_has_a_route_by_its_share() -> None:
    """Several predictors share the short path by their traffic, as the operator weighs its routes; a shadow mirrors."""
    source = resources.files("scorekit") / "builtin" / "registries" / "seldon-core" / "seldon-core" / "serve.libsonnet"
    predictors = [
        {"name": "dark", "shadow": True},
        {"name": "default", "traffic": 75, "annotations": {"seldon.io/no-engine": "TRUE"}},
        {"name": "canary", "traffic": 25, "annotations": {"seldon.io/svc-name": "mine", "seldon.io/no-engine": "no"}},
        {"name": "dim", "shadow": True, "traffic": 5},
        {"name": "idle", "traffic": 0},
    ]
    spec = {"predictors": predictors, "annotations": {"seldon.io/rest-timeout": "5000"}}
    deployment = {"metadata": {"name": "m", "namespace": "there"}, "spec": spec}
    snippet = f"(import '{source}').routes({json.dumps(deployment)})"
    routes = json.loads(_gojsonnet.evaluate_snippet("routes", snippet))
    assert {each["metadata"]["namespace"] for each in routes} == {"there"}
    picked = [
        (each["spec"]["service"], each["spec"].get("weight"), each["spec"].get("shadow"), each["spec"]["timeout_ms"])
        for each in routes
    ]
    assert picked == [
        ("m-dark:8000", None, True, 5000),
        ("m-default:9000", None, None, 5000),
        ("mine:8000", 25, None, 5000),
        ("m-dim:8000", 5, True, 5000),
        ("m-idle:8000", 0, None, 5000),
    ]


def test_a_timeout_of_a_route_is_a_number() -> None:
    """The operator fails on `5s` only when it runs; the package says so when it renders."""
    source = resources.files("scorekit") / "builtin" / "registries" / "seldon-core" / "seldon-core" / "serve.libsonnet"
    spec = {"predictors": [{"name": "p"}], "annotations": {"seldon.io/rest-timeout": "5s"}}
    snippet = f"(import '{source}').routes({json.dumps({'metadata': {'name': 'm'}, 'spec': spec})})"
    with pytest.raises(RuntimeError, match=r'seldon\.io/rest-timeout is "5s"; it must be a number of milliseconds'):
        _gojsonnet.evaluate_snippet("routes", snippet)


def test_the_names_that_the_operator_joins_are_short_enough() -> None:
    """Deployment, predictor and container together have at most 63 characters."""
    [predictor] = simple()["spec"]["predictors"]
    assert len(f"{NAME}-{predictor['name']}-{predictor['graph']['name']}") <= 63


@every_model
def test_only_current_apis_and_restricted_pods(prototype: str, flags: dict[str, str]) -> None:
    """Kubernetes 1.31 serves every API version, and each pod meets Pod Security `restricted`."""
    options = {"pvcName": "claim", "maxReplicas": "3", "maxUnavailable": "1", "imagePullSecret": "secret"}
    objects = rendered(prototype, "model", **flags, **options)
    objects += core(ambassadorMaxReplicas="3", ambassadorMaxUnavailable="25%")
    assert {each["apiVersion"] for each in objects} <= CURRENT
    found = list(pods(objects))
    assert len(found) == 3
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not [volume for volume in pod.get("volumes", []) if "hostPath" in volume]
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}


def test_more_replicas_make_an_autoscaler_and_a_budget() -> None:
    """The Ambassador gets autoscaling/v2 and policy/v1; a model gets what the operator makes of them."""
    objects = core(ambassadorReplicas="2", ambassadorMaxReplicas="5", ambassadorMaxUnavailable="1")
    scaler = the(objects, "HorizontalPodAutoscaler seldon-core-ambassador")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert scaler["scaleTargetRef"]["name"] == "seldon-core-ambassador"
    budget = the(objects, "PodDisruptionBudget seldon-core-ambassador")["spec"]
    deployment = the(objects, "Deployment seldon-core-ambassador")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": deployment["selector"]}
    assert "replicas" not in deployment

    [predictor] = simple("v1", replicas="2", maxReplicas="5", cpuPercent="50", maxUnavailable="25%")["spec"][
        "predictors"
    ]
    [component] = predictor["componentSpecs"]
    assert component["hpaSpec"]["minReplicas"] == 2
    assert component["hpaSpec"]["metricsv2"][0]["resource"]["target"] == {
        "type": "Utilization",
        "averageUtilization": 50,
    }
    assert component["pdbSpec"] == {"maxUnavailable": "25%"}
    assert "replicas" not in predictor


def test_images_come_from_a_mirror_and_by_digest() -> None:
    """A registry can go before every image, and a digest after the tag pins it."""
    objects = core(registry="mirror.test/all/", operatorDigest=DIGEST, executorDigest=DIGEST, ambassadorDigest=DIGEST)
    images = {container["image"] for pod in pods(objects) for container in pod["containers"]}
    assert images == {
        f"mirror.test/all/seldonio/seldon-core-operator:1.17.1@{DIGEST}",
        f"mirror.test/all/emissary-ingress/emissary:4.1.0@{DIGEST}",
    }
    assert f'"mirror.test/all/seldonio/seldon-core-executor:1.17.1@{DIGEST}"' in json.dumps(objects)
    model = simple(registry="mirror.test", imageDigest=DIGEST, imagePullSecret="s", imagePullPolicy="Always")
    [pod] = pods([model])
    assert pod["containers"][0]["image"] == f"mirror.test/{IMAGE}@{DIGEST}"
    assert (pod["containers"][0]["imagePullPolicy"], pod["imagePullSecrets"]) == ("Always", [{"name": "s"}])


def test_a_model_without_the_engine() -> None:
    """noEngine sets the operator's annotation on the predictor; without it there is none."""
    assert "seldon.io/no-engine" not in simple()["spec"]["predictors"][0]["annotations"]
    annotations = simple(noEngine="true")["spec"]["predictors"][0]["annotations"]
    assert annotations["seldon.io/no-engine"] == "true"


def test_the_other_parameters_of_a_model() -> None:
    """Resources, a claim that is made and mounted, OAuth's key and secret, and replicas reach the objects."""
    claim, _, deployment = rendered(
        "seldon-serve-simple-v1alpha2",
        NAME,
        **{"image": IMAGE, "pvcName": "data", "oauthKey": "k", "oauthSecret": "s", "replicas": "3"},
        resources='{"requests":{"cpu":"1"}}',
    )
    assert (claim["kind"], claim["metadata"]["name"]) == ("PersistentVolumeClaim", "data")
    spec = deployment["spec"]
    assert (spec["oauth_key"], spec["oauth_secret"], spec["predictors"][0]["replicas"]) == ("k", "s", 3)
    [pod] = pods([deployment])
    assert pod["volumes"] == [{"name": "persistent-storage", "persistentVolumeClaim": {"claimName": "data"}}]
    [container] = pod["containers"]
    assert container["volumeMounts"] == [{"name": "persistent-storage", "mountPath": "/mnt"}]
    assert container["resources"] == {"requests": {"cpu": "1"}}


def test_the_definition_is_one_schema_in_three_versions() -> None:
    """v1 is stored, v1alpha2 and v1alpha3 are served, and unknown fields are kept."""
    [definition] = [each for each in core() if each["metadata"]["name"].startswith("seldondeployments")]
    versions = definition["spec"]["versions"]
    assert [(each["name"], each["served"], each["storage"]) for each in versions] == [
        ("v1", True, True),
        ("v1alpha2", True, False),
        ("v1alpha3", True, False),
    ]
    assert versions[0]["schema"] == versions[1]["schema"] == versions[2]["schema"]
    assert all(set(each["subresources"]) == {"status", "scale"} for each in versions)

    def objects_of(schema: Object) -> Iterator[Object]:
        if schema.get("type") == "object" and "additionalProperties" not in schema:
            yield schema
        for below in [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]:
            yield from objects_of(below)

    root = versions[0]["schema"]["openAPIV3Schema"]["properties"]
    kept = [each for name in ("spec", "status") for each in objects_of(root[name])]
    assert all(each.get("x-kubernetes-preserve-unknown-fields") for each in kept)
