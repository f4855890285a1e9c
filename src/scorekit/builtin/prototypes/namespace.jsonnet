// @apiVersion 0.1
// @name io.ksonnet.pkg.namespace
// @shortDescription A Namespace with its name as a label
// @description A Namespace. Its label 'name' is for selectors of namespaces, as in network policies.
// @param name string The name of the Namespace
local name = import 'param://name';

{
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: name, labels: { name: name } },
}
