"""What a jsonnet text is made of, as far as editing cares: each node has its place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of a kind that editing does not look into; ``what`` names it for a person."""

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
    inner: Expression


@dataclass(frozen=True, slots=True)
class Local(Expression):
    """``local name = …; body``; ``assert …; body`` is one without binds."""

    binds: tuple[tuple[str, Expression], ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class ObjectMember:
    """What stands between the commas of an object; ``comma`` is the end of the one that follows it, if one does.

    A field has a name, which is None where it is computed. ``operator`` is the place of ``:``, ``+:`` and the like.
    """

    start: int
    end: int
    comma: int | None
    is_field: bool = False
    name: str | None = None
    operator: tuple[int, int] = (0, 0)
    value: Expression | None = None  # None also where the field is a method


@dataclass(frozen=True, slots=True)
class ObjectLiteral(Expression):
    """``{…}``; a comprehension is no ``Object``."""

    members: tuple[ObjectMember, ...]

    def field(self, name: str) -> ObjectMember | None:
        return next((member for member in self.members if member.is_field and member.name == name), None)

    @property
    def is_computed(self) -> bool:
        """Whether a field's name is known to evaluation only."""
        return any(member.is_field and member.name is None for member in self.members)
