"""The edge's metrics for Prometheus, read from counters and tables at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.domain.models import PresenceState
from chat.histograms import make_histogram_family
from gateway.node import Node
from gateway.phase import LIVE


class EdgeCollector(Collector):
    """Reads a node's counters and tables."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now (`Collector` of the Prometheus client)."""
        yield from self._collect_gauges()
        yield from self._collect_counters()
        yield from self._collect_labelled()
        yield from self._collect_histograms()

    def _collect_gauges(self) -> Iterator[Metric]:
        node = self._node
        hub = node.hub.statistics()
        sessions = node.registry.sessions
        yield GaugeMetricFamily("rookery_edge_sessions", "Open sessions, authenticated or not", len(sessions))
        yield GaugeMetricFamily("rookery_edge_handshakes", "Half-open handshakes", len(node.registry.openings))
        yield GaugeMetricFamily("rookery_edge_users", "Users with a session here", len(node.users.users))
        yield GaugeMetricFamily("rookery_edge_topics", "Relay channels listened to", hub.channels)
        yield GaugeMetricFamily("rookery_edge_subscriptions", "Sessions in channels", hub.members)
        draining = float(node.registry.draining)
        yield GaugeMetricFamily("rookery_edge_draining", "1 while the edge sends its clients away", draining)
        queued = 0
        present: Counter[PresenceState] = Counter()
        for session in sessions:
            queued += session.connection.queued_bytes
            if session.phase is LIVE:
                present[session.state] += 1
        yield GaugeMetricFamily("rookery_edge_outbox_bytes", "Bytes queued for peers that do not read", queued)
        states = GaugeMetricFamily(
            "rookery_edge_present", "Authenticated sessions, by what they show", labels=["state"]
        )
        for state in (PresenceState.ONLINE, PresenceState.AWAY):
            states.add_metric([state.value], present[state])
        yield states

    def _collect_counters(self) -> Iterator[Metric]:
        counters = self._node.counters
        for name, text, value in (
            ("connections", "Connections accepted", counters.connections),
            ("commands", "Commands read", counters.commands),
            ("accepted", "Records that the log acknowledged", counters.accepted),
            ("deliveries", "Frames fanned out to sessions", counters.deliveries),
            ("live_dropped", "Live copies dropped under overload (history has them)", counters.live_dropped),
            ("too_slow", "Sessions closed because the client did not read", counters.too_slow),
            ("vanished", "Sessions whose peer was silent for two intervals", counters.vanished),
            ("turns", "Turns of the multiplexer", self._node.mux.statistics().turns),
        ):
            yield CounterMetricFamily(f"rookery_edge_{name}", text, value)

    def _collect_labelled(self) -> Iterator[Metric]:
        counters = self._node.counters
        closed = {str(code): count for code, count in counters.closed.items()}
        for name, text, label, counts in (
            ("closed", "Sessions closed by the server", "code", closed),
            ("handshakes_ended", "Handshakes that ended", "result", counters.handshakes),
            ("errors", "Commands answered with an error", "code", counters.errors),
        ):
            family = CounterMetricFamily(f"rookery_edge_{name}", text, labels=[label])
            for value, count in sorted(counts.items()):
                family.add_metric([value], count)
            yield family

    def _collect_histograms(self) -> Iterator[Metric]:
        counters = self._node.counters
        text = "Seconds from when a command began to its answer; of a record, to the log's acknowledgement"
        yield make_histogram_family("rookery_edge_command_seconds", text, "command", counters.command_seconds)
        text = "Seconds from handing a record to the log to its acknowledgement"
        yield make_histogram_family("rookery_edge_produce_seconds", text, "topic", counters.produce_seconds)
        text = "Seconds from when a message was sent to when it was written to the sessions of this edge"
        yield make_histogram_family("rookery_edge_delivery_seconds", text, "kind", counters.delivery_seconds)
