local env = std.extVar("__ksonnet/environments");
local params = std.extVar("__ksonnet/params").components["test-seldon-ml-score-api"];

{
  apiVersion: "machinelearning.seldon.io/v1",
  kind: "SeldonDeployment",
  metadata: {
    name: params.name,
    labels: { app: "seldon" },
  },
  spec: {
    name: params.name,
    annotations: {
      deployment_version: "v1",
      project_name: params.name,
    },
    predictors: [
      {
        // The operator joins the names of deployment, predictor and container: "default" keeps them within 63 characters.
        name: "default",
        replicas: params.replicas,
        annotations: { predictor_version: "v1" },
        componentSpecs: [
          {
            spec: {
              containers: [
                {
                  name: params.name,
                  image: params.image,
                  imagePullPolicy: "IfNotPresent",
                },
              ],
            },
          },
        ],
        // A node runs in the container of its own name.
        graph: {
          name: params.name,
          type: "MODEL",
          endpoint: { type: params.endpoint },
          children: [],
        },
      },
    ],
  },
}
