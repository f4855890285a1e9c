// @apiVersion 0.1
// @name io.ksonnet.pkg.single-port-service
// @shortDescription One address and port for the pods with given labels
// @description A Service: whoever connects to 'servicePort' reaches 'targetPort' of one of the pods that have all of
//   the labels in 'targetLabelSelector'.
// @param name string The service's name
// @param targetLabelSelector object Labels of the pods, such as {app: 'web'}
// @optionalParam servicePort number 80 Where the service listens
// @optionalParam targetPort number 80 Where the pods listen
// @optionalParam protocol string TCP TCP or UDP
// @optionalParam serviceType string ClusterIP ClusterIP, NodePort or LoadBalancer
{
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: import 'param://name' },
  spec: {
    type: import 'param://serviceType',
    selector: import 'param://targetLabelSelector',
    ports: [
      {
        protocol: import 'param://protocol',
        port: import 'param://servicePort',
        targetPort: import 'param://targetPort',
      },
    ],
  },
}
