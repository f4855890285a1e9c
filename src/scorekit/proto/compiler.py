"""Compiles ``.proto`` text to descriptors: as much of the language as the files of this package use.

With it the build needs no protoc, and the run time no generated module, which would be tied to one range of protobuf
versions and would register its messages in the pool where ``seldon_core`` registers its own. The grammar that is
understood::

    file      = "syntax" "=" string ";" | "package" name ";" | "import" string ";" | message | service
    message   = "message" name "{" { field | enum | oneof } "}"
    field     = [ "repeated" ] type name "=" number ";" | "map" "<" type "," type ">" name "=" number ";"
    oneof     = "oneof" name "{" { field } "}"
    enum      = "enum" name "{" { name "=" number ";" } "}"
    service   = "service" name "{" { "rpc" name "(" side ")" "returns" "(" side ")" ";" } "}"
    side      = [ "stream" ] type
"""

import re
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File

_TOKEN = re.compile(r'//[^\n]*|\s+|("[^"]*"|[A-Za-z_][\w.]*|\d+|[{}()<>=;,])')
_SCALARS = {"double": 1, "float": 2, "int64": 3, "int32": 5, "bool": 8, "string": 9, "bytes": 12}


def compile_proto(text: str, name: str) -> File:
    """Return the descriptor of the proto3 file ``name``. Raises ``ValueError`` for text that it does not understand.

    A type name without a dot is an enum of the same message or a message of the same package.
    """
    file = File(name=name)
    tokens = _tokens(text)
    for word in tokens:
        if word == "syntax":
            _expect(tokens, "=")
            file.syntax = next(tokens)[1:-1]
        elif word == "package":
            file.package = next(tokens)
        elif word == "import":
            file.dependency.append(next(tokens)[1:-1])
        elif word == "message":
            _message(tokens, file.message_type.add(), file.package)
            continue
        elif word == "service":
            _service(tokens, file)
            continue
        else:
            raise ValueError(f"{name}: unexpected {word!r}")
        _expect(tokens, ";")
    return file


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"unexpected {text[position : position + 20]!r}")
        position = match.end()
        if match[1]:
            yield match[1]


def _expect(tokens: Iterator[str], *wanted: str) -> str:
    token = next(tokens, "the end")
    if token not in wanted:
        raise ValueError(f"expected {' or '.join(wanted)}, got {token}")
    return token


def _message(tokens: Iterator[str], message: DescriptorProto, package: str) -> None:
    message.name = next(tokens)
    _expect(tokens, "{")
    oneof = None
    for word in tokens:
        if word == "}":
            if oneof is None:
                return
            oneof = None
        elif word == "enum":
            _enum(tokens, message.enum_type.add())
        elif word == "oneof":
            oneof = len(message.oneof_decl)
            message.oneof_decl.add(name=next(tokens))
            _expect(tokens, "{")
        else:
            _field(tokens, word, message, package, oneof)
    raise ValueError(f"{message.name} does not end")


def _field(tokens: Iterator[str], word: str, message: DescriptorProto, package: str, oneof: int | None) -> None:
    field = message.field.add(label=FieldDescriptorProto.LABEL_OPTIONAL)
    if oneof is not None:
        field.oneof_index = oneof
    if word == "repeated":
        field.label = FieldDescriptorProto.LABEL_REPEATED
        word = next(tokens)
    if word == "map":
        _expect(tokens, "<")
        key = next(tokens)
        _expect(tokens, ",")
        value = next(tokens)
        _expect(tokens, ">")
        field.name = next(tokens)
        # A map is a repeated field of entries, of a message type that is made for it.
        entry = message.nested_type.add(name=f"{field.name[0].upper()}{field.name[1:]}Entry")
        entry.options.map_entry = True
        for number, (name, kind) in enumerate((("key", key), ("value", value)), start=1):
            _typed(entry.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL), kind, package)
        field.label = FieldDescriptorProto.LABEL_REPEATED
        _typed(field, f"{package}.{message.name}.{entry.name}", package)
    else:
        field.name = next(tokens)
        if word in {enum.name for enum in message.enum_type}:
            field.type = FieldDescriptorProto.TYPE_ENUM
            field.type_name = f".{package}.{message.name}.{word}"
        else:
            _typed(field, word, package)
    _expect(tokens, "=")
    field.number = int(next(tokens))
    _expect(tokens, ";")


def _typed(field: FieldDescriptorProto, kind: str, package: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]  # type: ignore[assignment]  # the stub wants the enum's own type
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = _full(kind, package)


def _full(kind: str, package: str) -> str:
    return f".{kind}" if "." in kind else f".{package}.{kind}"


def _enum(tokens: Iterator[str], enum: EnumDescriptorProto) -> None:
    enum.name = next(tokens)
    _expect(tokens, "{")
    for word in tokens:
        if word == "}":
            return
        _expect(tokens, "=")
        enum.value.add(name=word, number=int(next(tokens)))
        _expect(tokens, ";")


def _service(tokens: Iterator[str], file: File) -> None:
    service = file.service.add(name=next(tokens))
    _expect(tokens, "{")
    while _expect(tokens, "rpc", "}") == "rpc":
        method = service.method.add(name=next(tokens))
        method.input_type, method.client_streaming = _side(tokens, file.package)
        _expect(tokens, "returns")
        method.output_type, method.server_streaming = _side(tokens, file.package)
        _expect(tokens, ";")


def _side(tokens: Iterator[str], package: str) -> tuple[str, bool]:
    _expect(tokens, "(")
    kind = next(tokens)
    streams = kind == "stream"
    if streams:
        kind = next(tokens)
    _expect(tokens, ")")
    return _full(kind, package), streams
