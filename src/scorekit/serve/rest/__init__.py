"""REST: the routes of a Seldon Core v1 component, the requests behind them, and the statuses of errors.

May import the codec, the service and :mod:`~scorekit.serve.http1`; knows nothing of HTTP/2 and gRPC. Begin with
:mod:`~scorekit.serve.rest.routes`; :mod:`~scorekit.serve.rest.requests` says where in an HTTP request the JSON is
found, and :mod:`~scorekit.serve.rest.status` has the one table from errors to statuses.
"""

from .routes import RestOptions, RestRoutes
from .status import STATUS, refuse

__all__ = ["STATUS", "RestOptions", "RestRoutes", "refuse"]
