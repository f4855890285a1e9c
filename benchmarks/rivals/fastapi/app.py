"""The model behind FastAPI, as a person writes it by hand: a declared body, the model called where the request is."""

import numpy as np
from fastapi import FastAPI
from model import Model
from pydantic import BaseModel

app = FastAPI()
bench = Model()


class Rows(BaseModel):
    rows: list[list[float]]


@app.post("/predict")
async def predict(body: Rows):
    return {"y": bench(np.array(body.rows)).tolist()}
