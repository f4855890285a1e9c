// The definition of SeldonDeployment: one schema for all three versions, so that nothing has to be converted. It checks
// common mistakes and keeps unknown fields, so that nothing is lost that the operator understands.
local keep = { 'x-kubernetes-preserve-unknown-fields': true };
local string = { type: 'string' };
local integer = { type: 'integer', format: 'int32' };
local boolean = { type: 'boolean' };
local open = { type: 'object' } + keep;
local strings = { type: 'object', additionalProperties: string };
local count = integer { minimum: 0 };
local array(items) = { type: 'array', items: items };
local object(properties, required=[]) =
  { type: 'object', properties: properties } + keep + (if required == [] then {} else { required: required });
local oneOf(names) = string { enum: names };

local parameter = object({ name: string, value: string, type: string }, ['name', 'value']);
local endpoint = object({
  service_host: string,
  service_port: integer,
  httpPort: integer,
  grpcPort: integer,
  type: oneOf(['REST', 'GRPC']),
});
local node = object({
  name: string { minLength: 1 },
  type: oneOf(['UNKNOWN_TYPE', 'ROUTER', 'COMBINER', 'MODEL', 'TRANSFORMER', 'OUTPUT_TRANSFORMER']),
  implementation: string,
  methods: array(string),
  endpoint: endpoint,
  parameters: array(parameter),
  modelUri: string,
  serviceAccountName: string,
  envSecretRefName: string,
  storageInitializerImage: string,
  logger: open,
  // A schema cannot contain itself, so the nodes below are not checked.
  children: array(open),
}, ['name']);
local componentSpec = object({
  metadata: open,
  spec: open,
  replicas: count,
  hpaSpec: object({ minReplicas: integer, maxReplicas: integer, metrics: array(open), metricsv2: array(open) }),
  pdbSpec: object({
    minAvailable: { 'x-kubernetes-int-or-string': true },
    maxUnavailable: { 'x-kubernetes-int-or-string': true },
  }),
  kedaSpec: open,
});
local predictor = object({
  name: string,
  graph: node,
  componentSpecs: array(componentSpec),
  replicas: count,
  annotations: strings,
  labels: strings,
  engineResources: open,
  svcOrchSpec: object({ resources: open, env: array(open), replicas: count }),
  traffic: count { maximum: 100 },
  shadow: boolean,
  explainer: open,
  ssl: object({ certSecretName: string }),
  progressDeadlineSeconds: integer,
}, ['graph']);
local schema = {
  type: 'object',
  properties: {
    apiVersion: string,
    kind: string,
    metadata: { type: 'object' },
    spec: object({
      name: string,
      predictors: array(predictor) { minItems: 1 },
      annotations: strings,
      oauth_key: string,
      oauth_secret: string,
      protocol: string,
      transport: string,
      serverType: string,
      replicas: count,
    }, ['predictors']),
    status: open,
  },
};
local column(name, type, path) = { name: name, type: type, jsonPath: path };
local version(name, storage) = {
  name: name,
  served: true,
  storage: storage,
  schema: { openAPIV3Schema: schema },
  subresources: {
    status: {},
    scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  },
  additionalPrinterColumns: [
    column('State', 'string', '.status.state'),
    column('Age', 'date', '.metadata.creationTimestamp'),
  ],
};

function(labels) {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'seldondeployments.machinelearning.seldon.io', labels: labels },
  spec: {
    group: 'machinelearning.seldon.io',
    scope: 'Namespaced',
    names: {
      kind: 'SeldonDeployment',
      listKind: 'SeldonDeploymentList',
      plural: 'seldondeployments',
      singular: 'seldondeployment',
      shortNames: ['sdep'],
    },
    conversion: { strategy: 'None' },
    versions: [version('v1', true), version('v1alpha2', false), version('v1alpha3', false)],
  },
}
