"""The style of the house, measured: sizes, names, faces, keyword arguments, and docstrings that name their errors.

Each rule is a function from the package's sources to its violations. A violation is the place where it stands.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "scorekit"

LOOSE_MODULES = {"errors.py", "message.py", "user_model.py", "testing.py", "__init__.py", "__main__.py"}
MODULE_LINES = 350
FUNCTION_LINES = 60
POSITIONAL_ARGUMENTS = 5
POSITIONAL_FIELDS = 4

Sources: TypeAlias = Mapping[str, str]
"""The text of every module, by its path below ``src/scorekit``."""
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = ast.ClassDef | Function
Rule: TypeAlias = Callable[[Sources], Iterator[str]]


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


@cache
def defined(text: str) -> tuple[tuple[Definition, ...], ...]:
    """Every class and function of a module: itself last, before it the classes and functions that it stands in."""

    def below(tree: ast.AST, above: tuple[Definition, ...]) -> Iterator[tuple[Definition, ...]]:
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield (*above, node)
                yield from below(node, (*above, node))
            elif not isinstance(node, ast.expr):
                yield from below(node, above)

    return tuple(below(parsed(text), ()))


def definitions(sources: Sources) -> Iterator[tuple[str, tuple[Definition, ...]]]:
    """The same of all modules, each with its place, such as ``codec/json.py:parse``."""
    for path, text in sources.items():
        for nodes in defined(text):
            yield f"{path}:{'.'.join(node.name for node in nodes)}", nodes


def classes(sources: Sources) -> Iterator[tuple[str, ast.ClassDef]]:
    for place, nodes in definitions(sources):
        if isinstance(nodes[-1], ast.ClassDef):
            yield place, nodes[-1]


def functions(sources: Sources) -> Iterator[tuple[str, Function]]:
    for place, nodes in definitions(sources):
        if not isinstance(nodes[-1], ast.ClassDef):
            yield place, nodes[-1]


def last_word(node: ast.AST) -> str:
    """The ``c`` of ``a.b.c``, of a call ``a.b.c(…)`` and of ``a.b.c[…]``; empty for anything else."""
    if isinstance(node, ast.Call):
        return last_word(node.func)
    if isinstance(node, ast.Subscript):
        return last_word(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions and classes inside of it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.ClassDef | ast.Lambda) and not is_function(node):
            yield node
            yield from own_nodes(node)


def loose_modules(sources: Sources) -> Iterator[str]:
    """Only the words that every room may use stand outside of a room."""
    yield from (path for path in sources if "/" not in path and path not in LOOSE_MODULES)


def large_modules(sources: Sources) -> Iterator[str]:
    """A module has at most 350 lines."""
    yield from (path for path, text in sources.items() if len(text.splitlines()) > MODULE_LINES)


def long_functions(sources: Sources) -> Iterator[str]:
    """A function has at most 60 lines, from ``def`` to its end."""
    for place, node in functions(sources):
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES:
            yield place


def positional_calls(sources: Sources) -> Iterator[str]:
    """A call of something of ours has at most five positional arguments; ``*names`` count as none."""
    ours = {nodes[-1].name for _, nodes in definitions(sources)}
    for path, text in sources.items():
        for node in ast.walk(parsed(text)):
            if isinstance(node, ast.Call) and last_word(node) in ours:
                positional = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
                if len(positional) > POSITIONAL_ARGUMENTS:
                    yield f"{path}:{last_word(node)}"


def is_keyword_only(field: ast.AnnAssign) -> bool:
    """Whether a field of a dataclass is one of ``field(kw_only=True)``."""
    value = field.value
    return isinstance(value, ast.Call) and any(each.arg == "kw_only" for each in value.keywords)


def positional_fields(sources: Sources) -> Iterator[str]:
    """A dataclass of more than four fields is keyword-only; a constructor takes at most four values by their place."""
    for place, node in classes(sources):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        fields = [each for each in fields if last_word(each.annotation) != "ClassVar" and not is_keyword_only(each)]
        for decorator in node.decorator_list:
            is_named = "kw_only=True" in ast.unparse(decorator)
            if last_word(decorator) == "dataclass" and not is_named and len(fields) > POSITIONAL_FIELDS:
                yield place
    for place, function in functions(sources):
        parameters = [*function.args.posonlyargs, *function.args.args][1:]
        if function.name == "__init__" and len(parameters) > POSITIONAL_FIELDS:
            yield place.removesuffix(".__init__")


def faceless_packages(sources: Sources) -> Iterator[str]:
    """Every package has a face: its ``__init__`` has a docstring and names what is public."""
    for path, text in sources.items():
        if path.endswith("/__init__.py"):
            assigned = [node for node in parsed(text).body if isinstance(node, ast.Assign)]
            names = {last_word(target) for node in assigned for target in node.targets}
            if not ast.get_docstring(parsed(text)) or "__all__" not in names:
                yield path.removesuffix("/__init__.py")


def ambiguous_classes(sources: Sources) -> Iterator[str]:
    """A class name means one thing in the whole package."""
    places = defaultdict(list)
    for place, node in classes(sources):
        places[node.name].append(place.partition(":")[0])
    yield from (f"{name}: {', '.join(paths)}" for name, paths in sorted(places.items()) if len(paths) > 1)


def silent_raisers(sources: Sources) -> Iterator[str]:
    """A public function that raises an error of the family says so in its docstring."""
    family, size = {node.name for place, node in classes(sources) if place.startswith("errors.py:")}, 0
    while size != len(family):
        size = len(family)
        family |= {node.name for _, node in classes(sources) if {last_word(base) for base in node.bases} & family}
    for place, (*above, node) in definitions(sources):
        is_public = not any(each.name.startswith("_") for each in (*above, node)) and not any(map(is_function, above))
        raises = {last_word(each.exc) for each in own_nodes(node) if isinstance(each, ast.Raise) and each.exc}
        says_so = re.search(r"\braises?\b", ast.get_docstring(node) or "", re.IGNORECASE)
        if is_function(node) and is_public and raises & family and not says_so:
            yield place


RULES: list[Rule] = [
    *(loose_modules, large_modules, long_functions, positional_calls, positional_fields),
    *(faceless_packages, ambiguous_classes, silent_raisers),
]


@cache
def house() -> Sources:
    return {path.relative_to(SOURCE).as_posix(): path.read_text() for path in sorted(SOURCE.rglob("*.py"))}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    """No place in the package breaks the rule."""
    assert list(rule(house())) == [], rule.__doc__


FIVE = "a: int\n    b: int\n    c: int\n    d: int\n    e: int\n"
BROKEN: list[tuple[Rule, Sources]] = [
    (loose_modules, {"helpers.py": ""}),
    (large_modules, {"codec/json.py": "\n" * 351}),
    (long_functions, {"codec/json.py": "class A:\n    async def f(self):\n" + "        pass\n" * 60}),
    (positional_calls, {"codec/json.py": "def f(*of): ...\n", "cli/up.py": "codec.json.f(1, 2, 3, 4, 5, 6)"}),
    (positional_fields, {"message.py": f"@dataclass(frozen=True)\nclass A:\n    {FIVE}"}),
    (positional_fields, {"message.py": "class A:\n    def __init__(self, a, b, c, d, e): ..."}),
    (faceless_packages, {"codec/__init__.py": '"""A docstring alone."""'}),
    (faceless_packages, {"codec/__init__.py": "__all__ = []"}),
    (ambiguous_classes, {"message.py": "class Kind: ...", "codec/json.py": "class Kind: ..."}),
    (
        silent_raisers,
        {
            "errors.py": "class Base(Exception): ...\nclass Bad(Base): ...",
            "codec/json.py": 'class Worse(errors.Bad): ...\ndef f():\n    """Reads."""\n    raise Worse("x")',
        },
    ),
]
KEPT: Sources = {
    "message.py": f"@dataclass(kw_only=True)\nclass A:\n    {FIVE}    def __init__(self, a, b, c, d, *, e): ...",
    "codec/__init__.py": '"""A room."""\n__all__ = ["f"]',
    "codec/json.py": 'def f(*of):\n    """Raises `Bad`."""\n    raise Bad(*of)\ndef _g(): raise Bad\nf(1, 2, 3, *x)',
    "errors.py": "class Bad(Exception): ...",
}


@pytest.mark.parametrize(("rule", "sources"), BROKEN)
def test_each_rule_can_fail(rule: Rule, sources: Sources) -> None:
    """A package that breaks a rule is found, and one that keeps it is not."""
    assert list(rule(sources))
    assert list(rule(KEPT)) == []
