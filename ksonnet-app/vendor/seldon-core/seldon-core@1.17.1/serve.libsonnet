// SeldonDeployments, made of containers and a graph.
local values = import 'values.libsonnet';
local workload = import 'workload.libsonnet';

// The user id of Seldon's builder images, which is the operator's default too.
local user = 8888;
// The operator adds a preStop hook that sleeps for ten seconds.
local graceSeconds = 30;
local volume = 'persistent-storage';

{
  // The container of a model; its name is that of the node.
  container(params, name, image):: {
    name: name,
    image: image,
    imagePullPolicy: params.imagePullPolicy,
    securityContext: workload.containerSecurity,
  } + values.some({ resources: values.object(params, 'resources') })
  + (if values.given(params.pvcName) then { volumeMounts: [{ name: volume, mountPath: '/mnt' }] } else {}),

  // The image of a model, as NAME@DIGEST if there is a digest; `registry` goes before it.
  image(params, image, digest):: (
    local whole = if values.given(params.registry) then std.rstripChars(params.registry, '/') + '/' + image else image;
    if !values.given(digest) then whole
    else if std.startsWith(digest, 'sha256:') then whole + '@' + digest
    else error 'the digest %s does not begin with sha256:' % digest
  ),

  // A node of a graph; `more` are its fields besides name and kind.
  node(name, type, endpoint, children=[], more={}):: {
    name: name,
    type: type,
    endpoint: { type: endpoint },
    children: children,
  } + more,

  // Ambassador's routes of the short path, /seldon/NAME/, one for each predictor, by its share of the traffic. The operator
  // writes those of /seldon/NAMESPACE/NAME/ alone (operator.libsonnet tells why). A predictor that is taken out of the
  // deployment takes its route with it only if that is deleted first: docs/kubernetes.md of scorekit, Canary.
  routes(deployment):: (
    local predictors = deployment.spec.predictors;
    local is_shadow(predictor) = std.get(predictor, 'shadow', false);
    local main = [predictor.name for predictor in predictors if !is_shadow(predictor)][0];
    local timeout = std.get(std.get(deployment.spec, 'annotations', {}), 'seldon.io/rest-timeout', '3000');
    local milliseconds = (
      if std.all([std.member('0123456789', digit) for digit in std.stringChars(timeout)]) then std.parseInt(timeout)
      else error 'the annotation seldon.io/rest-timeout is "%s"; it must be a number of milliseconds' % timeout
    );
    local route(predictor) = {
      local own = std.get(predictor, 'annotations', {}),
      local service = std.get(own, 'seldon.io/svc-name', deployment.metadata.name + '-' + predictor.name),
      // Past the orchestrator, the Service has the ports of the model's container.
      local port = if std.asciiLower(std.get(own, 'seldon.io/no-engine', 'false')) == 'true' then 9000 else 8000,
      local traffic = std.get(predictor, 'traffic', 0),
      apiVersion: 'getambassador.io/v3alpha1',
      kind: 'Mapping',
      metadata: {
        name: 'seldon-%s-%s-short' % [deployment.metadata.name, predictor.name],
        labels: { app: 'seldon' },
        // The Service is looked for in the Mapping's own namespace.
        [if std.objectHas(deployment.metadata, 'namespace') then 'namespace']: deployment.metadata.namespace,
      },
      spec: {
        hostname: '*',
        prefix: '/seldon/%s/' % deployment.metadata.name,
        rewrite: '/',
        service: '%s:%d' % [service, port],
        timeout_ms: milliseconds,
        // The first takes what the others leave. A shadow without a share gets a copy of every request.
        [if predictor.name != main && (traffic > 0 || !is_shadow(predictor)) then 'weight']: traffic,
        [if is_shadow(predictor) then 'shadow']: true,
      },
    };
    [route(predictor) for predictor in predictors]
  ),

  // The deployment, its routes, and the volume claim if one is asked for.
  objects(version, params, containers, graph):: (
    local replicas = values.count(params, 'replicas');
    local most = values.count(params, 'maxReplicas');
    local claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: params.pvcName },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
    };
    local component = {
      spec: {
        automountServiceAccountToken: false,
        containers: containers,
        securityContext: workload.podSecurity(user),
        terminationGracePeriodSeconds: graceSeconds,
      } + values.pullSecrets(params) + (
        if values.given(params.pvcName)
        then { volumes: [{ name: volume, persistentVolumeClaim: { claimName: params.pvcName } }] }
        else {}
      ),
    } + (
      if most <= replicas then {}
      else {
        hpaSpec: {
          minReplicas: std.max(replicas, 1),
          maxReplicas: most,
          metricsv2: [workload.cpuMetric(values.count(params, 'cpuPercent', 1))],
        },
      }
    ) + (
      if !values.given(params.maxUnavailable) then {}
      else { pdbSpec: { maxUnavailable: workload.numberOrShare(params.maxUnavailable) } }
    );
    local deployment = {
      apiVersion: 'machinelearning.seldon.io/' + version,
      kind: 'SeldonDeployment',
      metadata: { name: params.name, labels: { app: 'seldon' } },
      spec: {
        name: params.name,
        annotations: { deployment_version: 'v1', project_name: params.name },
        oauth_key: if values.given(params.oauthKey) then params.oauthKey else '',
        oauth_secret: if values.given(params.oauthSecret) then params.oauthSecret else '',
        predictors: [{
          // The operator joins the names of deployment, predictor and container, which must have at most 63 characters.
          name: 'default',
          annotations: { predictor_version: 'v1' }
                       + (if values.flag(params, 'noEngine') then { 'seldon.io/no-engine': 'true' } else {}),
          componentSpecs: [component],
          graph: graph,
        } + workload.scaled(replicas, most)],
      },
    };
    // A component that was generated before there was the parameter has its routes from the operator it was made for.
    local routed = std.objectHas(params, 'ambassadorRoute') && values.flag(params, 'ambassadorRoute');
    (if values.given(params.pvcName) then [claim] else []) + [deployment]
    + (if routed then $.routes(deployment) else [])
  ),
}
