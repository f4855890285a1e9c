// @apiVersion 0.1
// @name io.ksonnet.pkg.configMap
// @shortDescription Settings of an application, by key
// @description A ConfigMap: settings that pods read as variables or as files. Without 'data' it begins empty.
// @param name string The ConfigMap's name
// @optionalParam data object {} Keys and their texts
{
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: import 'param://name' },
  data: import 'param://data',
}
