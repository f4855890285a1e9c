"""The model behind MLServer: a custom runtime, as its documentation shows."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
from model import Model


class Bench(MLModel):
    async def load(self):
        self._bench = Model()
        return True

    async def predict(self, payload):
        answer = self._bench(NumpyCodec.decode_input(payload.inputs[0]))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("y", answer)])
