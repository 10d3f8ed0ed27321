"""aiobotocore puts objects into S3, which is moto's here, lists them, and streams them back."""

import asyncio
import io
import sys

import aiohttp
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError, EndpointConnectionError

BODY = bytes(range(256)) * 4096
OPTIONS = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}


async def main(url: str) -> None:
    config = AioConfig(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    async with get_session().create_client("s3", endpoint_url=url, config=config, **OPTIONS) as client:
        await client.create_bucket(Bucket="bucket")
        await client.put_object(Bucket="bucket", Key="a/bytes", Body=BODY, Metadata={"own": "1"})
        await client.put_object(Bucket="bucket", Key="a/file", Body=io.BytesIO(BODY))
        await client.put_object(Bucket="bucket", Key="a/empty", Body=b"")

        pages = client.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 2})
        assert [entry["Key"] async for page in pages for entry in page["Contents"]] == ["a/bytes", "a/empty", "a/file"]

        got = await client.get_object(Bucket="bucket", Key="a/bytes")
        assert (got["ContentLength"], got["Metadata"]) == (len(BODY), {"own": "1"})
        async with got["Body"] as stream:
            assert await stream.read(10) == BODY[:10]
            assert await stream.read() == BODY[10:]
        got = await client.get_object(Bucket="bucket", Key="a/file")
        assert b"".join([part async for part in got["Body"].iter_chunks(100_000)]) == BODY
        got = await client.get_object(Bucket="bucket", Key="a/file", Range="bytes=1-3")
        assert (got["ContentRange"], await got["Body"].read()) == (f"bytes 1-3/{len(BODY)}", b"\1\2\3")
        got = await client.get_object(Bucket="bucket", Key="a/empty")
        assert await got["Body"].read() == b""

        link = await client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a/file"})
        async with aiohttp.ClientSession() as session, session.get(link) as response:
            assert await response.read() == BODY
        with pytest.raises(ClientError, match="NoSuchKey"):
            await client.get_object(Bucket="bucket", Key="none")
        await asyncio.gather(*(client.delete_object(Bucket="bucket", Key=f"a/{name}") for name in ("bytes", "file", "empty")))
        assert "Contents" not in await client.list_objects_v2(Bucket="bucket")

    async with get_session().create_client("s3", endpoint_url="http://127.0.0.1:9", config=config, **OPTIONS) as client:
        with pytest.raises(EndpointConnectionError, match=r"127\.0\.0\.1:9"):
            await client.list_buckets()


asyncio.run(main(sys.argv[3]))
