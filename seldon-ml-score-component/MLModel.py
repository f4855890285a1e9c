"""Iris species from two petal measurements: a Seldon Core v1 component around a scikit-learn classifier.

Written for any server that speaks the v1 component convention, the stock wrapper on Python 3.8 included, so it imports
nothing but numpy and scikit-learn.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

HERE = Path(__file__).resolve().parent
MODEL = "model.npz"
CHECKSUM = "model.sha256"  # in the format of `sha256sum`, so that `sha256sum -c model.sha256` checks it by hand

# Far beyond any petal and far below where the classifier's sums overflow and its probabilities become NaN.
LARGEST_CM = 1e6


class ModelFileError(RuntimeError):
    """The model file cannot be used; the message says which file and what to run."""


class MLModel:
    """Probabilities of the three iris species from petal length and petal width in cm."""

    def __init__(self) -> None:
        # In the constructor, not in `load`: a server that forks workers reads the file once, and a bad file stops the
        # start itself instead of each worker in turn.
        self._classifier, features = read_model(HERE)
        self._expected = f"expected {len(features)} features per row ({', '.join(features)})"

    def predict(self, X: Any, features_names: Iterable[str] | None = None) -> npt.NDArray[np.float64]:
        """Returns class probabilities (rows × 3, in the order of `class_names`) for `X` (rows × 2, cm; by position).

        Raises ValueError for input that cannot be scored, and never TypeError: after a TypeError the stock wrapper
        calls a second time.
        """
        try:
            rows = np.asarray(X, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            came = f"an array of type {X.dtype}" if isinstance(X, np.ndarray) else f"a {type(X).__name__}"
            raise ValueError(f"{self._expected}, but got {came} that cannot be read as numbers") from error
        if rows.ndim != 2 or rows.shape[1] != self._classifier.n_features_in_:
            raise ValueError(f"{self._expected}, but got an array of shape {rows.shape}")
        if not (np.abs(rows) < LARGEST_CM).all():
            raise ValueError(f"{self._expected}, but some are missing, infinite or beyond ±{LARGEST_CM:.0f} cm")
        if not len(rows):  # scikit-learn refuses an empty batch
            return np.empty((0, len(self._classifier.classes_)))
        probabilities: npt.NDArray[np.float64] = self._classifier.predict_proba(rows)
        return probabilities

    def class_names(self) -> list[str]:
        """Returns the species, in the order of the columns that `predict` returns."""
        names: list[str] = self._classifier.classes_.tolist()
        return names


def read_model(folder: Path) -> tuple[LogisticRegression, list[str]]:
    """Returns the classifier and its feature names from the model file in `folder`, after checking its checksum.

    Raises ModelFileError if the file is missing, changed or not a model file.
    """
    model, checksum = folder / MODEL, folder / CHECKSUM
    remedy = (
        f"restore {MODEL} and {CHECKSUM} from version control or make both again with `python {folder / 'train.py'}`"
    )
    try:
        content = model.read_bytes()
        listed = checksum.read_text(encoding="ascii", errors="replace").split()
    except OSError as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise ModelFileError(f"{error.filename} {why}: {remedy}.") from error
    if listed != [hashlib.sha256(content).hexdigest(), MODEL]:
        raise ModelFileError(f"{model} is not the file that {checksum} describes: {remedy}.")
    # One read serves both the check and the load, so the file cannot change between them.
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return _rebuild(arrays["coef"], arrays["intercept"], arrays["classes"], arrays["features"])
    except (ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{model} does not hold the four plain arrays of this model: {remedy}.") from error


def _rebuild(
    coef: npt.NDArray[np.float64],
    intercept: npt.NDArray[np.float64],
    classes: npt.NDArray[np.str_],
    features: npt.NDArray[np.str_],
) -> tuple[LogisticRegression, list[str]]:
    if coef.shape != (len(classes), len(features)) or intercept.shape != classes.shape:
        raise ValueError("arrays of different models")
    # The fitted state is set by hand: scikit-learn 1.2 to 1.9 read only these four attributes when predicting.
    classifier = LogisticRegression()
    classifier.coef_, classifier.intercept_, classifier.classes_ = coef, intercept, classes
    classifier.n_features_in_ = coef.shape[1]
    return classifier, features.tolist()
