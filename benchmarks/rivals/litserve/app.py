"""The model behind LitServe, batching on, as its documentation shows."""

import sys

import litserve
import numpy as np
from model import Model


class Bench(litserve.LitAPI):
    def setup(self, device):
        self._bench = Model()

    def decode_request(self, request):
        return np.array(request["rows"], dtype=float)

    def batch(self, inputs):
        self._counts = [len(rows) for rows in inputs]
        return np.concatenate(inputs)

    def predict(self, rows):
        return self._bench(rows)

    def unbatch(self, output):
        return np.split(output, np.cumsum(self._counts)[:-1])

    def encode_response(self, output):
        return {"y": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Bench(max_batch_size=64, batch_timeout=0.001), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="error",
        access_log=False,
    )
