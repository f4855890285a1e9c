"""One file downloaded from a URL that a person gave."""

import posixpath
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException

from ...errors import SetupError

_TIMEOUT_S = 30
_MAX_BYTES = 16 << 20


def download(url: str) -> tuple[str, bytes]:
    """The file's name, from the server or else from the URL, and its content. Raises ``SetupError``."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "scorekit-ks"})  # noqa: S310 - callers pass http and https only
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            data: bytes = response.read(_MAX_BYTES + 1)
            if response.length and len(data) <= _MAX_BYTES:  # `read(n)` does not report a body that ends early
                raise HTTPException("the response was cut short")
            given = response.headers.get_filename() or urllib.parse.unquote(urllib.parse.urlsplit(response.url).path)
    except urllib.error.HTTPError as error:
        raise SetupError(f"unable to download {url}: {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:  # no connection, not HTTP, not a URL
        raise SetupError(f"unable to download {url}: {str(getattr(error, 'reason', error)).strip()}") from error
    if len(data) > _MAX_BYTES:
        raise SetupError(f"unable to download {url}: it is larger than {_MAX_BYTES >> 20} MB")
    name = posixpath.basename(posixpath.normpath("/" + given.replace("\0", "")))
    if given.endswith("/") or name in ("", ".", "/"):
        raise SetupError("unable to find name for file in path")
    return name, data
