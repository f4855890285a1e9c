// The two kinds that the operator writes for Ambassador. It writes version v2, and Ambassador reads v3alpha1. For what the
// operator writes they differ in one field: a Mapping of v2 applies to every host, one of v3alpha1 to the host that it names.
// A default for that field replaces a conversion, so no webhook is needed.
local keep = { 'x-kubernetes-preserve-unknown-fields': true };
local open = { type: 'object' } + keep;

local definition(labels, kind, plural, spec) = {
  local version(name, storage, spec) = {
    name: name,
    served: true,
    storage: storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: spec, status: open } } },
    subresources: { status: {} },
  },
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: plural + '.getambassador.io', labels: labels },
  spec: {
    group: 'getambassador.io',
    scope: 'Namespaced',
    names: { kind: kind, listKind: kind + 'List', plural: plural, singular: std.asciiLower(kind) },
    conversion: { strategy: 'None' },
    versions: [version('v2', false, open), version('v3alpha1', true, spec)],
  },
};

function(labels) [
  definition(labels, 'Mapping', 'mappings', open { properties: { hostname: { type: 'string', default: '*' } } }),
  definition(labels, 'TLSContext', 'tlscontexts', open),
]
