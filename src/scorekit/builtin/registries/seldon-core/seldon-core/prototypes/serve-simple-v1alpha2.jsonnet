// @apiVersion 0.1
// @name io.ksonnet.pkg.seldon-serve-simple-v1alpha2
// @description A model to serve: a SeldonDeployment (v1alpha2) whose graph is that one model.
// @shortDescription A model to serve.
// @param name string Name of the deployment
// @param image string Image of the model
// @optionalParam imageDigest string null Digest (sha256:...) of that image
// @optionalParam replicas number 1 How many replicas
// @optionalParam endpoint string REST What the model speaks: REST or GRPC
// @optionalParam registry string null Registry, or mirror, that images come from: goes before their names
// @optionalParam imagePullPolicy string IfNotPresent When to pull images
// @optionalParam imagePullSecret string null Secret to pull images with
// @optionalParam pvcName string null Persistent volume claim to make and mount at /mnt
// @optionalParam oauthKey string null OAuth key, of the API front end that there was
// @optionalParam oauthSecret string null OAuth secret, likewise
// @optionalParam resources object {} Resources of each container
// @optionalParam maxReplicas number 0 How many replicas at most; more than replicas makes an autoscaler
// @optionalParam cpuPercent number 75 Use of the requested CPU that the autoscaler aims at
// @optionalParam maxUnavailable numberOrString null How many replicas may be away at once: makes a disruption budget
// @optionalParam noEngine string false Whether requests go straight to the model, past the service orchestrator
// @optionalParam ambassadorRoute string true Whether Ambassador routes /seldon/NAME/ to it; false where there is none

local serve = import "seldon-core/seldon-core/serve.libsonnet";

local image = serve.image(params, params.image, params.imageDigest);
local model = serve.container(params, params.name, image);

serve.objects("v1alpha2", params, [model], serve.node(params.name, "MODEL", params.endpoint))
