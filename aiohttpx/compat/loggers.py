"""The loggers of `aiohttp.log`, under this package's name."""

from __future__ import annotations

import logging

access_logger = logging.getLogger("aiohttpx.access")
client_logger = logging.getLogger("aiohttpx.client")
internal_logger = logging.getLogger("aiohttpx.internal")
server_logger = logging.getLogger("aiohttpx.server")
web_logger = logging.getLogger("aiohttpx.web")
ws_logger = logging.getLogger("aiohttpx.websocket")
