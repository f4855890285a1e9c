"""Finds out, before any call, how a method of the user's class can be called.

The stock wrapper (seldon-core 1.17.1) calls ``method(X, names, meta=meta)``, and after any ``TypeError`` a second time
as ``method(X, names)``. That finds a call that works for every signature, but it also runs a model twice whose own code
raises ``TypeError``. Here the signature decides where it can::

    signature                                  Fit         called
    ─────────────────────────────────────────  ──────────  ────────────────────────────────────────────────────
    (X, names, meta), (X, names, *, meta=None) FITS        with meta
    (X, names), (X, meta), (X, names, meta, /) FITS_NOT    without meta; the second parameter, whatever its name,
                                                           is given the names, as by the stock wrapper
    (*args, **kwargs), (X, names, **kwargs)    HIDDEN      with meta; without, from the first TypeError that says
                                                           that something behind the signature does not take meta
    written in C: Cython, pybind11, a ufunc    UNKNOWN     with meta; without, from the first TypeError on, if the
                                                           call without meta then works

``**kwargs`` decides nothing, because most methods with it are decorators or delegates that hand all keywords on to a
function with a signature of its own. For the same reason ``__wrapped__`` and ``__signature__`` are not looked at: they
describe another function than the one that is called.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any

_POSITIONAL_ONLY, _EITHER = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD


class Fit(Enum):
    """Whether a function can be called with certain arguments, as far as its signature says."""

    FITS = "fits"
    FITS_NOT = "fits not"
    HIDDEN = "hidden"
    """The keyword is taken by ``**kwargs``; what happens to it there is not known."""
    UNKNOWN = "unknown"
    """The function is not written in Python and has no signature to be trusted."""


def fit(function: Callable[..., Any], positional: int, keyword: str | None = None) -> Fit:
    """Return whether ``function`` can be called with so many ``positional`` arguments and with ``keyword=``."""
    plain, arguments, keywords = _unwrapped(function, [None] * positional, {keyword: None} if keyword else {})
    if not isinstance(plain, FunctionType):
        return Fit.UNKNOWN
    return _fit([*inspect.signature(_bare(plain)).parameters.values()], len(arguments), keywords, keyword)


def without_refused(function: Callable[..., Any], keyword: str, after_any_type_error: bool) -> Callable[..., Any]:
    """Return ``function`` such that it is called without ``keyword`` if it turns out not to take it.

    That is so if the call with it raises a ``TypeError`` that names the keyword (or any ``TypeError``) and the call
    without it returns. From then on there is one call only.
    """
    refused = False

    def call(*arguments: Any, **keywords: Any) -> Any:
        nonlocal refused
        if not refused:
            try:
                return function(*arguments, **keywords)
            except TypeError as error:
                if keyword not in keywords or not (after_any_type_error or _is_about(error, keyword)):
                    raise
        # Outside of the except block, so that an exception of this call does not carry the first one as its context.
        keywords.pop(keyword, None)
        returned = function(*arguments, **keywords)
        refused = True
        return returned

    return call


def _fit(parameters: Sequence[Parameter], positional: int, keywords: Iterable[str], asked: str | None) -> Fit:
    """Python's rules of a call, by hand.

    ``Signature.bind`` of Python 3.11 refuses ``f(meta=…)`` for ``def f(meta=None, /, **more)``, which Python accepts.
    """
    kinds = {each.kind for each in parameters}
    by_position = [each for each in parameters if each.kind in (_POSITIONAL_ONLY, _EITHER)]
    filled, unfilled = by_position[:positional], by_position[positional:]
    left = [*unfilled, *(each for each in parameters if each.kind is Parameter.KEYWORD_ONLY)]
    given = {each.name for each in left if each.kind is not _POSITIONAL_ONLY}.intersection(keywords)
    hidden = set(keywords) - given
    if (
        (positional > len(by_position) and Parameter.VAR_POSITIONAL not in kinds)
        or (hidden and Parameter.VAR_KEYWORD not in kinds)
        or any(each.name in hidden for each in filled if each.kind is _EITHER)
        or any(each.default is Parameter.empty and each.name not in given for each in left)
    ):
        return Fit.FITS_NOT
    return Fit.HIDDEN if asked in hidden else Fit.FITS


def _unwrapped(
    function: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[Any, Sequence[Any], Mapping[str, Any]]:
    """The function behind methods, partials and objects with ``__call__``, and the arguments that it would be given."""
    while True:
        if isinstance(function, MethodType):
            function, arguments = function.__func__, [function.__self__, *arguments]
        elif type(function) is functools.partial and not _has_placeholders(function):
            keywords = {**function.keywords, **keywords}
            function, arguments = function.func, [*function.args, *arguments]
        elif isinstance(function, FunctionType | type):
            return function, arguments, keywords
        else:
            call = inspect.getattr_static(type(function), "__call__", None)
            bound = call.__get__(function, type(function)) if hasattr(call, "__get__") else None
            if not isinstance(bound, FunctionType | MethodType):
                return function, arguments, keywords
            function = bound


def _has_placeholders(function: "functools.partial[Any]") -> bool:
    placeholder = getattr(functools, "Placeholder", None)  # Python 3.14
    return placeholder is not None and any(each is placeholder for each in function.args)


def _bare(function: FunctionType) -> FunctionType:
    """The function without what decorators have written on it, so that its signature is that of its code."""
    bare = FunctionType(function.__code__, {}, function.__name__, function.__defaults__, function.__closure__)
    bare.__kwdefaults__ = function.__kwdefaults__
    return bare


def _is_about(error: TypeError, keyword: str) -> bool:
    """Whether CPython (or Cython) raised ``error`` because a function does not take ``keyword``."""
    text = str(error)
    return f"'{keyword}'" in text or "takes no keyword arguments" in text
