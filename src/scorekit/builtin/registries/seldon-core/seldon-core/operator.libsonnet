// Seldon Core's operator, version 1.17.1. With MANAGER_CREATE_RESOURCES it makes the objects of its webhook (certificate,
// Service, configurations) and the ConfigMap seldon-config. None of these is rendered here.
local access = import 'access.libsonnet';
local values = import 'values.libsonnet';
local workload = import 'workload.libsonnet';

// The webhook's Service, which the operator makes, selects these labels. The operator finds its own deployment by this name.
local name = 'seldon-controller-manager';
local labels = {
  app: 'seldon',
  'app.kubernetes.io/instance': 'seldon1',
  'app.kubernetes.io/name': 'seldon',
  'app.kubernetes.io/version': 'v0.5',
  'control-plane': name,
};
local account = 'seldon';
local user = 8888;

// Rules for the namespaces that it watches.
local working(ambassador) = [
  access.rule('machinelearning.seldon.io', ['seldondeployments'], access.own),
  access.rule('machinelearning.seldon.io', ['seldondeployments/finalizers', 'seldondeployments/status'], access.status),
  access.rule('apps', ['deployments'], access.own),
  access.rule('apps', ['deployments/status'], access.status),
  access.rule('autoscaling', ['horizontalpodautoscalers'], access.own),
  access.rule('autoscaling', ['horizontalpodautoscalers/status'], access.status),
  access.rule('policy', ['poddisruptionbudgets'], access.own),
  access.rule('policy', ['poddisruptionbudgets/status'], access.status),
  access.rule('', ['services'], access.own),
  access.rule('', ['events'], ['create', 'patch']),
  // It finds the credentials of a model's storage by the service account.
  access.rule('', ['namespaces', 'serviceaccounts', 'secrets', 'configmaps'], access.read),
] + (
  if !ambassador then []
  else [
    access.rule('getambassador.io', ['mappings', 'tlscontexts'], access.own),
    access.rule('getambassador.io', ['mappings/status', 'tlscontexts/status'], access.status),
  ]
);

// Rules for its own namespace: the leader's lock, and seldon-config.
local living = [
  access.rule('coordination.k8s.io', ['leases'], access.own),
  access.rule('', ['configmaps'], access.own),
  access.rule('', ['configmaps/status'], access.status),
  access.rule('', ['services'], access.own),
  access.rule('', ['events'], ['create', 'patch']),
  access.rule('apps', ['deployments'], access.read),
  access.rule('apps', ['deployments/finalizers'], access.status),
];

// Rules for objects without a namespace: the webhook's configurations, and the definition that owns them.
local making = [
  access.rule(
    'admissionregistration.k8s.io',
    ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    ['get', 'list', 'create', 'delete', 'update']
  ),
  access.rule('apiextensions.k8s.io', ['customresourcedefinitions'], ['create', 'get', 'list']),
  access.rule('apiextensions.k8s.io', ['customresourcedefinitions/finalizers'], access.status) {
    resourceNames: ['seldondeployments.machinelearning.seldon.io'],
  },
];

