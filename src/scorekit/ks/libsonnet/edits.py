"""Fields set and removed in the source of an object, without a change to any other character.

The promise is that setting a field and deleting it again gives the file as it was, byte for byte, in any layout
(docs/design/0011). ksonnet printed the whole file anew, which lost comments and reordered fields. So a new field is
inserted directly behind a comment, a comma, an opening brace or another field, and begins with the white space that
separates it; and a field is removed together with the white space before it::

    { a: 1 }                  insert b        { a: 1, b: 2 }
          └ behind the last field: `, b: 2`, where `, ` is the comma that was missing and the space

    {                         insert b        {
      a: 1,  // kept                            a: 1,  // kept
    }                 └ behind the comment:     b: 2,
                        line end, indent, field }

Three forms record that an object was changed here, so that deleting can undo it:

* An object that is made on the way to a field is written ``name+: { … }``. When its last field goes, it goes too. An
  object that a person wrote with ``name: { … }`` stays, empty.
* ``{}`` becomes ``{a: 1}``, without the spaces that an object on one line has otherwise.
* The blank line that ``ks import`` leaves in an entry becomes a field without a comma, and a blank line again.

Places where the name of a field is not certain are not edited: computed fields, comprehensions, and objects that come
from an import, a call or a condition. ``UneditableSource`` then names the line for a person to change.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import RenderError
from .literals import field_name, source
from .parser import parse
from .syntax import Constant, Expression, Local, ObjectLiteral, ObjectMember, Parens, Sum
from .tokens import line_at, tokens

_INDENT = re.compile(r"[ \t]*")


class UneditableSource(RenderError):
    """The source cannot be edited safely here; ``line``, counted from 1, is for a person to change."""

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Replacement:
    """``text[start:end]`` is replaced by ``new``."""

    start: int
    end: int
    new: str


def replaced(text: str, replacements: Sequence[Replacement]) -> str:
    """``text`` with all replacements, which must not overlap. Two insertions at one place stay in their order."""
    ordered = sorted(replacements, key=lambda each: (each.start, each.end))
    for each in reversed(ordered):  # from the end, so that the offsets before it stay valid
        text = text[: each.start] + each.new + text[each.end :]
    return text


class SourceText:
    """A jsonnet text, its syntax tree and its comments. Raises ``JsonnetSyntaxError`` if it is not jsonnet."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = parse(text)
        self.comments = [token for token in tokens(text) if token.kind == "comment"]
        first = text.find("\n")
        self.line_end = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"

    def line(self, offset: int) -> int:
        """The line of an offset, counted from 1."""
        return line_at(self.text, offset)

    def result(self, node: Expression | None = None) -> Expression:
        """The expression without the locals and parentheses around it; that of the whole text by default."""
        node = self.root if node is None else node
        while isinstance(node, Local | Parens):
            node = node.body if isinstance(node, Local) else node.inner
        return node

    def objects(self, node: Expression) -> list[ObjectLiteral]:
        """The literal objects at the end of a sum, the last one (which wins) first; none if the sum ends otherwise."""
        node = self.result(node)
        if isinstance(node, ObjectLiteral):
            return [node]
        if isinstance(node, Sum):
            right = self.objects(node.right)
            return right and [*right, *self.objects(node.left)]
        return []

    def is_whole(self, node: Expression) -> bool:
        """Whether an expression is a literal object, or a sum of literal objects only."""
        node = self.result(node)
        if isinstance(node, Sum):
            return self.is_whole(node.left) and self.is_whole(node.right)
        return isinstance(node, ObjectLiteral)

    def bound(self, name: str) -> Expression | None:
        """The value of the ``local`` of that name at the beginning of the text; None if there is none."""
        node = self.root
        bound = None
        while isinstance(node, Local | Parens):
            if isinstance(node, Local):
                bound = next((value for each, value in node.binds if each == name), bound)
                node = node.body
            else:
                node = node.inner
        return bound

    def inside(self, node: Expression, what: str) -> list[ObjectLiteral]:
        """Like :meth:`objects`; raises ``UneditableSource`` if there are none. ``what`` names the place in messages."""
        objects = self.objects(node)
        if not objects:
            raise UneditableSource(
                f"{what} is {self.result(node).what}, not an object that can be edited in place", self.line(node.start)
            )
        return objects

    def with_field(self, node: Expression, path: Sequence[str], value: Any, what: str) -> str:
        """The text with the field at ``path`` below ``node`` set to ``value``; missing objects are made.

        ``what`` names ``node`` in messages. Raises ``UneditableSource``.
        """
        name, *rest = path
        holder, member = self._holder(self.inside(node, what), name, what)
        what = f"{what}.{name}"
        if member is None:
            return self._inserted(holder, name, rest, value)
        if member.value is None:
            raise UneditableSource(f"{what} is a method", self.line(member.start))
        if rest:
            if isinstance(self.result(member.value), Constant):
                raise UneditableSource(f"{what} is {member.value.what}, not an object", self.line(member.start))
            return self.with_field(member.value, rest, value, what)
        return self._replaced(member, value, what)

    def without_field(self, node: Expression, path: Sequence[str], what: str) -> str | None:
        """The text without the field at ``path``; None if there is no such field. Raises ``UneditableSource``.

        An object that was made to hold the field (``name+: {…}``) is removed with its last field.
        """
        parents: list[tuple[ObjectLiteral, ObjectMember]] = []
        for name in path[:-1]:
            holder, member = self._holder(self.inside(node, what), name, what, node)
            if member is None:
                return None
            what = f"{what}.{name}"
            if member.value is None or isinstance(self.result(member.value), Constant):
                return None
            parents.append((holder, member))
            node = member.value
        objects = self.inside(node, what)
        holder, member = self._holder(objects, path[-1], what, node)
        if member is None:
            return None
        if any(each.field(path[-1]) for each in objects if each is not holder):
            raise UneditableSource(f"{what}.{path[-1]} is there more than once", self.line(member.start))
        for above, parent in reversed(parents):
            if not self._was_made(parent, holder):
                break
            holder, member = above, parent
        return replaced(self.text, self._removal(holder, member))

    def quote(self) -> str:
        """The kind of quotes that most strings of the text have; double ones if there are as many of each."""
        single, double = (
            sum(token.kind == "string" and token.text.startswith(quote) for token in tokens(self.text))
            for quote in "'\""
        )
        return "'" if single > double else '"'

    def _holder(
        self, objects: Sequence[ObjectLiteral], name: str, what: str, whole: Expression | None = None
    ) -> tuple[ObjectLiteral, ObjectMember | None]:
        """The object that has a field, and the field; if none has it, the object that a new field goes to, and None.

        ``whole`` is the expression that the objects come from, if it matters that all of it is known.
        """
        for each in objects:
            if (member := each.field(name)) is not None:
                return each, member
            if each.is_computed:
                computed = next(member for member in each.members if member.is_field and member.name is None)
                raise UneditableSource(
                    f"{what} has computed fields, and {name} may be one of them", self.line(computed.start)
                )
        if whole is not None and not self.is_whole(whole):
            raise UneditableSource(
                f"{what} takes part of its fields from elsewhere, and {name} may be one of them", self.line(whole.start)
            )
        return objects[0], None

    def _replaced(self, member: ObjectMember, value: Any, what: str) -> str:
        old = member.value
        if old is None:
            raise UneditableSource(f"{what} is a method", self.line(member.start))
        first = self.text[old.start]
        quote = first if first in "'\"" else self.quote()
        indent = self.line_end + self._indent(member.start)
        new = source(value, quote, indent, self._unit())
        replacements = [Replacement(old.start, old.end, new)]
        start, _ = member.operator
        if self.text[start] == "+":  # `name+: value` would add the value to an inherited one
            replacements.append(Replacement(start, start + 1, ""))
        return replaced(self.text, replacements)

    def _inserted(self, holder: ObjectLiteral, name: str, rest: Sequence[str], value: Any) -> str:
        """The text with a new field; ``rest`` are the names below it, each in an object that is made."""
        line = self._new_line(holder)
        quote, unit = self.quote(), self._unit()
        opened = f"{field_name(name, quote)}{'+' if rest else ''}:"
        if not rest:
            return replaced(self.text, self._insertion(holder, f"{opened} {source(value, quote, line, unit)}"))
        keys = [f"{field_name(key, quote)}{'+' if number < len(rest) else ''}:" for number, key in enumerate(rest, 1)]
        if line is None:
            body = "".join(f"{{ {key} " for key in keys) + source(value, quote) + " }" * len(keys)
            return replaced(self.text, self._insertion(holder, f"{opened} {body}"))
        head = tail = ""
        for number, key in enumerate(keys, 1):
            head += f"{{{line}{unit * number}{key} "
            tail = f",{line}{unit * (number - 1)}}}" + tail
        body = head + source(value, quote, line + unit * len(keys), unit) + tail
        return replaced(self.text, self._insertion(holder, f"{opened} {body}"))

    def _insertion(self, holder: ObjectLiteral, field: str) -> list[Replacement]:
        line = self._new_line(holder)
        if not holder.members:
            return self._first(holder, field, line)
        last = holder.members[-1]
        at = self._after_comments(last.comma or last.end)
        space = line or " "
        if last.comma is not None:
            return [Replacement(at, at, f"{space}{field},")]
        if at == last.end:
            return [Replacement(at, at, f",{space}{field}")]
        return [Replacement(last.end, last.end, ","), Replacement(at, at, f"{space}{field}")]

    def _first(self, holder: ObjectLiteral, field: str, line: str | None) -> list[Replacement]:
        inside = [comment for comment in self.comments if holder.start < comment.start < holder.end]
        at = inside[-1].end if inside else holder.start + 1
        rest = self.text[at : holder.end - 1]
        if line is None:
            return [Replacement(at, at, f" {field}" if inside else field)]
        if not inside and rest.startswith(self.line_end * 2) and not rest[2 * len(self.line_end) :].strip(" \t"):
            # The blank line that `ks import` left. The field has no comma, so that its removal can tell and restore it.
            return [Replacement(at, at + 2 * len(self.line_end), f"{line}{field}{self.line_end}")]
        return [Replacement(at, at, f"{line}{field},")]

    def _new_line(self, holder: ObjectLiteral) -> str | None:
        """The line end and indentation of a new field; None in an object that is on one line."""
        if holder.members:
            last = holder.members[-1]
            if "\n" not in self.text[last.end : holder.end]:
                return None
            return self.line_end + self._indent(last.start)
        inside = [comment for comment in self.comments if holder.start < comment.start < holder.end]
        if "\n" not in self.text[inside[-1].end if inside else holder.start : holder.end]:
            return None
        if inside and "\n" in self.text[holder.start : inside[-1].start]:
            return self.line_end + self._indent(inside[-1].start)
        if not inside and self._is_added(holder):
            return None  # on lines of its own it would look like an object that was made here
        return self.line_end + self._indent(holder.end - 1) + self._unit()

    def _removal(self, holder: ObjectLiteral, member: ObjectMember) -> list[Replacement]:
        index = holder.members.index(member)
        end = member.comma or member.end
        is_last = index == len(holder.members) - 1
        before = self.text[: member.start]
        start = len(before.rstrip(" \t\r\n"))
        after = self._after_comments(end)
        if "\n" in self.text[start : member.start] and self.text[after:].lstrip(" \t\r").startswith("\n"):
            end = after  # a comment on the same line is about the field
        if member.comma is None and index:
            previous = holder.members[index - 1]
            comma = (previous.comma or 0) - 1
            if comma == start - 1:
                line = self.text[:comma].rstrip(" \t")
                return [Replacement(len(line.rstrip()) if line.endswith("\n") else comma, end, "")]
            return [Replacement(comma, comma + 1, ""), Replacement(start, end, "")]
        if is_last and not index and start == holder.start + 1:
            rest = self.text[end : holder.end - 1]
            if member.comma is None and "\n" in self.text[start : member.start] and rest.startswith(self.line_end):
                return [Replacement(start, end + len(self.line_end), self.line_end * 2)]
            if self.text[start : member.start] == " " == rest:
                return [Replacement(start, end + 1, "")]
        if start == holder.start + 1 == member.start and not is_last:
            end += len(self.text[end:]) - len(self.text[end:].lstrip(" \t"))
        return [Replacement(start, end, "")]

    def _was_made(self, parent: ObjectMember, holder: ObjectLiteral) -> bool:
        """Whether an object with one field looks like one that :meth:`_inserted` made."""
        if self.text[parent.operator[0]] != "+" or len(holder.members) != 1 or parent.value is not holder:
            return False
        [only] = holder.members
        if any(holder.start < comment.start < holder.end for comment in self.comments):
            return False
        inner, outer = self.text[holder.start + 1 : only.start], self.text[only.comma or only.end : holder.end - 1]
        if only.comma is None:
            return inner == " " == outer
        return inner.startswith(self.line_end) and outer.startswith(self.line_end) and not outer.strip(" \t\r\n")

    def _is_added(self, holder: ObjectLiteral) -> bool:
        return self.text[: holder.start].rstrip().endswith(("+:", "+::", "+:::"))

    def _after_comments(self, at: int) -> int:
        """The offset behind the comments that begin on the same line."""
        for comment in self.comments:
            if comment.start >= at and not self.text[at : comment.start].strip(" \t"):
                at = comment.end
        return at

    def _indent(self, offset: int) -> str:
        start = self.text.rfind("\n", 0, offset) + 1
        match = _INDENT.match(self.text, start, offset)
        return match[0] if match else ""

    def _unit(self) -> str:
        """One step of indentation: the smallest one in the text, or else two spaces."""
        indents = {match[1] for match in re.finditer(r"^([ \t]+)[^\s*]", self.text, re.MULTILINE)}
        return min(indents, key=len, default="  ")
