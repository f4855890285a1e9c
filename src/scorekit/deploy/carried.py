"""Whether the Deployments of a SeldonDeployment run what its spec asks for, as far as the spec can be found in them.

The operator (seldon-core 1.17.1) makes one Deployment for each componentSpec, called
``<deployment>-<predictor>-<index>-<containers>``, and adds to it: ports, probes, variables, volumes, the orchestrator's
container. It removes nothing and rewrites nothing of what the spec says of a container, with one exception: a variable
that exists twice makes it drop the container's variables. So the spec is looked for, part by part. What has been *taken
out* of a spec cannot be seen in this way; :mod:`.rollouts` knows whether the Deployments were written since.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..manifests import Object

_ENGINE_AND_EXPLAINER = ("-svc-orch", "-explainer")
# A name longer than 63 characters becomes the MD5 of it (seldon-core 1.17.1).
_HASHED = re.compile(r"seldon-[0-9a-f]{32}")
# Kubernetes' quantities: a decimal number, and a decimal or binary suffix.
_FACTORS = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)}
_FACTORS |= {suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)}
_FACTORS |= {f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?(?:[eE][0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|)")


def carries(seldon_deployment: Object, deployments: Sequence[Object], *, visibly: bool = False) -> bool:
    """Whether ``deployments`` run what ``seldon_deployment`` asks for, as far as its spec says it.

    Each componentSpec with containers has a Deployment with its replicas and its containers; the operator adds to
    containers (ports, probes, variables) and adds containers, but what the spec says of one is in it word for word. An
    orchestrator is given the graph of its predictor, in which the URI of a prepackaged server's model stands. And no
    Deployment is left of a predictor or a componentSpec that the spec no longer has.

    With ``visibly``, of a container only the name and the image count: they are what an operator never rewrites.
    """
    spec, name = seldon_deployment.get("spec") or {}, seldon_deployment["metadata"]["name"]
    prefixes: list[str] = []
    for predictor in spec.get("predictors") or ():
        if not visibly and not _routes(deployments, predictor):
            return False
        # A prepackaged server without a componentSpec is given one by the operator.
        components = predictor.get("componentSpecs") or [{}]
        for index, component in enumerate(components):
            prefixes.append(f"{name}-{predictor.get('name')}-{index}-")
            replicas = next((each["replicas"] for each in (component, predictor, spec) if "replicas" in each), None)
            scales_itself = "hpaSpec" in component or "kedaSpec" in component
            containers = (component.get("spec") or {}).get("containers") or ()
            if visibly:
                containers = [{key: each[key] for key in ("name", "image") if key in each} for each in containers]
            if containers and not any(
                _runs(each, containers, None if scales_itself else replicas) for each in _of(prefixes[-1], deployments)
            ):
                return False
    return not [each for each in deployments if not _is_expected(each["metadata"]["name"], prefixes)]


def _of(prefix: str, deployments: Sequence[Object]) -> list[Object]:
    """The Deployments of one componentSpec; those with a hash for a name may be of any."""
    names = [each["metadata"]["name"] for each in deployments]
    return [each for each, name in zip(deployments, names, strict=True) if _is_named(name, [prefix])]


def _is_expected(name: str, prefixes: Sequence[str]) -> bool:
    return _is_named(name, prefixes) or name.endswith(_ENGINE_AND_EXPLAINER)


def _is_named(name: str, prefixes: Sequence[str]) -> bool:
    return name.startswith(tuple(prefixes)) or _HASHED.fullmatch(name) is not None


def _routes(deployments: Sequence[Object], predictor: Mapping[str, Any]) -> bool:
    """Whether the predictor's orchestrator has its graph; true if there is no orchestrator to ask."""
    for deployment in deployments:
        for container in _containers(deployment):
            for variable in container.get("env") or ():
                if variable.get("name") == "ENGINE_PREDICTOR":
                    given = _decoded(variable.get("value"))
                    if given.get("name") == predictor.get("name"):
                        return _includes(given.get("graph"), _without_endpoints(predictor.get("graph") or {}))
    return True


def _decoded(value: Any) -> Mapping[str, Any]:
    """The predictor in an orchestrator's variable (JSON in base64); empty if it is none."""
    try:
        predictor = json.loads(base64.b64decode(str(value), validate=True))
    except ValueError:
        return {}
    return predictor if isinstance(predictor, Mapping) else {}


def _without_endpoints(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node of a graph without the endpoints, which the operator overwrites."""
    rest = {name: part for name, part in node.items() if name != "endpoint"}
    return rest | {"children": [_without_endpoints(child) for child in node.get("children") or ()]}


def _containers(deployment: Object) -> list[Mapping[str, Any]]:
    template = (deployment.get("spec") or {}).get("template") or {}
    return (template.get("spec") or {}).get("containers") or []


def _runs(deployment: Object, containers: Sequence[Mapping[str, Any]], replicas: int | None) -> bool:
    spec = deployment.get("spec") or {}
    if replicas is not None and spec.get("replicas", 1) != replicas:
        return False
    return _includes(_containers(deployment), list(containers))


def _includes(value: Any, part: Any, *, are_quantities: bool = False) -> bool:
    """Whether ``value`` has all that ``part`` has; an item of a list may stand anywhere in the other list.

    Below ``resources`` the API server rewrites quantities of a Deployment (``0.5`` to ``500m``), and leaves those of a
    SeldonDeployment as they are: there the amounts are compared.
    """
    if isinstance(part, Mapping):
        return isinstance(value, Mapping) and all(
            _includes(value.get(key), each, are_quantities=are_quantities or key == "resources")
            for key, each in part.items()
        )
    if isinstance(part, list) and part and all(isinstance(each, Mapping) for each in part):
        # By content, not by place or name: two mounts of one volume share their name, and ports may have none.
        return isinstance(value, list) and all(any(_includes(each, one) for each in value) for one in part)
    if are_quantities and value is not None:
        return bool(_amount(value) == _amount(part))
    return bool(value == part) or (not part and not value)


def _amount(quantity: Any) -> Any:
    """The number that a Kubernetes quantity stands for; the quantity itself if it is none."""
    match = _QUANTITY.fullmatch(str(quantity))
    return quantity if match is None else Decimal(match[1]) * _FACTORS[match[2]]
