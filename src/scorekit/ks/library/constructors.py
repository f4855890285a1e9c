"""The constructors in ``k8s.libsonnet``: ``new`` for most kinds, others for a few (ksonnet-rules.md#library)."""

from collections.abc import Mapping, Sequence

_Parameter = tuple[str, str, str]
"""Its name, the function that gets its value, and its default as jsonnet."""
_Constructor = tuple[str, tuple[_Parameter, ...]]

_NONE = "''"
_NAME = ("name", "mixin.metadata.withName", _NONE)
_OWN_NAME = ("name", "withName", _NONE)
_REPLICAS = ("replicas", "mixin.spec.withReplicas", "1")
_CONTAINERS = ("containers", "mixin.spec.template.spec.withContainers", _NONE)
_POD_LABELS = ("podLabels", "mixin.spec.template.metadata.withLabels", "{ app: 'name' }")
_ITEMS: tuple[_Constructor, ...] = (("new", (("items", "withItems", _NONE),)),)
_SCALE: tuple[_Constructor, ...] = (("new", (_REPLICAS,)),)
_WORKLOADS: dict[str, tuple[_Constructor, ...]] = {
    "Deployment": (("new", (_NAME, _REPLICAS, _CONTAINERS, _POD_LABELS)),),
    "DeploymentList": _ITEMS,
    "DeploymentRollback": (("new", (_OWN_NAME,)),),
    "Scale": _SCALE,
    "StatefulSet": (
        (
            "new",
            (
                *(_NAME, _REPLICAS, _CONTAINERS),
                ("volumeClaims", "mixin.spec.withVolumeClaimTemplates", _NONE),
                _POD_LABELS,
            ),
        ),
    ),
    "StatefulSetList": _ITEMS,
}
_PORT = (("port", "withPort", _NONE), ("targetPort", "withTargetPort", _NONE))
_CONTAINER_PORT = ("containerPort", "withContainerPort", _NONE)
_CORE_LISTS = (
    *("ConfigMap", "Endpoints", "Event", "LimitRange", "Namespace", "Node", "PersistentVolumeClaim"),
    *("PersistentVolume", "Pod", "PodTemplate", "ReplicationController", "ResourceQuota", "Secret"),
    *("ServiceAccount", "Service"),
)


def _volume(name: str, *parameter: str) -> _Constructor:
    first, function, default = (*parameter, _NONE)[:3]
    return name, (_OWN_NAME, (first, function, default))


_BY_KIND: dict[str, dict[str, tuple[_Constructor, ...]]] = {
    "apps": _WORKLOADS,
    "extensions": _WORKLOADS,
    "authentication": {"TokenReview": (("new", (("token", "mixin.spec.withToken", _NONE),)),)},
    "autoscaling": {"HorizontalPodAutoscalerList": _ITEMS, "Scale": _SCALE},
    "batch": {"JobList": _ITEMS, "CronJobList": _ITEMS},
    "certificates": {"CertificateSigningRequestList": _ITEMS},
    "core": {
        **{f"{kind}List": _ITEMS for kind in _CORE_LISTS},
        "ConfigMap": (("new", (_NAME, ("data", "withData", _NONE))),),
        "Container": (("new", (_OWN_NAME, ("image", "withImage", _NONE))),),
        "ContainerPort": (("new", (_CONTAINER_PORT,)), ("newNamed", (_CONTAINER_PORT, _OWN_NAME))),
        "EnvVar": (
            ("new", (_OWN_NAME, ("value", "withValue", _NONE))),
            (
                "fromSecretRef",
                (
                    _OWN_NAME,
                    ("secretRefName", "mixin.valueFrom.secretKeyRef.withName", _NONE),
                    ("secretRefKey", "mixin.valueFrom.secretKeyRef.withKey", _NONE),
                ),
            ),
            ("fromFieldPath", (_OWN_NAME, ("fieldPath", "mixin.valueFrom.fieldRef.withFieldPath", _NONE))),
        ),
        "KeyToPath": (("new", (("key", "withKey", _NONE), ("path", "withPath", _NONE))),),
        "Namespace": (("new", (_NAME,)),),
        "Secret": (("new", (_NAME, ("data", "withData", _NONE), ("type", "withType", "'Opaque'"))),),
        "Service": (
            (
                "new",
                (
                    _NAME,
                    ("selector", "mixin.spec.withSelector", _NONE),
                    ("ports", "mixin.spec.withPorts", _NONE),
                ),
            ),
        ),
        "ServiceAccount": (("new", (_NAME,)),),
        "ServicePort": (("new", _PORT), ("newNamed", (_OWN_NAME, *_PORT))),
        "Volume": (
            (
                "fromConfigMap",
                (
                    _OWN_NAME,
                    ("configMapName", "mixin.configMap.withName", _NONE),
                    ("configMapItems", "mixin.configMap.withItems", _NONE),
                ),
            ),
            _volume("fromEmptyDir", "emptyDir", "mixin.emptyDir.mixinInstance", "{}"),
            # ksonnet calls this parameter emptyDir, and an app may pass it by name.
            _volume("fromPersistentVolumeClaim", "emptyDir", "mixin.persistentVolumeClaim.withClaimName"),
            _volume("fromHostPath", "hostPath", "mixin.hostPath.withPath"),
            _volume("fromSecret", "secretName", "mixin.secret.withSecretName"),
        ),
        "VolumeMount": (
            ("new", (_OWN_NAME, ("mountPath", "withMountPath", _NONE), ("readOnly", "withReadOnly", "false"))),
        ),
    },
}


def constructors(codebase: str, group: str, kind: str, is_served: bool) -> list[str]:
    """The lines that define the constructors of a kind, without commas."""
    base = ["apiVersion", "kind"] if is_served else []
    table: Mapping[str, Sequence[_Constructor]] = _BY_KIND.get(group, {}) if codebase == "api" else {}
    if kind not in table:
        return ["new():: " + (" + ".join(base) or "{}")]
    return [_line(name, parameters, base) for name, parameters in table[kind]]


def _line(name: str, parameters: Sequence[_Parameter], base: Sequence[str]) -> str:
    calls: dict[str, list[tuple[str, str]]] = {}
    for parameter, path, _ in parameters:
        holder, _, function = f"self.{path}".rpartition(".")
        calls.setdefault(holder, []).append((function, parameter))
    made = [
        holder + "".join(f".{function}({parameter})" for function, parameter in sorted(each))
        for holder, each in sorted(calls.items())
    ]
    signature = ", ".join(f"{parameter}={default}" for parameter, _, default in parameters)
    return f"{name}({signature}):: " + " + ".join([*base, *made])
