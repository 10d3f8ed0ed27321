"""How one request is sent, and its answer read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from multidict import CIMultiDictProxy

from ..records import NamedTuple

if TYPE_CHECKING:
    from .upload import UploadTracker

#: The longest line, and the largest Server-Sent Event, that is given when nothing is said, in bytes.
MAX_LINE_LENGTH: Final = 2**20
MAX_EVENT_SIZE: Final = 2**20


class InformationalResponse(NamedTuple):
    """An answer before the answer: 100 (Continue), 102, 103 (Early Hints) and the like (RFC 9110, section 15.2)."""

    status: int
    reason: str
    headers: CIMultiDictProxy[str]


#: Is told of an informational response. What it raises ends the exchange.
OnInformational = Callable[[InformationalResponse], object]


class Settings(NamedTuple):
    """How an exchange sends its body and reads its answer."""

    read_bufsize: int = 2**16
    auto_decompress: bool = True
    #: A body without framing lasts until the connection ends; False: there is none.
    read_until_eof: bool = True
    #: Seconds between two reads; None for no limit.
    sock_read: float | None = None
    #: Seconds for sending a body; None for no limit.
    write: float | None = None
    #: Is told how far that is.
    tracker: UploadTracker | None = None
    #: Bytes of a body, decoded; None for no limit.
    max_body_size: int | None = None
    on_informational: OnInformational | None = None
    # What follows are the limits of the parser, in the order of its parameters.
    max_field_size: int = 2**16
    max_head_size: int = 2**18
    max_fields: int = 512
    max_line_size: int = 2**16

    @property
    def parser_limits(self) -> tuple[int, int, int, int]:
        return self[-4:]


DEFAULT_SETTINGS: Final = Settings()
