"""A collector of traces on loopback: OTLP over HTTP, as an OpenTelemetry collector takes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """A span that came; ids in hexadecimal, `parent` empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]


class Collector:
    """What came so far, and where it comes."""

    def __init__(self, port: int, spans: list[Seen]) -> None:
        self.endpoint = f"http://127.0.0.1:{port}/v1/traces"
        self.spans = spans

    def traces(self) -> dict[str, list[Seen]]:
        """The spans of each trace."""
        found: dict[str, list[Seen]] = {}
        for span in list(self.spans):
            found.setdefault(span.trace, []).append(span)
        return found

    def text(self) -> str:
        """All names and attributes, to look for secrets in."""
        return "\n".join(f"{span.name} {span.attributes}" for span in self.spans)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector, for the time of the context."""
    spans: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            spans.extend(_read_spans(body, self.headers.get("Content-Encoding", "")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Collector(server.server_port, spans)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read_spans(body: bytes, encoding: str) -> Iterator[Seen]:
    assert encoding == "", encoding
    request = ExportTraceServiceRequest.FromString(body)
    for group in request.resource_spans:
        resource = {each.key: each.value.string_value for each in group.resource.attributes}
        for scope in group.scope_spans:
            for span in scope.spans:
                attributes = {each.key: str(each.value).strip() for each in span.attributes}
                yield Seen(
                    resource["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    attributes,
                )
