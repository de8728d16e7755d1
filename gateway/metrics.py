"""The edge's figures for Prometheus, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.edge import Edge


class EdgeCollector(Collector):
    """Reads an edge's counters and tables."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        yield from self._gauges()
        yield from self._counters()

    def _gauges(self) -> Iterator[Metric]:
        edge = self._edge
        hub = edge.hub.statistics()
        yield GaugeMetricFamily("rookery_edge_sessions", "Open sessions, authenticated or not", len(edge.sessions))
        yield GaugeMetricFamily("rookery_edge_handshakes", "Half-open handshakes", len(edge.openings))
        yield GaugeMetricFamily("rookery_edge_users", "Users with a session here", len(edge.people.persons))
        yield GaugeMetricFamily("rookery_edge_topics", "Relay channels listened to", hub.channels)
        yield GaugeMetricFamily("rookery_edge_subscriptions", "Sessions in channels", hub.members)
        queued = sum(session.connection.queued for session in edge.sessions)
        yield GaugeMetricFamily("rookery_edge_outbox_bytes", "Bytes queued for peers that do not read", queued)

    def _counters(self) -> Iterator[Metric]:
        counters = self._edge.counters
        for name, text, value in (
            ("connections", "Connections accepted", counters.connections),
            ("handshakes_refused", "Handshakes answered with an error", counters.refused),
            ("handshake_timeouts", "Handshakes that took too long", counters.handshake_timeouts),
            ("commands", "Commands read", counters.commands),
            ("accepted", "Records that the log acknowledged", counters.accepted),
            ("deliveries", "Frames fanned out to sessions", counters.deliveries),
            ("live_dropped", "Live copies dropped under overload (history has them)", counters.live_dropped),
            ("too_slow", "Sessions closed because the client did not read", counters.too_slow),
            ("vanished", "Sessions whose peer gave no sign of life", counters.vanished),
            ("turns", "Turns of the multiplexer", self._edge.mux.statistics().turns),
        ):
            yield CounterMetricFamily(f"rookery_edge_{name}", text, value)
        closed = CounterMetricFamily("rookery_edge_closed", "Sessions closed by the server", labels=["code"])
        for code, count in sorted(counters.closed.items()):
            closed.add_metric([str(code)], count)
        yield closed
