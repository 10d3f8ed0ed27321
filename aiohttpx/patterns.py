"""Regular expressions, each compiled when it is first used: most programs never meet most of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

if TYPE_CHECKING:

    def pattern(text: AnyStr, flags: re.RegexFlag = re.RegexFlag.NOFLAG) -> re.Pattern[AnyStr]:
        """As `re.compile`."""
        return re.compile(text, flags)

else:

    class pattern:
        """As `re.compile`. Its methods are those of the pattern, which are looked up once."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self.pattern = text
            self.flags = flags

        def __getattr__(self, name: str) -> Any:
            value = getattr(re.compile(self.pattern, self.flags), name)
            setattr(self, name, value)
            return value
