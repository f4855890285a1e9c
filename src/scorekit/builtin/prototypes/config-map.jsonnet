// @apiVersion 0.1
// @name io.ksonnet.pkg.configMap
// @shortDescription A ConfigMap with the settings of an application
// @description A ConfigMap: settings that pods read as environment variables or as files. Without 'data' it is empty.
// @param name string The name of the ConfigMap
// @optionalParam data object {} Keys and values
{
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: import 'param://name' },
  data: import 'param://data',
}
