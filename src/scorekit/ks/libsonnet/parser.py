"""A parser of jsonnet: the grammar of the version in ksonnet 0.13, and what newer versions added since."""

import json
import re
from dataclasses import replace

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
_NOT_JSON = re.compile(r'\\.|["\n\r\t]', re.DOTALL)
_AS_JSON = {"\\'": "'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_WORDS = {"true": "a boolean", "false": "a boolean", "null": "null"}


def parse(text: str) -> Expression:
    """The syntax tree of ``text``. Raises ``JsonnetSyntaxError`` with the line of the fault."""
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens, with one method for each rule; binary operators by precedence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [token for token in tokens(text) if token.kind != "comment"]
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        node = self.expression()
        if self.now.kind != "end":
            raise self.fault()
        return node

    # tokens

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    @property
    def last_end(self) -> int:
        return self.tokens[self.at - 1].end

    def fault(self) -> JsonnetSyntaxError:
        reason = "it ends too early" if self.now.kind == "end" else f'unexpected "{self.now.text}"'
        return JsonnetSyntaxError(f"syntax error: {reason}", line_at(self.text, self.now.start))

    def take(self) -> Token:
        token = self.now
        if token.kind == "end":
            raise self.fault()
        self.at += 1
        return token

    def sees(self, *texts: str) -> bool:
        return self.now.kind in ("symbol", "keyword") and self.now.text in texts

    def skips(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.at += 1
            return True
        return False

    def need(self, text: str) -> Token:
        if not self.sees(text):
            raise self.fault()
        return self.take()

    def name(self) -> str:
        if self.now.kind != "name":
            raise self.fault()
        return self.take().text

    # expressions

    def expression(self, level: int = 0) -> Expression:
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
        start = self.now.start
        signs = 0
        while self.skips("-", "+", "!", "~"):
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
        node = self.primary()
        while True:
            if self.skips("."):
                self.name()
                node = Expression(node.start, self.last_end, "a reference")
            elif self.sees("["):
                self.take()
                while not self.skips("]"):
                    if not self.skips(":", "::"):
                        self.expression()
                node = Expression(node.start, self.last_end, "a reference")
            elif self.sees("("):
                self.arguments()
                self.skips("tailstrict")
                node = Expression(node.start, self.last_end, "a call")
            elif self.sees("{"):
                right = self.braces()
                node = Sum(node.start, right.end, "a sum", node, right)
            else:
                return node

    def primary(self) -> Expression:
        token = self.now
        if token.kind == "string":
            self.take()
            return Constant(token.start, token.end, "a string")
        if token.kind == "number":
            self.take()
            return Constant(token.start, token.end, "a number")
        if token.kind == "name" or self.sees("$", "self"):
            self.take()
            return Expression(token.start, token.end, "a reference")
        if self.sees("true", "false", "null"):
            self.take()
            return Constant(token.start, token.end, _WORDS[token.text])
        if self.sees("super"):
            self.take()
            return Expression(token.start, token.end, "a reference")
        if self.sees("{"):
            return self.braces()
        if self.sees("["):
            return self.brackets()
        if self.skips("("):
            inner = self.expression()
            self.need(")")
            return Parens(token.start, self.last_end, inner.what, inner)
        return self.clause()

    def clause(self) -> Expression:
        """An expression that extends as far to the right as possible, such as ``local`` and ``if``."""
        start = self.now.start
        if self.skips("local"):
            binds = [self.bind()]
            while self.skips(","):
                binds.append(self.bind())
            self.need(";")
            body = self.expression()
            return Local(start, body.end, body.what, tuple(binds), body)
        if self.sees("assert"):
            self.assertion()
            self.need(";")
            body = self.expression()
            return Local(start, body.end, body.what, (), body)
        if self.skips("if"):
            self.expression()
            self.need("then")
            self.expression()
            if self.skips("else"):
                self.expression()
            return Expression(start, self.last_end, "a condition")
        if self.skips("function"):
            self.parameters()
            self.expression()
            return Expression(start, self.last_end, "a function")
        if self.skips("import", "importstr", "importbin"):
            self.expression()
            return Expression(start, self.last_end, "an import")
        if self.skips("error"):
            self.expression()
            return Expression(start, self.last_end, "an error")
        raise self.fault()

    def bind(self) -> tuple[str, Expression]:
        name = self.name()
        if self.sees("("):
            self.parameters()
            self.need("=")
            body = self.expression()
            return name, Expression(body.start, body.end, "a function")
        self.need("=")
        return name, self.expression()

    def assertion(self) -> None:
        self.need("assert")
        self.expression()
        if self.skips(":"):
            self.expression()

    def parameters(self) -> None:
        self.need("(")
        while not self.skips(")"):
            self.name()
            if self.skips("="):
                self.expression()
            if not self.sees(")"):
                self.need(",")

    def arguments(self) -> None:
        self.need("(")
        while not self.skips(")"):
            if self.now.kind == "name" and self.tokens[self.at + 1].text == "=":
                self.take()
                self.take()
            self.expression()
            if not self.sees(")"):
                self.need(",")

    def brackets(self) -> Expression:
        start = self.need("[").start
        while not self.skips("]"):
            self.expression()
            self.skips(",")
            self.generators()
        return Expression(start, self.last_end, "an array")

    def generators(self) -> bool:
        """Skip ``for x in …`` and what follows (more ``for``, ``if …``). Whether there was any."""
        has_generator = False
        while self.sees("for", "if") and (has_generator or self.sees("for")):
            has_generator = True
            if self.take().text == "for":
                self.name()
                self.need("in")
            self.expression()
        return has_generator

    def braces(self) -> Expression:
        start = self.need("{").start
        members: list[ObjectMember] = []
        is_comprehension = False
        while not self.skips("}"):
            if members and members[-1].comma is None:
                raise self.fault()
            member = self.member()
            comma = self.take().end if self.sees(",") else None
            members.append(replace(member, comma=comma))
            is_comprehension |= self.generators()
            if is_comprehension:
                self.need("}")
                break
        if is_comprehension:
            return Expression(start, self.last_end, "a comprehension")
        return ObjectLiteral(start, self.last_end, "an object", tuple(members))

    def member(self) -> ObjectMember:
        start = self.now.start
        if self.skips("local"):
            self.bind()
            return ObjectMember(start=start, end=self.last_end)
        if self.sees("assert"):
            self.assertion()
            return ObjectMember(start=start, end=self.last_end)
        name = self.field_name()
        is_method = self.sees("(")
        if is_method:
            self.parameters()
        operator = self.now
        if operator.kind != "symbol" or not _FIELD.fullmatch(operator.text):
            raise self.fault()
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
        if self.now.kind == "name":
            return self.take().text
        if self.now.kind == "string":
            return string_value(self.take().text)
        self.need("[")
        token = self.now
        inner = self.expression()
        self.need("]")
        return string_value(token.text) if token.kind == "string" and inner.end == token.end else None


def string_value(literal: str) -> str:
    """The value of a string literal. A text block is returned as it is: nobody uses one as a key."""
    if literal.startswith("|||"):
        return literal
    if literal.startswith("@"):
        quote = literal[1]
        return literal[2:-1].replace(quote * 2, quote)
    body = _NOT_JSON.sub(lambda match: _AS_JSON.get(match[0], match[0]), literal[1:-1])
    try:
        return str(json.loads(f'"{body}"'))
    except ValueError:
        return literal


def _is_number(node: Expression) -> bool:
    return isinstance(node, Constant) and node.what == "a number"
