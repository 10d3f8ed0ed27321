"""fsspec's HTTP filesystem lists a page of links, reads whole files, ranges and lines of them, and writes."""

import asyncio
import sys
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.http import HTTPFile, HTTPStreamFile

SIZE = 300_000


def in_threads(url: str, folder: Path) -> None:
    fs = fsspec.filesystem("http", block_size=2**16)
    assert fs.ls(f"{url}/listing/", detail=False) == [f"{url}/listing/a.txt", f"{url}/listing/b/"]
    assert fs.glob(f"{url}/listing/*.txt") == [f"{url}/listing/a.txt"]
    whole = fs.cat(f"{url}/range/{SIZE}")
    assert len(whole) == SIZE
    assert fs.info(f"{url}/range/{SIZE}")["size"] == SIZE
    assert fs.cat_file(f"{url}/range/{SIZE}", start=10, end=20) == whole[10:20]
    assert fs.cat_ranges([f"{url}/range/{SIZE}"] * 3, [0, 5, -7], [4, 50, SIZE]) == [whole[:4], whole[5:50], whole[-7:]]
    several = fs.cat([f"{url}/bytes/{size}" for size in (0, 1, 70_000)])
    assert [len(content) for content in several.values()] == [0, 1, 70_000]
    assert fs.exists(f"{url}/bytes/3")
    assert not fs.exists(f"{url}/none")
    with pytest.raises(FileNotFoundError):
        fs.cat(f"{url}/none")

    with fs.open(f"{url}/range/{SIZE}") as file:
        assert isinstance(file, HTTPFile)
        assert file.seek(200_000) == 200_000
        assert file.read(100) == whole[200_000:200_100]
        file.seek(-5, 2)
        assert file.read() == whole[-5:]
    with fs.open(f"{url}/bytes/{SIZE}?chunked") as file:
        assert isinstance(file, HTTPStreamFile)
        assert file.read(1000) + file.read() == whole

    fs.get(f"{url}/bytes/{SIZE}", str(folder / "got"))
    assert (folder / "got").read_bytes() == whole
    fs.put(str(folder / "got"), f"{url}/kept/a", method="put")
    fs.pipe_file(f"{url}/kept/b", b"written")
    assert fs.cat(f"{url}/kept/a") == whole
    assert fs.cat(f"{url}/kept/b") == b"written"


async def in_a_loop(url: str) -> None:
    fs = fsspec.filesystem("http", asynchronous=True, skip_instance_cache=True)
    session = await fs.set_session()
    assert len(await fs._cat_file(f"{url}/bytes/1000")) == 1000
    async with await fs.open_async(f"{url}/range/{SIZE}") as file:
        assert len(await file.read(10)) == 10
    await session.close()


in_threads(sys.argv[1], Path(sys.argv[2]).parent)
asyncio.run(in_a_loop(sys.argv[1]))
