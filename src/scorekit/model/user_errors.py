"""What user code raises: which exceptions are contained, and what a caller or an operator reads of them."""

import logging
import traceback
import uuid
from pathlib import Path
from typing import Any

from ..errors import ComponentError, DeclaredError, RequestError
from .methods import is_seldon

log = logging.getLogger(__name__)

USER_FAULT = (Exception, SystemExit)
"""What user code may raise without ending the server. SystemExit is not an Exception, and models do call sys.exit."""

_ROOM = Path(__file__).parent


def caller_error(cause: BaseException, expose: bool = False) -> RequestError:
    """Return what a caller reads of ``cause``: its own words if it is a SeldonMicroserviceException, else a reference.

    With ``expose`` the caller reads the text of any exception, as from the stock wrapper.
    """
    if not is_seldon(cause, "SeldonMicroserviceException"):
        return ComponentError("The model failed on this request", uuid.uuid4().hex[:12], str(cause) if expose else None)
    status: Any = getattr(cause, "status_code", None)
    return DeclaredError(
        str(getattr(cause, "message", "")),
        status if type(status) is int and 200 <= status <= 599 else 400,
        str(getattr(cause, "reason", "") or "MICROSERVICE_BAD_DATA"),
    )


def in_one_sentence(error: BaseException) -> str:
    """Return the exception in a sentence, with the innermost line of the user's own code. Its traceback is logged."""
    log.debug("component.not_loaded", exc_info=error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent != _ROOM]
    own = [frame for frame in frames if "site-packages" not in frame.filename and "importlib" not in frame.filename]
    line = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}{line}"
