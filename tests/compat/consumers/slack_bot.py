"""slack-sdk calls Slack's web API, uploads a file, and acknowledges what comes through socket mode."""

import asyncio
import sys
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient


async def main(url: str, upload: str) -> None:
    web = AsyncWebClient("xoxb-bot", base_url=f"{url}/api/")
    said = await web.chat_postMessage(channel="C1", text="hé", blocks=[{"type": "divider"}])
    assert said["said"] == {"channel": "C1", "text": "hé", "blocks": [{"type": "divider"}]}
    form = await web.api_call("users.list", data={"limit": 2})
    assert form["form"] == {"limit": ["2"]}
    sent = await web.api_call("files.upload", files={"file": upload}, data={"title": "t"})
    assert sent["size"] > 100_000
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await AsyncWebClient("wrong", base_url=f"{url}/api/").auth_test()
    hook = AsyncWebhookClient(f"{url}/hook")
    assert (await hook.send(text="hi")).status_code == 200
    gone = AsyncWebClient("xoxb-bot", base_url="http://127.0.0.1:9/", retry_handlers=[AsyncConnectionErrorRetryHandler()])
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        await gone.auth_test()

    seen: asyncio.Queue[SocketModeRequest] = asyncio.Queue()

    async def acknowledge(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        await seen.put(request)

    client = SocketModeClient("xapp-app", web_client=web, ping_interval=1)
    client.socket_mode_request_listeners.append(acknowledge)
    await client.connect()
    assert await client.is_connected()
    first, second = await seen.get(), await seen.get()
    assert (first.envelope_id, first.payload["event"]) == ("first", {"text": "hi"})
    assert second.payload["event"] == {"envelope_id": "first"}
    await client.close()


Path(sys.argv[2]).write_bytes(b"x" * 100_000)
asyncio.run(main(sys.argv[3], sys.argv[2]))
