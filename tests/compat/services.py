"""What the libraries under aiohttp's name talk to: as much of GitHub, of Elasticsearch and of a file server as they ask for."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any

from aiohttpx.testing import DEFAULT_ROUTES, Handler, Request, Response, Route

LISTING = b"<html><a href='a.txt'>a</a> <a href='b/'>b</a> <a href='http://elsewhere.test/'>c</a></html>"


def routes() -> dict[str, Handler | Route]:
    """Routes with a memory of their own."""
    return {**DEFAULT_ROUTES, **_counting(), **_files(), "/github/": _github, "/elastic/": _elastic()}


def _counting() -> dict[str, Handler]:
    asked: Counter[str] = Counter()

    def count_me(request: Request) -> Response:
        asked["count"] += 1
        number = str(asked["count"])
        return Response(200, [("Content-Type", "text/plain"), ("X-Asked", number)], number.encode())

    def flaky(request: Request) -> Response:
        asked["flaky"] += 1
        return Response.text("at last") if asked["flaky"] > 2 else Response.text("later", 503)

    def redirect(request: Request) -> Response:
        return Response(302, [("Location", "/bytes/3")], b"")

    return {"/count-me": count_me, "/flaky": flaky, "/to": redirect}


def _files() -> dict[str, Handler]:
    kept: dict[str, bytes] = {}

    def keep(request: Request) -> Response:
        if request.method == "PUT":
            kept[request.path] = request.body
        return Response(200, [], kept[request.path]) if request.path in kept else Response(404)

    def listing(request: Request) -> Response:
        return Response(200, [("Content-Type", "text/html; charset=utf-8")], LISTING)

    return {"/kept/": keep, "/listing/": listing}


def _github(request: Request) -> Response:
    """Issues 1 to 3 on two pages; those posted are said back."""
    limits = [("X-RateLimit-Limit", "5000"), ("X-RateLimit-Remaining", "4999"), ("X-RateLimit-Reset", "4000000000")]
    headers = [("Content-Type", "application/json; charset=utf-8"), *limits]
    if request.path == "/github/broken":
        return Response(500, headers, b"")
    if request.path == "/github/none":
        return Response(404, headers, b'{"message": "Not Found"}')
    if request.method == "DELETE":
        return Response(204, limits, b"")
    if request.method == "POST":
        said = {"by": request.headers["authorization"], "agent": request.headers["user-agent"], **json.loads(request.body)}
        return Response(201, headers, json.dumps(said).encode())
    if request.query == "page=1":
        again = f"http://{request.headers['host']}/github/issues?page=2"
        return Response(200, [("Link", f'<{again}>; rel="next"'), *headers], b'[{"number": 1}, {"number": 2}]')
    return Response(200, headers, b'[{"number": 3}]')


def _elastic() -> Handler:
    documents: dict[str, Any] = {}

    def answer(request: Request) -> Response:
        if request.headers["authorization"] != "Basic dXNlcjpwYXNz":
            return _elastic_says({"error": "who are you"}, 401)
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        lines = [json.loads(line) for line in body.splitlines()]
        _, _, index, action, identifier = (*request.target.split("/"), "", "")[:5]
        if action == "_doc" and request.method == "PUT":
            documents[identifier] = lines[0]
            return _elastic_says({"_index": index, "_id": identifier, "result": "created"}, 201)
        if action == "_doc":
            found = identifier in documents
            return _elastic_says({"_id": identifier, "found": found, "_source": documents.get(identifier)}, 200 if found else 404)
        if index == "_bulk":
            documents.update((each["index"]["_id"], source) for each, source in zip(lines[::2], lines[1::2], strict=True))
            return _elastic_says({"errors": False, "items": [{"index": {"status": 201}} for _ in lines[::2]]})
        if action == "_search":
            return _elastic_says({"hits": {"total": {"value": len(documents)}, "hits": []}})
        return _elastic_says({"tagline": "You Know, for Search", "version": {"number": "9.0.0"}})

    return answer


def _elastic_says(value: Any, status: int = 200) -> Response:
    headers = [("X-Elastic-Product", "Elasticsearch"), ("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")]
    return Response(status, headers, json.dumps(value).encode())
