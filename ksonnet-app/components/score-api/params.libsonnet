{
  global: {},
  components: {
    "test-ml-score-api": {
      image: "alexioannides/test-ml-score-api:latest",
      name: "test-ml-score-api",
      port: 5000,
      replicas: 1,
      serviceType: "LoadBalancer",
    },
  },
}
