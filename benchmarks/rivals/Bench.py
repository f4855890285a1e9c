"""The model as a Seldon Core v1 component, for scorekit and for the stock wrapper."""

from model import Model


class Bench:
    def __init__(self):
        self._model = Model()

    def predict(self, X, features_names=None):
        return self._model(X)
