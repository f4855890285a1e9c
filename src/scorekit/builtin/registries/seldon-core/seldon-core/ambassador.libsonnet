// Emissary-ingress, which was called Ambassador. An annotation of its Service says where it listens, and the operator's Mappings
// (routes.libsonnet) say what it routes; it needs none of its other definitions. scorekit's docs/design/0012 has the reasons.
local access = import 'access.libsonnet';
local routes = import 'routes.libsonnet';
local values = import 'values.libsonnet';
local workload = import 'workload.libsonnet';

local account = 'ambassador';
local user = 8888;
local port = 8080;
// Ambassador's own API, for the health checks of the kubelet. No Service has this port.
local adminPort = 8877;

local watching = [
  access.rule('getambassador.io', ['*'], access.read),
  access.rule('', ['services', 'endpoints', 'secrets', 'configmaps'], access.read),
  access.rule('networking.k8s.io', ['ingresses'], access.read),
];

// One listener for every host; diagnostics are off.
local configuration = [
  {
    kind: 'Module',
    name: 'ambassador',
    config: { diagnostics: { enabled: false } },
  },
  {
    kind: 'Listener',
    name: 'http',
    port: port,
    protocol: 'HTTP',
    securityModel: 'INSECURE',
    hostBinding: { namespace: { from: 'ALL' } },
  },
  {
    kind: 'Host',
    name: 'every',
    hostname: '*',
    requestPolicy: { insecure: { action: 'Route' } },
  },
];

local yaml(documents) = std.join('', [
  '---\n' + std.manifestYamlDoc({ apiVersion: 'getambassador.io/v3alpha1' } + document) + '\n'
  for document in documents
]);

local environ(single) = {
  AMBASSADOR_CONFIG_BASE_DIR: '/tmp/ambassador-config',
  HOME: '/tmp/ambassador',
  // This endpoint would serve everything that Ambassador watches, secrets included.
  AMBASSADOR_DISABLE_SNAPSHOT_SERVER: 'true',
} + (if single then { AMBASSADOR_SINGLE_NAMESPACE: 'true' } else {});

{
  name(params):: params.name + '-ambassador',

  // The label `service` is for `kubectl … -l service=ambassador`.
  selector(params):: { 'app.kubernetes.io/name': params.name, service: 'ambassador' },
  labels(params):: workload.labels(params, 'ambassador') + $.selector(params),

  definitions(params):: (
    if values.flag(params, 'ambassadorDefinitions') then routes(workload.labels(params, 'ambassador')) else []
  ),

  account(params, namespace):: access.account(workload.metadata(params, namespace, account, 'ambassador')),

  roles(params, namespace):: (
    local wide = !values.flag(params, 'singleNamespace');
    local role = if wide then 'ambassador-' + namespace else 'ambassador';
    local metadata = workload.metadata(params, namespace, role, 'ambassador');
    local rules = watching + if wide then [access.rule('networking.k8s.io', ['ingressclasses'], access.read)] else [];
    access.granted(metadata, wide, account, namespace, rules)
  ),

  deployment(params, namespace):: {
    local variables = environ(values.flag(params, 'singleNamespace')),
    local replicas = values.count(params, 'ambassadorReplicas', 1),
    local probe(path) = {
      httpGet: { path: '/ambassador/v0/' + path, port: adminPort },
      periodSeconds: 3,
      failureThreshold: 3,
    },
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: workload.metadata(params, namespace, $.name(params), 'ambassador'),
    spec: workload.scaled(replicas, values.count(params, 'ambassadorMaxReplicas')) {
      selector: { matchLabels: $.selector(params) },
      template: {
        metadata: {
          labels: $.labels(params),
          annotations: { 'sidecar.istio.io/inject': 'false' },
        },
        spec: {
          serviceAccountName: account,
          securityContext: workload.podSecurity(user),
          containers: [{
            name: 'ambassador',
            image: values.image(
              params, 'ghcr.io', 'emissary-ingress/emissary', params.ambassadorVersion, params.ambassadorDigest
            ),
            imagePullPolicy: params.imagePullPolicy,
            env: [{ name: variable, value: variables[variable] } for variable in std.objectFields(variables)] + [
              { name: 'AMBASSADOR_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
            ],
            // Only one port: `kubectl expose deployment` makes a port of the Service of each one.
            ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
            startupProbe: probe('check_alive') { failureThreshold: 40 },
            livenessProbe: probe('check_alive'),
            readinessProbe: probe('check_ready'),
            resources: values.object(params, 'ambassadorResources'),
            securityContext: workload.containerSecurity { readOnlyRootFilesystem: true },
            volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
          }],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        } + values.pullSecrets(params),
      },
    },
  },

  service(params, namespace):: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: workload.metadata(params, namespace, $.name(params), 'ambassador') {
      labels+: { service: 'ambassador' },
      annotations: { 'getambassador.io/config': yaml(configuration) },
    },
    spec: {
      type: params.ambassadorServiceType,
      selector: $.selector(params),
      ports: [{ name: 'http', port: 80, targetPort: port, protocol: 'TCP' }],
    },
  },

  // An autoscaler if there may be more than `ambassadorReplicas`, and a disruption budget if one is given.
  resilience(params, namespace):: (
    local metadata = workload.metadata(params, namespace, $.name(params), 'ambassador');
    local least = values.count(params, 'ambassadorReplicas', 1);
    local most = values.count(params, 'ambassadorMaxReplicas');
    (
      if most <= least then []
      else [workload.autoscaler(metadata, $.name(params), least, most, values.count(params, 'ambassadorCpuPercent', 1))]
    ) + (
      if !values.given(params.ambassadorMaxUnavailable) then []
      else [workload.disruptionBudget(metadata, $.selector(params), params.ambassadorMaxUnavailable)]
    )
  ),
}
