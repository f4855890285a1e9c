"""The one reading of the environment: from flags, variables and annotations to :class:`Settings`."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import SetupError
from .declaration import Setting, declared
from .groups import GROUPS, Settings
from .names import ENV_MODEL_NAME


def all_settings() -> Iterator[Setting]:
    """Yield every setting, in the order in which they are declared."""
    for group, kind in GROUPS.items():
        yield from declared(group, kind)


def variables() -> frozenset[str]:
    """Return the names of all variables that :func:`read_settings` reads."""
    return frozenset(each.variable for each in all_settings())


def source(
    setting: Setting, environ: Mapping[str, str], flags: Mapping[str, str], annotations: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return where a setting comes from, in words for errors, and its text; ``None`` if its default is in force.

    A flag takes precedence over a variable, a variable over an annotation. An empty variable counts as unset, because
    manifests of Kubernetes contain empty values.
    """
    if setting.name in flags:
        return setting.option, flags[setting.name]
    if text := environ.get(setting.variable):
        return setting.variable, text
    if setting.annotation and (text := annotations.get(setting.annotation)):
        return f"the annotation {setting.annotation}", text
    return None


def read_settings(
    environ: Mapping[str, str], flags: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings: from ``flags``, else from ``environ``, else from the pod's ``annotations``, else defaults.

    ``flags`` has the names of settings as its keys, such as ``max_in_flight``.
    Raises ``SetupError`` that names the variable, flag or annotation and says what it must be.
    """
    values: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    for each in all_settings():
        given = source(each, environ, flags, annotations or {})
        if given is not None:
            where, text = given
            values[each.group][each.field] = each.read(text, where)
    if "name" not in values["model"]:
        raise SetupError(
            f"which class is the model? Set {ENV_MODEL_NAME} in .s2i/environment, "
            f"for example {ENV_MODEL_NAME}=MLModel for the class MLModel in MLModel.py"
        )
    if values["model"].get("compatibility") == "stock":
        values["model"].setdefault("expose_errors", True)
        values["listen"].setdefault("cors_allowed_origins", "*")
    return Settings(**{group: kind(**values[group]) for group, kind in GROUPS.items()})
