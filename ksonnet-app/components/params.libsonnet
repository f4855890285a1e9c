{
  global: {
    // User-defined global parameters; accessible to all component and environments, Ex:
    // replicas: 4,
  },
  components: {
    // Component-level parameters, defined initially from 'ks prototype use ...'
    // Each object below should correspond to a component in the components/ directory
    "test-seldon-ml-score-api": {
      endpoint: "REST",
      image: "alexioannides/seldon-ml-score-component",
      name: "test-seldon-ml-score-api",
      replicas: 1,
    },
    "test-ml-score-api": {
      image: "alexioannides/test-ml-score-api:latest",
      name: "test-ml-score-api",
      port: 5000,
      replicas: 1,
      serviceType: "LoadBalancer",
    },
  },
}
