// Everything that a namespace needs for SeldonDeployments.
local ambassador = import 'ambassador.libsonnet';
local crd = import 'crd.libsonnet';
local operator = import 'operator.libsonnet';
local values = import 'values.libsonnet';
local workload = import 'workload.libsonnet';

local noApife = 'withApife=true: Seldon Core has had no API front end (its OAuth gateway) since 1.0. Set withApife to false '
                + 'and let requests come in through Ambassador: withAmbassador=true';

{
  // `env` is the environment's destination; its namespace is the default.
  objects(params, env):: (
    local namespace = if values.given(params.namespace) then params.namespace else env.namespace;
    local rbac = values.flag(params, 'withRbac');
    local withAmbassador = values.flag(params, 'withAmbassador');
    assert !values.flag(params, 'withApife') : noApife;
    [operator.account(params, namespace)]
    + (if rbac then operator.roles(params, namespace) else [])
    + [operator.deployment(params, namespace), crd(workload.labels(params, 'operator'))]
    + (
      if !withAmbassador then []
      else ambassador.definitions(params)
           + [ambassador.account(params, namespace)]
           + (if rbac then ambassador.roles(params, namespace) else [])
           + [ambassador.deployment(params, namespace), ambassador.service(params, namespace)]
           + ambassador.resilience(params, namespace)
    )
  ),
}
