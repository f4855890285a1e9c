"""A parser of jsonnet: the grammar of the version in ksonnet 0.13, and what newer versions added since."""

import re
from dataclasses import replace

from .literals import string_value
from .syntax import Constant, Expression, Local, ObjectLiteral, ObjectMember, Parens, Sum
from .tokens import JsonnetSyntaxError, Token, line_at, tokens

# A level of nesting takes about six calls, of the 1,000 that Python allows.
_MAX_DEPTH = 100
_LEVELS = [
    {"||"},
    {"&&"},
    {"|"},
    {"^"},
    {"&"},
    {"==", "!="},
    {"<", ">", "<=", ">=", "in"},
    {"<<", ">>"},
    {"+", "-"},
    {"*", "/", "%"},
]
_PRECEDENCE = {symbol: level for level, symbols in enumerate(_LEVELS) for symbol in symbols}
_FIELD = re.compile(r"\+?:{1,3}")
_WORDS = {"true": "a boolean", "false": "a boolean", "null": "null"}


def parse(text: str) -> Expression:
    """The syntax tree of ``text``. Raises ``JsonnetSyntaxError`` with the line of the fault."""
    return _Parser(text).parse()


class _Parser:
    """Recursive descent over the tokens, with one method for each rule; binary operators by precedence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [token for token in tokens(text) if token.kind != "comment"]
        self.at = 0
        self.depth = 0

    def parse(self) -> Expression:
        """The expression that the whole text is."""
        node = self.expression()
        if self.now.kind != "end":
            raise self.error()
        return node

    # tokens

    @property
    def now(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    @property
    def last_end(self) -> int:
        """The end of the token that was taken last."""
        return self.tokens[self.at - 1].end

    def error(self) -> JsonnetSyntaxError:
        """An error at the next token."""
        reason = "it ends too early" if self.now.kind == "end" else f'unexpected "{self.now.text}"'
        return JsonnetSyntaxError(f"syntax error: {reason}", line_at(self.text, self.now.start))

    def take(self) -> Token:
        """Take the next token. Raises ``JsonnetSyntaxError`` at the end of the text."""
        token = self.now
        if token.kind == "end":
            raise self.error()
        self.at += 1
        return token

    def is_next(self, *texts: str) -> bool:
        """Whether the next token is one of these symbols or keywords."""
        return self.now.kind in ("symbol", "keyword") and self.now.text in texts

    def accept(self, *texts: str) -> bool:
        """Take the next token if it is one of these. Whether it was."""
        if self.is_next(*texts):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        """Take the next token, which must be this one."""
        if not self.is_next(text):
            raise self.error()
        return self.take()

    def name(self) -> str:
        """Take an identifier."""
        if self.now.kind != "name":
            raise self.error()
        return self.take().text

    # expressions

    def expression(self, level: int = 0) -> Expression:
        """Operands joined by binary operators of at least this precedence."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise JsonnetSyntaxError("nested too deep to be edited", line_at(self.text, self.now.start))
        node = self.unary()
        while True:
            here = self.now
            if here.kind not in ("symbol", "keyword") or _PRECEDENCE.get(here.text, -1) < level:
                break
            self.take()
            right = self.expression(_PRECEDENCE[here.text] + 1)
            if here.text == "+":
                node = Sum(node.start, right.end, "a sum", node, right)
            else:
                node = Expression(node.start, right.end, "an expression")
        self.depth -= 1
        return node

    def unary(self) -> Expression:
        """``-x``, ``!x`` and the like. The negative number ``-1`` is a constant, so that it can be replaced."""
        start = self.now.start
        signs = 0
        while self.accept("-", "+", "!", "~"):
            signs += 1
        node = self.postfix()
        return (
            node
            if not signs
            else Constant(start, node.end, node.what)
            if _is_number(node)
            else Expression(start, node.end, "an expression")
        )

    def postfix(self) -> Expression:
        """A primary expression with what may follow it: ``.f``, ``[i]``, ``[a:b]``, ``(…)``, ``{…}``."""
        node = self.primary()
        while True:
            if self.accept("."):
                self.name()
                node = Expression(node.start, self.last_end, "a reference")
            elif self.is_next("["):
                self.take()
                while not self.accept("]"):
                    if not self.accept(":", "::"):
                        self.expression()
                node = Expression(node.start, self.last_end, "a reference")
            elif self.is_next("("):
                self.arguments()
                self.accept("tailstrict")
                node = Expression(node.start, self.last_end, "a call")
            elif self.is_next("{"):
                right = self.braces()
                node = Sum(node.start, right.end, "a sum", node, right)
            else:
                return node

    def primary(self) -> Expression:
        """A literal, a name, an object, an array, or an expression in parentheses."""
        token = self.now
        if token.kind == "string":
            self.take()
            return Constant(token.start, token.end, "a string")
        if token.kind == "number":
            self.take()
            return Constant(token.start, token.end, "a number")
        if token.kind == "name" or self.is_next("$", "self"):
            self.take()
            return Expression(token.start, token.end, "a reference")
        if self.is_next("true", "false", "null"):
            self.take()
            return Constant(token.start, token.end, _WORDS[token.text])
        if self.is_next("super"):
            self.take()
            return Expression(token.start, token.end, "a reference")
        if self.is_next("{"):
            return self.braces()
        if self.is_next("["):
            return self.brackets()
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return Parens(token.start, self.last_end, inner.what, inner)
        return self.clause()

    def clause(self) -> Expression:
        """An expression that extends as far to the right as possible, such as ``local`` and ``if``."""
        start = self.now.start
        if self.accept("local"):
            binds = [self.bind()]
            while self.accept(","):
                binds.append(self.bind())
            self.expect(";")
            body = self.expression()
            return Local(start, body.end, body.what, tuple(binds), body)
        if self.is_next("assert"):
            self.assertion()
            self.expect(";")
            body = self.expression()
            return Local(start, body.end, body.what, (), body)
        if self.accept("if"):
            self.expression()
            self.expect("then")
            self.expression()
            if self.accept("else"):
                self.expression()
            return Expression(start, self.last_end, "a condition")
        if self.accept("function"):
            self.parameters()
            self.expression()
            return Expression(start, self.last_end, "a function")
        if self.accept("import", "importstr", "importbin"):
            self.expression()
            return Expression(start, self.last_end, "an import")
        if self.accept("error"):
            self.expression()
            return Expression(start, self.last_end, "an error")
        raise self.error()

    def bind(self) -> tuple[str, Expression]:
        """``name = value`` or ``name(…) = value`` of a ``local``."""
        name = self.name()
        if self.is_next("("):
            self.parameters()
            self.expect("=")
            body = self.expression()
            return name, Expression(body.start, body.end, "a function")
        self.expect("=")
        return name, self.expression()

    def assertion(self) -> None:
        """``assert condition`` or ``assert condition : message``."""
        self.expect("assert")
        self.expression()
        if self.accept(":"):
            self.expression()

    def parameters(self) -> None:
        """The parameters of a function, with their defaults."""
        self.expect("(")
        while not self.accept(")"):
            self.name()
            if self.accept("="):
                self.expression()
            if not self.is_next(")"):
                self.expect(",")

    def arguments(self) -> None:
        """The arguments of a call, by position or by name."""
        self.expect("(")
        while not self.accept(")"):
            if self.now.kind == "name" and self.tokens[self.at + 1].text == "=":
                self.take()
                self.take()
            self.expression()
            if not self.is_next(")"):
                self.expect(",")

    def brackets(self) -> Expression:
        """An array, or an array comprehension."""
        start = self.expect("[").start
        while not self.accept("]"):
            self.expression()
            self.accept(",")
            self.generators()
        return Expression(start, self.last_end, "an array")

    def generators(self) -> bool:
        """Skip ``for x in …`` and what follows (more ``for``, ``if …``). Whether there was any."""
        has_generator = False
        while self.is_next("for", "if") and (has_generator or self.is_next("for")):
            has_generator = True
            if self.take().text == "for":
                self.name()
                self.expect("in")
            self.expression()
        return has_generator

    def braces(self) -> Expression:
        """An object, or an object comprehension."""
        start = self.expect("{").start
        members: list[ObjectMember] = []
        is_comprehension = False
        while not self.accept("}"):
            if members and members[-1].comma is None:
                raise self.error()
            member = self.member()
            comma = self.take().end if self.is_next(",") else None
            members.append(replace(member, comma=comma))
            is_comprehension |= self.generators()
            if is_comprehension:
                self.expect("}")
                break
        if is_comprehension:
            return Expression(start, self.last_end, "a comprehension")
        return ObjectLiteral(start, self.last_end, "an object", tuple(members))

    def member(self) -> ObjectMember:
        """A field, a method, a ``local`` or an ``assert`` of an object, without the comma after it."""
        start = self.now.start
        if self.accept("local"):
            self.bind()
            return ObjectMember(start=start, end=self.last_end)
        if self.is_next("assert"):
            self.assertion()
            return ObjectMember(start=start, end=self.last_end)
        name = self.field_name()
        is_method = self.is_next("(")
        if is_method:
            self.parameters()
        operator = self.now
        if operator.kind != "symbol" or not _FIELD.fullmatch(operator.text):
            raise self.error()
        self.take()
        value = self.expression()
        return ObjectMember(
            start=start,
            end=value.end,
            is_field=True,
            name=name,
            operator=(operator.start, operator.end),
            value=None if is_method else value,
        )

    def field_name(self) -> str | None:
        """The name of a field; None for a computed one (``[expression]``), unless it is a string literal."""
        if self.now.kind == "name":
            return self.take().text
        if self.now.kind == "string":
            return string_value(self.take().text)
        self.expect("[")
        token = self.now
        inner = self.expression()
        self.expect("]")
        return string_value(token.text) if token.kind == "string" and inner.end == token.end else None


def _is_number(node: Expression) -> bool:
    return isinstance(node, Constant) and node.what == "a number"
