"""Trains the models and writes Mine.py, in the environment of script/models: ``train.py LIBRARY PLACE FOLDER``.

PLACE is ``__init__`` or ``load``: where the component reads its model. Prints, as JSON, the version of the library and
the answers that it gives in this process for the ROWS of the tests.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

ROWS = [[1.0, 1.0, 0.0, 0.0], [-1.0, -0.5, 0.25, 3.0], [0.5, -0.25, 0.0, 1.0]]

READ = {
    "lightgbm": "lightgbm.Booster(model_file=str(HERE / 'model'))",
    "xgboost": "(lambda model: (model.load_model(str(HERE / 'model.json')), model)[1])(xgboost.XGBClassifier())",
    # Its first prediction starts the threads of OpenMP.
    "sklearn": "(lambda model: (model.predict_proba(np.zeros((1, 4))), model)[1])(joblib.load(HERE / 'model'))",
}
IMPORT = {"lightgbm": "import lightgbm", "xgboost": "import xgboost", "sklearn": "import joblib"}
PREDICT = {"lightgbm": "predict(X)", "xgboost": "predict_proba(X)[:, 1]", "sklearn": "predict_proba(X)[:, 1]"}

COMPONENT = """
import pathlib
import numpy as np
{imports}

HERE = pathlib.Path(__file__).parent

class Mine:
    def {place}(self):
        self.model = {read}
    def predict(self, X, names):
        return self.model.{predict}
"""


def train(library: str, folder: Path) -> str:
    """Writes the model of ``library`` and returns the version of the library."""
    rows = np.random.default_rng(0).normal(size=(5000, 4))
    labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
    if library == "lightgbm":
        lightgbm = import_module("lightgbm")
        data = lightgbm.Dataset(rows, labels)
        lightgbm.train({"objective": "binary", "verbosity": -1}, data, 20).save_model(folder / "model")
        return str(lightgbm.__version__)
    if library == "xgboost":
        xgboost = import_module("xgboost")
        xgboost.XGBClassifier(n_estimators=20).fit(rows, labels).save_model(folder / "model.json")
        return str(xgboost.__version__)
    classifier = import_module("sklearn.ensemble").HistGradientBoostingClassifier(max_iter=20)
    import_module("joblib").dump(classifier.fit(rows, labels), folder / "model")
    return str(import_module("sklearn").__version__)


if __name__ == "__main__":
    library, place, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    version = train(library, folder)
    source = COMPONENT.format(imports=IMPORT[library], place=place, read=READ[library], predict=PREDICT[library])
    (folder / "Mine.py").write_text(source)
    sys.path.insert(0, str(folder))
    model = import_module("Mine").Mine()
    if place == "load":
        model.load()
    print(json.dumps({"version": version, "answers": model.predict(np.array(ROWS), None).tolist()}))
