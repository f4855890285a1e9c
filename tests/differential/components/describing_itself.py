"""Health and metadata."""

from typing import Any

import numpy as np


class HealthList:
    def health_status(self) -> Any:
        return [0.5, 1]


class HealthArray:
    def health_status(self) -> Any:
        return np.array([[1, 2]])


class HealthText:
    def health_status(self) -> Any:
        return "fine"

    def tags(self) -> Any:
        return {"mood": "good"}

    def metrics(self) -> Any:
        return [{"type": "GAUGE", "key": "health", "value": 1}]


class HealthDict:
    def health_status(self) -> Any:
        return {"fine": True}


class HealthNone:
    def health_status(self) -> Any:
        return None


class HealthRaises:
    def health_status(self) -> Any:
        raise ValueError("unwell")


class HealthRaw:
    def health_status_raw(self) -> Any:
        return {"data": {"ndarray": ["raw"]}, "more": 1}

    def health_status(self) -> Any:
        return "not this one"


class Metadata:
    def init_metadata(self) -> Any:
        return {
            "name": "mine",
            "versions": ["v1", "v2"],
            "platform": "sklearn",
            "inputs": [{"messagetype": "tensor", "schema": {"names": ["a", "b"], "shape": [2, 2]}}],
            "outputs": [{"messagetype": "jsonData", "schema": {"type": "object"}}],
            "custom": {"team": "data"},
        }


class MetadataV2:
    def init_metadata(self) -> Any:
        return {
            "name": "mine",
            "versions": ["v1"],
            "platform": "seldon",
            "inputs": [{"datatype": "BYTES", "name": "input", "shape": [1]}],
            "outputs": [{"messagetype": "strData"}, {"messagetype": "own", "schema": {"a": 1}}],
        }


class MetadataInvalid:
    def predict(self, X: Any, names: Any) -> Any:
        return X

    def init_metadata(self) -> Any:
        return {"name": "mine", "inputs": [{"messagetype": "tensor", "schema": {"names": "a"}}]}


class MetadataUnknownKey:
    def init_metadata(self) -> Any:
        return {"name": "mine", "colour": "blue"}


class MetadataBadVersions:
    def init_metadata(self) -> Any:
        return {"name": "mine", "versions": "v1"}


class MetadataNoDict:
    def init_metadata(self) -> Any:
        return ["mine"]
