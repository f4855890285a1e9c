"""Trains the iris classifier and writes `model.npz` with its checksum; `--check` only compares with the existing file.

The data is scikit-learn's bundled iris data, the split is fixed, the solver runs to convergence, and the numbers are
rounded: running it again writes the same bytes. So do other releases (tried: numpy 1.23 to 2.4, scikit-learn 1.2 to
1.9, Python 3.11 to 3.13), but they do not promise it, so `--check` compares numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from MLModel import CHECKSUM, HERE, MODEL, ModelFileError, read_model
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

FEATURES = ["petal_length_cm", "petal_width_cm"]
DECIMALS = 6  # converged solvers of different releases agree to about 2e-7
TOLERANCE = 1e-4


class Rows(NamedTuple):
    features: npt.NDArray[np.float64]  # n × 2, cm
    species: npt.NDArray[np.str_]


class Score(NamedTuple):
    accuracy: float
    log_loss: float
    rows: int

    def __str__(self) -> str:
        return f"held-out accuracy {self.accuracy:.3f}, log loss {self.log_loss:.3f} ({self.rows} rows)"


def split() -> tuple[Rows, Rows]:
    """Returns 90 rows to train on and 60 held-out rows, 30 and 20 of each species."""
    iris = load_iris()
    petals, species = iris.data[:, 2:], iris.target_names[iris.target]
    training, held_out, training_species, held_out_species = train_test_split(
        petals, species, test_size=0.4, stratify=species, random_state=0
    )
    return Rows(training, training_species), Rows(held_out, held_out_species)


def fit(rows: Rows) -> LogisticRegression:
    """Returns the trained classifier, its numbers rounded to the digits that all releases agree on."""
    # C=10: log loss 0.120 in cross-validation on the training rows, 0.187 at the default of 1 and 0.134 at 100.
    classifier = LogisticRegression(C=10, solver="newton-cg", tol=1e-8, max_iter=200).fit(rows.features, rows.species)
    classifier.coef_ = np.ascontiguousarray(classifier.coef_.round(DECIMALS))  # memory order differs between releases
    classifier.intercept_ = classifier.intercept_.round(DECIMALS)
    return classifier


def score(classifier: LogisticRegression, rows: Rows) -> Score:
    probabilities = classifier.predict_proba(rows.features)
    return Score(
        accuracy_score(rows.species, classifier.classes_[probabilities.argmax(axis=1)]),
        log_loss(rows.species, probabilities, labels=classifier.classes_),
        len(rows.features),
    )


def write(classifier: LogisticRegression, folder: Path) -> None:
    """Writes the model file (plain arrays, no timestamp) and its checksum into `folder`."""
    content = io.BytesIO()
    np.savez(
        content,
        coef=classifier.coef_,
        intercept=classifier.intercept_,
        classes=classifier.classes_,
        features=np.array(FEATURES),
    )
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    (folder / MODEL).write_bytes(content.getvalue())
    (folder / CHECKSUM).write_text(f"{digest}  {MODEL}\n", encoding="ascii")


def difference(classifier: LogisticRegression, folder: Path) -> float:
    """Returns the largest difference from the numbers in `folder`; infinity if classes or features differ."""
    existing, features = read_model(folder)
    if features != FEATURES or existing.classes_.tolist() != classifier.classes_.tolist():
        return float("inf")
    return float(
        max(np.abs(existing.coef_ - classifier.coef_).max(), np.abs(existing.intercept_ - classifier.intercept_).max())
    )


def main() -> str | None:
    """Returns what went wrong, in one sentence, or None."""
    parser = argparse.ArgumentParser(description="Train the iris classifier and write its model file and checksum.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the files there hold another model"
    )
    check = parser.parse_args().check

    training, held_out = split()
    classifier = fit(training)
    print(score(classifier, held_out))
    if not check:
        write(classifier, HERE)
        print(f"wrote {MODEL} and {CHECKSUM} in {HERE}")
        return None
    try:
        largest = difference(classifier, HERE)
    except ModelFileError as error:
        return str(error)
    if not largest <= TOLERANCE:
        return f"{HERE / MODEL} differs from a newly trained model by {largest:.1e}: run train.py to write it again."
    print(f"{MODEL} is the model that training gives (largest difference {largest:.1e})")
    return None


if __name__ == "__main__":
    sys.exit(main())
