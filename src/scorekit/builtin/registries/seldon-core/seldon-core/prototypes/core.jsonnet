// @apiVersion 0.1
// @name io.ksonnet.pkg.seldon-core
// @description Seldon Core 1.17.1: the operator with its roles, the definition of SeldonDeployment and, if asked for,
//   an Ambassador (Emissary-ingress) that routes to the deployments.
// @shortDescription Seldon Core 1.17.1 - operator, SeldonDeployment, Ambassador.
// @param name string Name of the component; the Ambassador is <name>-ambassador
// @optionalParam namespace string null Namespace of all objects; null means the environment's
// @optionalParam withRbac string true Whether to make roles and their bindings
// @optionalParam withApife string false Whether to start the API front end; Seldon Core no longer has one
// @optionalParam withAmbassador string false Whether to start an Ambassador
// @optionalParam singleNamespace string true Whether to watch only this namespace
// @optionalParam seldonVersion string 1.17.1 Version of Seldon Core's images
// @optionalParam repository string seldonio Repository of Seldon Core's images
// @optionalParam registry string null Registry or mirror to pull all images from; null means where they are published
// @optionalParam imagePullPolicy string IfNotPresent When to pull images
// @optionalParam imagePullSecret string null Secret to pull images with
// @optionalParam operatorDigest string null Digest (sha256:...) of the operator's image
// @optionalParam operatorReplicas number 1 Number of operators; one of them leads
// @optionalParam operatorResources object {"limits":{"memory":"300Mi"},"requests":{"cpu":"100m","memory":"200Mi"}} Resources of the operator
// @optionalParam executorDigest string null Digest (sha256:...) of the image of the service orchestrator
// @optionalParam engineServiceAccount string default Service account of the service orchestrator
// @optionalParam engineUser string 8888 User id that models and the service orchestrator run as
// @optionalParam ambassadorVersion string 4.1.0 Version of Emissary-ingress
// @optionalParam ambassadorDigest string null Digest (sha256:...) of its image
// @optionalParam ambassadorServiceType string NodePort Type of its Service
// @optionalParam ambassadorDefinitions string true Whether to define Mapping and TLSContext; false if Emissary's own definitions exist
// @optionalParam ambassadorReplicas number 1 Number of Ambassadors
// @optionalParam ambassadorMaxReplicas number 0 Highest number; if it is above ambassadorReplicas, an autoscaler is made
// @optionalParam ambassadorCpuPercent number 75 CPU use that the autoscaler aims at, in percent of the request
// @optionalParam ambassadorMaxUnavailable numberOrString null Ambassadors that may be unavailable at once; makes a disruption budget
// @optionalParam ambassadorResources object {"limits":{"memory":"600Mi"},"requests":{"cpu":"200m","memory":"300Mi"}} Resources of an Ambassador

local core = import "seldon-core/seldon-core/core.libsonnet";

core.objects(params, env)
