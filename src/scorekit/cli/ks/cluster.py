"""From a command line to a cluster and a plan: the one place where what ``ks`` renders meets what ``deploy`` does."""

import argparse
import os
from typing import TYPE_CHECKING

from ...errors import SetupError
from .app_folder import find_app
from .show import environment_name, rendered
from .terminal import log_lines

if TYPE_CHECKING:
    from ...deploy import DeployPlan
    from ...deploy.kube.client import Client
    from ...ks.app.app import Environment
    from ...ks.io.disk import Directory
    from ...manifests import Object


def connect(arguments: argparse.Namespace, environment: "Environment") -> "Client":
    """A client for the cluster of an environment; the flags of ``add_cluster_flags`` go before it.

    Nothing is sent yet. Raises ``SetupError`` if kubeconfig has no such cluster, or if urllib3 is not installed.
    """
    try:
        from ...deploy.kube.client import Client
    except ImportError as error:
        raise SetupError(
            f"commands that use a cluster need {error.name}: pip install '.[ks]' in a checkout of scorekit"
        ) from error
    from ...deploy import RetryPolicy
    from ...deploy.kube import ConfigOverrides, find_target, load

    overrides = ConfigOverrides(
        context=arguments.context,
        cluster=arguments.cluster,
        user=arguments.user,
        server=arguments.server,
        token=arguments.token,
        act_as=arguments.act_as,
        act_as_groups=tuple(arguments.as_group),
        is_insecure=arguments.insecure_skip_tls_verify or getattr(arguments, "tls_skip_verify", False),
    )
    if overrides.act_as_groups and not overrides.act_as:
        raise SetupError("--as-group needs --as")
    config = load(arguments.kubeconfig, os.environ)
    target = find_target(config, overrides, environment.server, environment.name)
    return Client(target, log_lines, RetryPolicy(limit_s=arguments.retry_for))


def plan_environment(arguments: argparse.Namespace) -> "tuple[Client, DeployPlan]":
    """The cluster and the plan of the environment that the command line names.

    Raises ``SetupError`` and ``RenderError`` for what is wrong with the app or the flags, and ``ClusterError`` if the
    server cannot be asked for its kinds.
    """
    from ...deploy import check_distinct

    tree = find_app(arguments)
    environment = environment_of(tree, environment_name(tree, arguments.environment))
    objects = rendered(tree, environment.name, arguments)
    check_distinct(objects, arguments.namespace or environment.namespace)
    client = connect(arguments, environment)
    return client, plan_objects(arguments, objects, client, environment)


def plan_objects(
    arguments: argparse.Namespace, objects: "list[Object]", client: "Client", environment: "Environment"
) -> "DeployPlan":
    """The plan for rendered ``objects``, in the namespace of the flags or of ``environment``."""
    from ...deploy import components_of, plan

    components = components_of(objects) if arguments.component else frozenset()
    return plan(objects, client, namespace=arguments.namespace or environment.namespace, components=components)


def environment_of(tree: "Directory", name: str) -> "Environment":
    """The app's environment of that name. Raises ``SetupError`` in ksonnet's words if there is none."""
    from ...ks.app.app import UnknownEnvironment, load_app

    try:
        return load_app(tree).environment(name)
    except UnknownEnvironment as error:
        raise SetupError(f"find objects: get modules: {error}") from error
