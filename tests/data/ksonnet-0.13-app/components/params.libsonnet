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
  },
}
