"""Which handler answers which path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from .messages import Request, Response

Handler = Callable[[Request], Response | Awaitable[Response]]


class Route(NamedTuple):
    """A handler, and what becomes of the content it is sent.

    `keep_body=False` only counts the content (`Request.body_size`), for uploads of any size.
    """

    handler: Handler
    keep_body: bool = True


class Routes:
    """Finds the route of a path: that path itself, else the longest route ending in "/" that it lies under."""

    def __init__(self, routes: Mapping[str, Handler | Route]) -> None:
        self._routes = {path: route if isinstance(route, Route) else Route(route) for path, route in routes.items()}

    def find(self, path: str) -> Route:
        """The route of `path` (decoded); one that answers 404 when there is none."""
        route = self._routes.get(path)
        end = len(path)
        while route is None and (end := path.rfind("/", 0, end)) >= 0:
            route = self._routes.get(path[: end + 1])
        return route or _NOWHERE


def _not_found(request: Request) -> Response:
    return Response.text(f"nothing at {request.path}\n", 404)


_NOWHERE = Route(_not_found, keep_body=False)
