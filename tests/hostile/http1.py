"""Hostile bytes of HTTP/1.1: the status that answers them, and how many requests the server must see in them."""

from dataclasses import dataclass

from .kinds import KINDS
from .recorder import MAX_BODY

HEAD = b"POST /p HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /q HTTP/1.1\r\nHost: x\r\n\r\n"
END = b"0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    sent: bytes
    status: int = 400
    """Of the refusal that ends the connection; 200 where the first request is answered."""
    seen: int = 0

    def __post_init__(self) -> None:
        assert self.kind in KINDS


def _cases(kind: str, status: int = 400, seen: int = 0, **sent: bytes) -> list[Case]:
    return [Case(kind, name, data, status, seen) for name, data in sent.items()]


_BODY, _HEAD, _LENGTH, _CODING, _LINES, _HOST, _TARGET, _VERSION, _CHUNKS, _ENDLESS, _TINY, _OFFER = (
    next(kind for kind in KINDS if kind.startswith(start))
    for start in (
        *("A body longer", "More than 64 kB", "Content-Length beside", "A Transfer-Encoding", "Folded", "No Host"),
        *("A request target", "Versions", "Malformed chunks", "Chunk extensions", "A body of many", "CONNECT"),
    )
)

CASES = [
    *_cases(
        _BODY,
        413,
        by_length=HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        by_huge_length=HEAD + b"Content-Length: 9999999999999999999\r\n\r\n",
        in_one_chunk=CHUNKED + b"%x\r\n" % (MAX_BODY + 1) + b"x" * (MAX_BODY + 1),
        in_chunks=CHUNKED + (b"1000\r\n" + b"x" * 0x1000 + b"\r\n") * (MAX_BODY // 0x1000 + 2),
    ),
    *_cases(
        _HEAD,
        431,
        target=b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        one_header=b"GET /q HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000 + b"\r\n\r\n",
        one_name=b"GET /q HTTP/1.1\r\nHost: x\r\n" + b"a" * 70_000 + b": a\r\n\r\n",
        many=b"GET /q HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 100 + b"\r\n",
        several=b"GET /q HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"a" * 30_000 + b"\r\n") * 3 + b"\r\n",
        without_end=b"GET /q HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000,
    ),
    *_cases(
        _LENGTH,
        length_then_chunks=HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + END + GET,
        chunks_then_length=HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + END + GET,
        two_alike=HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        two=HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        listed=HEAD + b"Content-Length: 1, 1\r\n\r\nx",
        plus=HEAD + b"Content-Length: +1\r\n\r\nx",
        minus=HEAD + b"Content-Length: -1\r\n\r\nx",
        spaced=HEAD + b"Content-Length: 1 1\r\n\r\nx",
        empty=HEAD + b"Content-Length: \r\n\r\n" + GET,
        hexadecimal=HEAD + b"Content-Length: 0x1\r\n\r\nx",
        vertical_tab=HEAD + b"Content-Length: \x0b1\r\n\r\nx",
        fraction=HEAD + b"Content-Length: 1.0\r\n\r\nx",
    ),
    *_cases(
        _CODING,
        xchunked=HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + END,
        identity=HEAD + b"Transfer-Encoding: identity\r\n\r\n" + GET,
        identity_after=HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + END,
        identity_before=HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n" + END,
        gzip=HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + END,
        gzip_before=HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + END,
        listed_twice=HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + END,
        twice=HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
        then_identity=HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + END,
        after_identity=HEAD + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
        quoted=HEAD + b'Transfer-Encoding: "chunked"\r\n\r\n' + END,
        parameter=HEAD + b"Transfer-Encoding: chunked;q=1\r\n\r\n" + END,
        vertical_tab=HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + END,
        comma_before=HEAD + b"Transfer-Encoding: ,chunked\r\n\r\n" + END,
        comma_after=HEAD + b"Transfer-Encoding: chunked,\r\n\r\n" + END,
        empty=HEAD + b"Transfer-Encoding: \r\n\r\n" + GET,
        old_version=b"POST /p HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    ),
    *_cases(
        _LINES,
        folded=HEAD + b"A: b\r\n c\r\n\r\n",
        folded_coding=HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END,
        folded_first=b"GET /q HTTP/1.1\r\n Host: x\r\n\r\n",
        lf_only=b"GET /q HTTP/1.1\nHost: x\n\n",
        lf_after_line=b"GET /q HTTP/1.1\nHost: x\r\n\r\n",
        lf_after_header=b"GET /q HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
        lf_at_end=b"GET /q HTTP/1.1\r\nHost: x\r\n\n",
        cr_for_line=b"GET /q HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
        cr_in_value=b"GET /q HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        nul_in_value=b"GET /q HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
        nul_in_name=b"GET /q HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n",
        nul_in_target=b"GET /q\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        control_in_value=b"GET /q HTTP/1.1\r\nHost: x\r\nA: b\x01c\r\n\r\n",
        blank_before_colon=b"GET /q HTTP/1.1\r\nHost : x\r\n\r\n",
        blank_before_colon_of_coding=HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + END,
        tab_before_colon=HEAD + b"Transfer-Encoding\t: chunked\r\n\r\n" + END,
        no_colon=b"GET /q HTTP/1.1\r\nHost: x\r\nfoo\r\n\r\n",
        no_name=b"GET /q HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
        high_name=b"GET /q HTTP/1.1\r\nHost: x\r\n\xc3: a\r\n\r\n",
        garbage=b"\x00\x01\x02\x03\r\n\r\n",
        tab_after_method=b"GET\t/q HTTP/1.1\r\nHost: x\r\n\r\n",
        blank_at_end_of_line=b"GET /q HTTP/1.1 \r\nHost: x\r\n\r\n",
    ),
    *_cases(
        _HOST,
        none=b"GET /q HTTP/1.1\r\n\r\n",
        two=b"GET /q HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        two_alike=b"GET /q HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        spaced=b"GET /q HTTP/1.1\r\nHost: x y\r\n\r\n",
        path=b"GET /q HTTP/1.1\r\nHost: x/y\r\n\r\n",
        listed=b"GET /q HTTP/1.1\r\nHost: x, y\r\n\r\n",
        user=b"GET /q HTTP/1.1\r\nHost: a@x\r\n\r\n",
        broken_address=b"GET /q HTTP/1.1\r\nHost: [::1\r\n\r\n",
    ),
    *_cases(
        _TARGET,
        fragment=b"GET /q#a HTTP/1.1\r\nHost: x\r\n\r\n",
        relative=b"GET q HTTP/1.1\r\nHost: x\r\n\r\n",
        other_scheme=b"GET ftp://x/q HTTP/1.1\r\nHost: x\r\n\r\n",
        other_host=b"GET http://y/q HTTP/1.1\r\nHost: x\r\n\r\n",
        authority=b"GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        high=b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        blank=b"GET /q a HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    *_cases(
        _VERSION,
        none=b"GET /q\r\n\r\n",
        two=b"GET /q HTTP/2.0\r\nHost: x\r\n\r\n",
        one_two=b"GET /q HTTP/1.2\r\nHost: x\r\n\r\n",
        one_ten=b"GET /q HTTP/1.10\r\nHost: x\r\n\r\n",
        lower=b"GET /q http/1.1\r\nHost: x\r\n\r\n",
        other=b"GET /q ICY/1.1\r\nHost: x\r\n\r\n",
    ),
    *_cases(
        _CHUNKS,
        prefixed=CHUNKED + b"0x1\r\nx\r\n" + END,
        negative=CHUNKED + b"-1\r\nx\r\n" + END,
        plus=CHUNKED + b"+1\r\nx\r\n" + END,
        no_size=CHUNKED + b"\r\nx\r\n" + END,
        blank_before=CHUNKED + b" 1\r\nx\r\n" + END,
        blank_after=CHUNKED + b"1 \r\nx\r\n" + END,
        underscore=CHUNKED + b"1_0\r\nx\r\n" + END,
        overflow=CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nx",
        overflow_by_one=CHUNKED + b"10000000000000001\r\nx\r\n" + END,
        lf_after_size=CHUNKED + b"1\nx\r\n" + END,
        cr_after_size=CHUNKED + b"1\rx\r\n" + END,
        lf_after_data=CHUNKED + b"1\r\nx\n" + END,
        nothing_after_data=CHUNKED + b"1\r\nx" + END,
        more_data=CHUNKED + b"1\r\nxy\r\n" + END,
        lf_at_end=CHUNKED + b"1\r\nx\r\n0\n\n",
        lf_in_extension=CHUNKED + b"1;a\nb\r\nx\r\n" + END,
        cr_in_extension=CHUNKED + b"1;a\rb\r\nx\r\n" + END,
        nul_in_extension=CHUNKED + b"1;a\0b\r\nx\r\n" + END,
        length_in_trailer=CHUNKED + b"1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n",
        coding_in_trailer=CHUNKED + b"1\r\nx\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        no_trailer=CHUNKED + b"1\r\nx\r\n0\r\nA\r\n\r\n",
        folded_trailer=CHUNKED + b"1\r\nx\r\n0\r\nA: b\r\n c\r\n\r\n",
    ),
    *_cases(
        _ENDLESS,
        431,
        one_extension=CHUNKED + b"1;" + b"a" * 700_000,
        extensions=CHUNKED + (b"1;" + b"a" * 9000 + b"\r\nx\r\n") * 80,
        one_trailer=CHUNKED + b"1\r\nx\r\n0\r\nA: " + b"a" * 700_000,
        trailers=CHUNKED + b"1\r\nx\r\n0\r\n" + b"A: b\r\n" * 100_000,
    ),
    *_cases(
        _TINY,
        200,
        1,
        single=CHUNKED + b"1\r\nx\r\n" * 50_000 + END,
        pairs=CHUNKED + b"2\r\nxy\r\n" * 50_000 + END,
    ),
    *_cases(_OFFER, connect=b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n" + GET),
    *_cases(
        _OFFER,
        200,
        2,
        h2c=b"GET /q HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n" + GET,
        with_body=b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n"
        % len(GET)
        + GET
        + GET,
        with_chunks=b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked"
        b"\r\n\r\n" + END + GET,
    ),
]

# What is unusual, and to be taken: one request, the same to everybody.
HARMLESS = {
    "blank-after-length": HEAD + b"Content-Length: 1 \r\n\r\nx",
    "tab-before-length": HEAD + b"Content-Length:\t1\r\n\r\nx",
    "zeros": HEAD + b"Content-Length: 0001\r\n\r\nx",
    "underscores": HEAD + b"Content_Length: 1\r\n\r\n",
    "underscores-of-coding": HEAD + b"Transfer_Encoding: chunked\r\nContent-Length: 1\r\n\r\nx",
    "capitals": HEAD + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\nx\r\n" + END,
    "extension": CHUNKED + b'1;a="b"\r\nx\r\n' + END,
    "trailer": CHUNKED + b"1\r\nx\r\n0\r\nA: b\r\n\r\n",
    "zeros-of-chunk": CHUNKED + b"0" * 100 + b"1\r\nx\r\n000\r\n\r\n",
    "capital-size": CHUNKED + b"A\r\n0123456789\r\n" + END,
    "empty-host": b"GET /q HTTP/1.1\r\nHost:\r\n\r\n",
    "address": b"GET /q HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    "absolute": b"GET http://x/q HTTP/1.1\r\nHost: x\r\n\r\n",
    "empty-line-before": b"\r\n" + GET,
    "get-with-body": b"GET /q HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET q",
    "get-with-chunks": b"GET /q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    "high-value": b"GET /q HTTP/1.1\r\nHost: x\r\nA: \xff\r\n\r\n",
    "connection-names-it": b"GET /q HTTP/1.1\r\nHost: x\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\nx",
    "unknown-expectation": HEAD + b"Expect: foo\r\nContent-Length: 1\r\n\r\nx",
}
