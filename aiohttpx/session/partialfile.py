"""A file on its way: what is here of it, under a temporary name. Everything here blocks, and knows nothing of a loop."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from ..errors import ChecksumMismatch

_CHUNK: Final = 2**20


class Checksum:
    """What the digest of a file has to be: `"sha256:<hexadecimal>"`, or any other algorithm of `hashlib` with a fixed length.

    Raises `ValueError` for anything else.
    """

    def __init__(self, text: str) -> None:
        self.algorithm, _, digest = text.partition(":")
        self.digest = digest.strip().lower()
        try:
            size = hashlib.new(self.algorithm, usedforsecurity=False).digest_size
            valid = size > 0 and len(bytes.fromhex(self.digest)) == size
        except ValueError:
            valid = False
        if not valid:
            raise ValueError(f"checksum must be 'algorithm:hexadecimal digest', for example 'sha256:9f86d0...', not {text!r}")


class PartialFile:
    """`<path>.part`, and beside it, in `<path>.part.json`, what has to be known to go on with it.

    :ivar size: the bytes that are here; `kept` of them were left by an earlier one.
    :ivar total: the bytes of the whole, if that is known.
    :ivar validator: the strong validator of the representation they are of; without one they cannot be gone on with.
    """

    def __init__(self, path: str | os.PathLike[str], checksum: str | None = None) -> None:
        self.path = Path(path)
        self.size = self.kept = 0
        self.total: int | None = None
        self.validator: str | None = None
        self._checksum = None if checksum is None else Checksum(checksum)
        self._digest: Any = None
        self._part = self.path.with_name(self.path.name + ".part")
        self._notes = self.path.with_name(self.path.name + ".part.json")
        self._file: IO[bytes] | None = None

    def open(self, resume: bool) -> None:
        """Begin; with `resume`, from what an earlier one has left. Raises `OSError`."""
        if self.path.is_dir():
            raise IsADirectoryError(f"Cannot download to {str(self.path)!r}: it is a directory")
        known = self._read_notes() if resume else None
        self._file = open(self._part, "ab+")  # noqa: SIM115  # closed by `close`
        if known is None:
            self.restart(None, None)
            return
        self.validator, self.total = known
        self._begin_digest()
        self._file.seek(0)
        while piece := self._file.read(_CHUNK):
            self.size += len(piece)
            if self._digest is not None:
                self._digest.update(piece)
        self.kept = self.size

    def restart(self, validator: str | None, total: int | None) -> None:
        """Forget what is here: what comes is another representation."""
        self.size = self.kept = 0
        self._opened().truncate(0)
        self._begin_digest()
        self.validator, self.total = validator, total
        if validator is None:
            self._notes.unlink(missing_ok=True)
        else:
            self._notes.write_text(json.dumps({"validator": validator, "total": total}), encoding="utf-8")

    def write(self, pieces: Iterable[bytes]) -> None:
        file = self._opened()
        for piece in pieces:
            file.write(piece)
            self.size += len(piece)
            if self._digest is not None:
                self._digest.update(piece)

    def finish(self) -> None:
        """All is here: give it its name. Raises `ChecksumMismatch`, and what was here is gone."""
        self._opened().close()
        if self._checksum is not None and self._digest.hexdigest() != self._checksum.digest:
            self._forget()
            raise ChecksumMismatch(str(self.path), self._checksum.algorithm, self._checksum.digest, self._digest.hexdigest())
        os.replace(self._part, self.path)
        self._notes.unlink(missing_ok=True)

    def close(self, keep: bool) -> None:
        """Not all is here. What is stays for another time, if `keep` and if it can be gone on with."""
        if self._file is not None:
            with suppress(OSError):  # what is not on the disk yet cannot be written: that was said already
                self._file.close()
            if not keep or self.validator is None or not self.size:
                self._forget()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            raise ValueError("The file is not open")
        return self._file

    def _begin_digest(self) -> None:
        if self._checksum is not None:
            self._digest = hashlib.new(self._checksum.algorithm, usedforsecurity=False)

    def _read_notes(self) -> tuple[str, int | None] | None:
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            validator, total = notes["validator"], notes["total"]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        if not isinstance(validator, str) or not isinstance(total, int | None) or any(char in validator for char in "\r\n\0"):
            return None
        return validator, total

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)
