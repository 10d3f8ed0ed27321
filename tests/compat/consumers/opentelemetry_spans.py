"""OpenTelemetry's instrumentation makes a span of each request, and says so to the server."""

import asyncio
import contextlib
import sys

import aiohttp
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor, create_trace_config
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))


async def get(session: aiohttp.ClientSession, url: str) -> dict[str, str]:
    async with session.get(url) as response:
        headers: dict[str, str] = (await response.json())["headers"]
        return headers


async def main(url: str) -> None:
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    assert instrumentor.is_instrumented_by_opentelemetry
    async with aiohttp.ClientSession() as session:
        headers = await get(session, f"{url}/anything")
        (span,) = exporter.get_finished_spans()
        assert (span.name, span.attributes["http.status_code"]) == ("GET", 200)
        assert headers["traceparent"].split("-")[1] == f"{span.context.trace_id:032x}"

        exporter.clear()
        await session.get(f"{url}/status/404")
        with contextlib.suppress(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:9/")
        missing, refused = exporter.get_finished_spans()
        assert (missing.attributes["http.status_code"], missing.status.status_code) == (404, StatusCode.ERROR)
        assert refused.status.description.startswith("ClientConnectorError")

        exporter.clear()
        AioHttpClientInstrumentor.uninstrument_session(session)
        assert "traceparent" not in await get(session, f"{url}/anything")
    instrumentor.uninstrument()
    async with aiohttp.ClientSession() as session:
        await get(session, f"{url}/anything")
    assert not exporter.get_finished_spans()
    config = create_trace_config(tracer_provider=provider)
    async with aiohttp.ClientSession(trace_configs=[config]) as session:
        assert "traceparent" in await get(session, f"{url}/anything")


asyncio.run(main(sys.argv[1]))