local environ(params, namespace) = {
  local yes(value) = if value then 'true' else 'false',
  local single = values.flag(params, 'singleNamespace'),
  local ambassador = values.flag(params, 'withAmbassador'),
  MANAGER_CREATE_RESOURCES: 'true',
  MANAGER_LEADER_ELECTION_ID: 'a33bd623.machinelearning.seldon.io',
  MANAGER_LOG_LEVEL: 'INFO',
  WATCH_NAMESPACE: if single then namespace else '',
  CONTROLLER_ID: '',
  AMBASSADOR_ENABLED: yes(ambassador),
  // v2 makes it write Mappings. With v1 it would write annotations, which a current Ambassador refuses to start with.
  AMBASSADOR_VERSION: 'v2',
  // With `true` it writes a second route, of the short path, whose name has underscores: the API server refuses it, and
  // every SeldonDeployment ends Failed (seen on a cluster, 2026-11). serve.libsonnet has that route instead.
  AMBASSADOR_SINGLE_NAMESPACE: 'false',
  ISTIO_ENABLED: 'false',
  KEDA_ENABLED: 'false',
  USE_EXECUTOR: 'true',
  EXECUTOR_CONTAINER_IMAGE_AND_VERSION:
    values.image(
      params, 'docker.io', params.repository + '/seldon-core-executor', params.seldonVersion, params.executorDigest
    ),
  EXECUTOR_CONTAINER_IMAGE_PULL_POLICY: params.imagePullPolicy,
  EXECUTOR_CONTAINER_SERVICE_ACCOUNT_NAME: params.engineServiceAccount,
  EXECUTOR_CONTAINER_USER: std.toString(params.engineUser),
  EXECUTOR_SERVER_PORT: '8000',
  EXECUTOR_PROMETHEUS_PATH: '/prometheus',
  EXECUTOR_SERVER_METRICS_PORT_NAME: 'metrics',
  EXECUTOR_FULL_HEALTH_CHECKS: 'false',
  EXECUTOR_REQUEST_LOGGER_DEFAULT_ENDPOINT: 'http://default-broker',
  EXECUTOR_REQUEST_LOGGER_WORK_QUEUE_SIZE: '10000',
  EXECUTOR_REQUEST_LOGGER_WRITE_TIMEOUT_MS: '2000',
  // Of the limit's 500m only a part is asked for: two replicas and a rolling update fit on a node of two CPUs.
  EXECUTOR_DEFAULT_CPU_REQUEST: '100m',
  EXECUTOR_DEFAULT_CPU_LIMIT: '500m',
  EXECUTOR_DEFAULT_MEMORY_REQUEST: '128Mi',
  EXECUTOR_DEFAULT_MEMORY_LIMIT: '512Mi',
  PREDICTIVE_UNIT_HTTP_SERVICE_PORT: '9000',
  PREDICTIVE_UNIT_GRPC_SERVICE_PORT: '9500',
  PREDICTIVE_UNIT_METRICS_PORT_NAME: 'metrics',
  PREDICTIVE_UNIT_DEFAULT_ENV_SECRET_REF_NAME: '',
  DEFAULT_USER_ID: std.toString(params.engineUser),
  DEPLOYMENT_NAME_AS_PREFIX: 'false',
};

local deployment(params, namespace) = {
  local variables = environ(params, namespace),
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: workload.metadata(params, namespace, name, 'operator'),
  spec: {
    replicas: values.count(params, 'operatorReplicas', 1),
    selector: { matchLabels: labels },
    template: {
      metadata: {
        labels: labels,
        annotations: {
          'prometheus.io/scrape': 'true',
          'prometheus.io/port': '8080',
          'sidecar.istio.io/inject': 'false',
        },
      },
      spec: {
        serviceAccountName: account,
        securityContext: workload.podSecurity(user),
        terminationGracePeriodSeconds: 10,
        containers: [{
          name: 'manager',
          image: values.image(
            params, 'docker.io', params.repository + '/seldon-core-operator', params.seldonVersion, params.operatorDigest
          ),
          imagePullPolicy: params.imagePullPolicy,
          command: ['/manager'],
          args: [
            '--enable-leader-election',
            '--webhook-port=4443',
            '--create-resources=$(MANAGER_CREATE_RESOURCES)',
            '--log-level=$(MANAGER_LOG_LEVEL)',
            '--leader-election-id=$(MANAGER_LEADER_ELECTION_ID)',
          ],
          env: [{ name: variable, value: variables[variable] } for variable in std.objectFields(variables)] + [
            { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
          ],
          ports: [
            { name: 'webhook-server', containerPort: 4443, protocol: 'TCP' },
            { name: 'metrics', containerPort: 8080, protocol: 'TCP' },
          ],
          resources: values.object(params, 'operatorResources'),
          // It writes its certificate to its root file system, which therefore must be writable.
          securityContext: workload.containerSecurity,
        }],
      } + values.pullSecrets(params),
    },
  },
};

{
  account(params, namespace):: access.account(workload.metadata(params, namespace, account, 'operator')),

  roles(params, namespace):: (
    local wide = !values.flag(params, 'singleNamespace');
    local metadata(role) = workload.metadata(params, namespace, role, 'operator');
    local granted(role, wide, rules) = access.granted(metadata(role), wide, account, namespace, rules);
    granted(if wide then 'seldon-wide' else 'seldon-local', wide, working(values.flag(params, 'withAmbassador')))
    + granted('seldon-leader', false, living)
    // A cluster-wide name contains the namespace, so that the package can be installed in several.
    + granted('seldon-webhook-' + namespace, true, making)
  ),

  deployment(params, namespace):: deployment(params, namespace),
}
