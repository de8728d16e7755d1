"""The edge's metrics for Prometheus, read from counters and tables at each scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.node import Node


class EdgeCollector(Collector):
    """Reads a node's counters and tables."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now (`Collector` of the Prometheus client)."""
        yield from self._collect_gauges()
        yield from self._collect_counters()

    def _collect_gauges(self) -> Iterator[Metric]:
        node = self._node
        hub = node.hub.statistics()
        sessions = node.registry.sessions
        yield GaugeMetricFamily("rookery_edge_sessions", "Open sessions, authenticated or not", len(sessions))
        yield GaugeMetricFamily("rookery_edge_handshakes", "Half-open handshakes", len(node.registry.openings))
        yield GaugeMetricFamily("rookery_edge_users", "Users with a session here", len(node.users.users))
        yield GaugeMetricFamily("rookery_edge_topics", "Relay channels listened to", hub.channels)
        yield GaugeMetricFamily("rookery_edge_subscriptions", "Sessions in channels", hub.members)
        queued = sum(session.connection.queued_bytes for session in sessions)
        yield GaugeMetricFamily("rookery_edge_outbox_bytes", "Bytes queued for peers that do not read", queued)

    def _collect_counters(self) -> Iterator[Metric]:
        counters = self._node.counters
        for name, text, value in (
            ("connections", "Connections accepted", counters.connections),
            ("handshakes_refused", "Handshakes answered with an error", counters.refused),
            ("handshake_timeouts", "Handshakes that took too long", counters.handshake_timeouts),
            ("commands", "Commands read", counters.commands),
            ("accepted", "Records that the log acknowledged", counters.accepted),
            ("deliveries", "Frames fanned out to sessions", counters.deliveries),
            ("live_dropped", "Live copies dropped under overload (history has them)", counters.live_dropped),
            ("too_slow", "Sessions closed because the client did not read", counters.too_slow),
            ("vanished", "Sessions whose peer was silent for two intervals", counters.vanished),
            ("turns", "Turns of the multiplexer", self._node.mux.statistics().turns),
        ):
            yield CounterMetricFamily(f"rookery_edge_{name}", text, value)
        closed = CounterMetricFamily("rookery_edge_closed", "Sessions closed by the server", labels=["code"])
        for code, count in sorted(counters.closed.items()):
            closed.add_metric([str(code)], count)
        yield closed
