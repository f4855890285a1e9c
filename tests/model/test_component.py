"""A user's class is loaded and inspected once, and its faults stay its own."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorekit.errors import ComponentError, DeclaredError, SetupError
from scorekit.message import Verb
from scorekit.model.component import Component
from scorekit.model.loading import build


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty component folder; modules imported from it are removed afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(folder: Path, source: str, name: str = "Mine.py") -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)


def test_a_module_and_its_class_share_a_name(folder: Path) -> None:
    """MODEL_NAME=Mine means the class Mine of Mine.py, as with the stock wrapper."""
    write(folder, "class Mine:\n    def predict(self, X, names):\n        return [X, names]\n")
    assert build("Mine", folder, {}).predict(1, 2).payload == [1, 2]


def test_a_dotted_name_is_split_at_the_last_dot(folder: Path) -> None:
    """MODEL_NAME=package.module.Class means that class of that module."""
    write(folder, "class Model:\n    def predict(self, X, names):\n        return X\n", "package/module.py")
    assert build("package.module.Model", folder, {}).predict([1], []).payload == [1]


def test_a_wrong_name_comes_with_the_right_ones(folder: Path) -> None:
    """A wrong MODEL_NAME gets an error that lists the modules that exist."""
    write(folder, "", "Mien.py")
    with pytest.raises(SetupError, match=r"there is no module Mine for MODEL_NAME=Mine; .* has: Mien$"):
        build("Mine", folder, {})


def test_a_name_in_the_wrong_case_is_asked_about(folder: Path) -> None:
    """If only the case of a module or a class is wrong, the error suggests the right name."""
    write(folder, "class mine: pass")
    with pytest.raises(SetupError, match=r"it has: mine; did you mean mine\?\. MODEL_NAME is"):
        build("Mine", folder, {})
    with pytest.raises(SetupError, match=r"has: Mine; did you mean Mine\?$"):
        build("mINE", folder, {})


def test_a_forgotten_parameter_is_told_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """A predict(X), which would fail on every request, is logged at start-up with what is missing."""

    class Model:
        def predict(self, X: Any) -> Any:  # noqa: N803
            return X

        def transform_input(self, X: Any, names: Any = None, meta: Any = None) -> Any:  # noqa: N803
            return X

        def transform_output(self, *arguments: Any, **more: Any) -> Any:
            return arguments

    Component(Model(), "Model")
    (line,) = caplog.messages
    assert line.endswith(
        "predict cannot be called with (X, features_names), so every call of it will fail; "
        "declare it as predict(self, X, features_names)"
    )


def test_parameters_are_constructor_keywords(folder: Path) -> None:
    """Typed parameters reach __init__ by name."""
    write(
        folder,
        "class Mine:\n    def __init__(self, k): self.k = k\n    def predict(self, X, n): return [self.k]\n",
    )
    assert build("Mine", folder, {"k": 7}).predict(1, 2).payload == [7]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (None, "there is no module Mine for MODEL_NAME=Mine; "),
        ("import nowhere_to_be_found", "'nowhere_to_be_found', which is not installed: add its package"),
        ("import sys\nclass Other: pass", "the module Mine has no class Mine; it has: Other. MODEL_NAME is"),
        ("Mine = 3", "the module Mine has no class Mine; it has: none."),
        ("1/0", "Mine could not be imported: ZeroDivisionError: division by zero (Mine.py, line 1)"),
        ("def broken(:", "Mine could not be imported: SyntaxError"),
        ("import sys; sys.exit(3)", "Mine could not be imported: SystemExit: 3 (Mine.py, line 1)"),
        (
            "class Mine:\n    def __init__(self):\n        raise OSError('model.npz is missing: run train.py')",
            "Mine() could not be built: OSError: model.npz is missing: run train.py (Mine.py, line 3)",
        ),
        ("class Mine:\n    def __init__(self, needed): pass", "needed"),
        ("raise OSError('one\\n two')", "OSError: one two (Mine.py, line 1)"),
    ],
)
def test_what_does_not_load_is_one_sentence_with_the_users_line(folder: Path, source: str | None, told: str) -> None:
    """A failing import or constructor gets an error with its cause and the user's line, without a traceback."""
    if source is not None:
        write(folder, source)
    with pytest.raises(SetupError) as caught:
        build("Mine", folder, {})
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


class WithMeta:
    def predict(self, X: Any, names: Any, meta: Any = None) -> Any:  # noqa: N803
        return {"meta": meta}


class WithKeywords:
    def predict(self, X: Any, names: Any, **kwargs: Any) -> Any:  # noqa: N803
        return kwargs


METRIC = {"key": "k", "type": "COUNTER", "value": 1}


class Plain:
    def predict(self, X: Any, features_names: Any) -> Any:  # noqa: N803
        return X


