"""A server that reads the forms it is sent, as three parsers read them."""

from __future__ import annotations

import re

from aiohttpx.testing import LoopbackServer, Request, Response

from ..message.form_parsers import FORM_PARSERS, Field


class FormServer(LoopbackServer):
    """Keeps the requests it gets, and what the parsers make of their forms."""

    def __init__(self) -> None:
        super().__init__({"/": self._keep})
        self.requests: list[Request] = []

    def _keep(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.text("ok")

    @property
    def fields(self) -> list[Field]:
        """The fields of the last request, as all parsers see them."""
        request = self.requests[-1]
        matched = re.fullmatch("multipart/form-data; boundary=([0-9a-f]{32})", request.headers["content-type"])
        assert matched is not None
        first, *others = [sorted(parse(request.body, matched[1])) for parse in FORM_PARSERS.values()]
        assert all(other == first for other in others)
        return first
