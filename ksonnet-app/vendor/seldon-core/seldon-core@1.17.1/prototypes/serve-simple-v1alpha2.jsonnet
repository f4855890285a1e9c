// @apiVersion 0.1
// @name io.ksonnet.pkg.seldon-serve-simple-v1alpha2
// @description A model to serve: a SeldonDeployment (v1alpha2) whose graph is that one model.
// @shortDescription A model to serve.
// @param name string Name of the deployment
// @param image string Image of the model
// @optionalParam imageDigest string null Digest (sha256:...) of that image
// @optionalParam replicas number 1 Number of replicas
// @optionalParam endpoint string REST Protocol of the model: REST or GRPC
// @optionalParam registry string null Registry or mirror to pull images from; goes before their names
// @optionalParam imagePullPolicy string IfNotPresent When to pull images
// @optionalParam imagePullSecret string null Secret to pull images with
// @optionalParam pvcName string null Persistent volume claim to make and mount at /mnt
// @optionalParam oauthKey string null OAuth key of the former API front end
// @optionalParam oauthSecret string null OAuth secret of the former API front end
// @optionalParam resources object {} Resources of each container
// @optionalParam maxReplicas number 0 Highest number of replicas; if it is above replicas, an autoscaler is made
// @optionalParam cpuPercent number 75 CPU use that the autoscaler aims at, in percent of the request
// @optionalParam maxUnavailable numberOrString null Replicas that may be unavailable at once; makes a disruption budget
// @optionalParam noEngine string false Whether requests go directly to the model, without the service orchestrator
// @optionalParam ambassadorRoute string true Whether Ambassador routes /seldon/NAME/ to the model; false if there is none

local serve = import "seldon-core/seldon-core/serve.libsonnet";

local image = serve.image(params, params.image, params.imageDigest);
local model = serve.container(params, params.name, image);

serve.objects("v1alpha2", params, [model], serve.node(params.name, "MODEL", params.endpoint))
