"""The syntax tree of jsonnet, as far as editing needs it: every node has its place in the text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """``text[start:end]``. This class itself is an expression that editing does not look into.

    ``what`` names its kind for messages, such as "a call".
    """

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A string, number, boolean or null."""


@dataclass(frozen=True, slots=True)
class Sum(Expression):
    """``left + right``, or ``left {…}``."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Parens(Expression):
    """``(inner)``."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class Local(Expression):
    """``local name = …; body``, with its names and values; ``assert …; body`` is a ``Local`` without names."""

    binds: tuple[tuple[str, Expression], ...]
    body: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMember:
    """A member of an object: a field, or a ``local`` or ``assert``.

    ``comma`` is the end of the comma after it, if there is one. Of a field, ``name`` is None if it is computed,
    ``operator`` is the place of ``:``, ``+:`` and the like, and ``value`` is None if it is a method.
    """

    start: int
    end: int
    comma: int | None = None
    is_field: bool = False
    name: str | None = None
    operator: tuple[int, int] = (0, 0)
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class ObjectLiteral(Expression):
    """``{…}`` with its members. A comprehension is not an ``ObjectLiteral``."""

    members: tuple[ObjectMember, ...]

    def field(self, name: str) -> ObjectMember | None:
        """The field of that name, None if there is none; a computed field has no name."""
        return next((member for member in self.members if member.is_field and member.name == name), None)

    @property
    def is_computed(self) -> bool:
        """Whether the name of some field is known only after evaluation."""
        return any(member.is_field and member.name is None for member in self.members)
