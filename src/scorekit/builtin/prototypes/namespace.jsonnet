// @apiVersion 0.1
// @name io.ksonnet.pkg.namespace
// @shortDescription A namespace that has its name as a label
// @description A Namespace. Its label 'name' is what selectors of namespaces, as in network policies, can ask for.
// @param name string The namespace's name
local name = import 'param://name';

{
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: name, labels: { name: name } },
}