@pytest.mark.parametrize(("model", "takes"), [(WithMeta(), True), (WithKeywords(), True), (Plain(), False)])
def test_meta_goes_to_those_who_take_it(model: object, takes: bool) -> None:
    """Whether predict takes `meta` is decided by its signature once, at load."""
    component = Component(model, "Model")
    assert component.hooks[Verb.PREDICT].takes_meta is takes
    payload = component.call(Verb.PREDICT, [1], [], {"puid": "x"}).payload
    assert payload == ({"meta": {"puid": "x"}} if takes else [1])


def test_user_code_runs_once_even_if_it_raises_a_type_error() -> None:
    """A TypeError inside the user's code is an error, not a reason to call again (the stock wrapper calls twice)."""
    calls = []

    class Model:
        def predict(self, X: Any, names: Any, meta: Any = None) -> Any:  # noqa: N803
            calls.append(1)
            raise TypeError("mine")

    with pytest.raises(ComponentError):
        Component(Model(), "Model").predict([1], [])
    assert len(calls) == 1


@pytest.mark.parametrize(
    "error", [ValueError("secret /etc/passwd"), SystemExit(3), KeyboardInterrupt("secret"), RecursionError("deep")]
)
def test_whatever_a_model_raises_is_contained_and_kept_from_the_caller(error: BaseException) -> None:
    """An exception, even sys.exit, becomes a ComponentError whose text has a reference and nothing of the cause."""

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            raise error

    with pytest.raises(ComponentError) as caught:
        Component(Model(), "Model").predict([1], [])
    assert caught.value.__cause__ is error
    assert caught.value.reference in str(caught.value)
    assert "secret" not in str(caught.value)


def test_hooks_run_after_predict_metrics_first() -> None:
    """metrics() and tags() are called after the main method, in the stock wrapper's order."""
    order: list[str] = []

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            order.append("predict")
            return [1]

        def tags(self) -> dict[str, str]:
            order.append("tags")
            return {"a": "b"}

        def metrics(self) -> list[Any]:
            order.append("metrics")
            return [METRIC]

    component = Component(Model(), "Model")
    prediction = component.predict([1], [])
    assert order == ["predict", "metrics", "tags"]
    assert (prediction.tags, prediction.metrics) == ({"a": "b"}, [METRIC])
    assert component.hooks_per_call


@pytest.mark.parametrize(("value", "names"), [(["a", "b"], ["a", "b"]), (lambda: ("x",), ["x"]), (None, None)])
def test_class_names_may_be_an_attribute_or_a_method(value: Any, names: Any) -> None:
    """class_names may be a list or a method, and having none differs from an empty list."""
    model = Plain()
    model.class_names = value  # type: ignore[attr-defined]
    assert Component(model, "Model").predict([[1]], []).class_names == names


def test_class_names_are_asked_only_for_columns() -> None:
    """An answer without columns has no names, even if class_names() would fail."""
    model = Plain()
    model.class_names = lambda: 1 / 0  # type: ignore[attr-defined]
    for rows in ([1], [], np.array([1.0])):
        assert Component(model, "Model").predict(rows, []).class_names is None
    with pytest.raises(ComponentError):
        Component(model, "Model").predict(np.array([[1.0]]), [])


def test_a_class_without_predict_answers_an_empty_list() -> None:
    """A class without predict answers an empty list, as with the stock wrapper."""
    assert Component(object(), "Model").predict([1], []).payload == []


def test_a_failing_load_is_a_sentence() -> None:
    """A load() that raises stops the start with its reason."""

    class Model(Plain):
        def load(self) -> None:
            raise OSError("no weights")

    with pytest.raises(SetupError, match=r"Model.load\(\) failed: OSError: no weights"):
        Component(Model(), "Model").load()


def test_tags_may_return_nothing() -> None:
    """A tags() that returns None adds none, as with the stock wrapper; one that returns a list is the model's fault."""
    model = Plain()
    model.tags = lambda: None  # type: ignore[attr-defined]
    assert Component(model, "Model").predict([1], []).tags == {}
    model.tags = lambda: ["a"]  # type: ignore[attr-defined]
    with pytest.raises(ComponentError):
        Component(model, "Model").predict([1], [])


class SeldonMicroserviceException(Exception):
    def __init__(self, message: str, status_code: int | None = None, reason: str = "MICROSERVICE_BAD_DATA") -> None:
        self.message, self.status_code, self.reason = message, status_code, reason


SeldonMicroserviceException.__module__ = "seldon_core.flask_utils"


@pytest.mark.parametrize(("status", "told"), [(None, 400), (403, 403), (9999, 400)])
def test_a_deliberate_refusal_is_told_in_the_models_words(status: int | None, told: int) -> None:
    """A SeldonMicroserviceException sends its own message, status and reason to the caller."""

    class Model:
        def predict(self, X: Any, names: Any) -> Any:  # noqa: N803
            raise SeldonMicroserviceException("no credit", status, "MINE")

    with pytest.raises(DeclaredError, match="no credit") as caught:
        Component(Model(), "Model").predict([1], [])
    assert (caught.value.status, caught.value.reason) == (told, "MINE")
