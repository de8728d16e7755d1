"""What the Grafana dashboards show: titles and queries. `scripts/lib/dashboards.py` makes the files of it.

A query may use `$__rate_interval`, as in Grafana.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Query(NamedTuple):
    """`legend` is a template of Grafana, such as `{{pool}}`."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """`unit` is a name of Grafana's. `where` there is something to show: `everywhere`, in one process (`whole`), with
    roles `apart`, or only once somebody uses it (`in use`)."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    text: str = ""
    where: Literal["everywhere", "whole", "apart", "in use"] = "everywhere"


class Board(NamedTuple):
    """A dashboard: its rows, each with a title. `name` is its file and its uid."""

    name: str
    title: str
    rows: dict[str, tuple[Panel, ...]]


def rate(metric: str, by: str = "") -> str:
    """How many a second, of all processes."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "") -> str:
    """This quantile of a histogram."""
    grouping = f"{by}, le" if by else "le"
    return f"histogram_quantile({share:g}, sum by ({grouping}) (rate({metric}_bucket[$__rate_interval])))"


def mean(metric: str, by: str) -> str:
    """The mean of a histogram."""
    return f"{rate(f'{metric}_sum', by)} / {rate(f'{metric}_count', by)}"


_OF_OURS = 'code=~"unavailable|overloaded|internal"'

MESSAGES = Board(
    "messages",
    "Rookery: messages",
    {
        "Service levels": (
            Panel(
                "Messages that took longer than 0.5 s",
                (Query("rookery:delivery_slow:ratio1h", "1 hour"), Query("rookery:delivery_slow:ratio5m", "5 minutes")),
                "percentunit",
                "1 % of them may, over 30 days.",
            ),
            Panel(
                "Requests that failed by our fault",
                (Query("rookery:failed:ratio1h", "1 hour"), Query("rookery:failed:ratio5m", "5 minutes")),
                "percentunit",
                "0.1 % of them may, over 30 days.",
            ),
            Panel(
                "Dead letters",
                (Query("sum by (pool) (rookery_worker_dead_total)", "{{pool}}"),),
                text="Those of persistence are messages that were acknowledged and are not stored: none may be there.",
            ),
        ),
        "From sending to delivery": (
            Panel(
                "Delivery, median and p99",
                (
                    Query(quantile(0.5, "rookery_edge_delivery_seconds", "kind"), "{{kind}} p50"),
                    Query(quantile(0.99, "rookery_edge_delivery_seconds", "kind"), "{{kind}} p99"),
                ),
                "s",
                "From when a message was sent to when it was written to the sessions of an edge.",
            ),
            Panel(
                "Acknowledgement of the log, p99",
                (Query(quantile(0.99, "rookery_edge_produce_seconds", "topic"), "{{topic}}"),),
                "s",
            ),
            Panel(
                "Calls of the workers, p99",
                (Query(quantile(0.99, "rookery_worker_batch_seconds", "pool"), "{{pool}}"),),
                "s",
            ),
        ),
        "Traffic": (
            Panel(
                "Messages in and out",
                (
                    Query(rate("rookery_edge_accepted_total"), "records acknowledged"),
                    Query(rate("rookery_edge_deliveries_total"), "frames delivered"),
                ),
                "cps",
            ),
            Panel("Commands", (Query(rate("rookery_edge_command_seconds_count", "command"), "{{command}}"),), "cps"),
            Panel(
                "Commands, p99",
                (Query(quantile(0.99, "rookery_edge_command_seconds", "command"), "{{command}}"),),
                "s",
                "From when a command began to its answer.",
            ),
        ),
        "What fails": (
            Panel(
                "Errors of ours",
                (Query(rate(f"rookery_edge_errors_total{{{_OF_OURS}}}", "code"), "{{code}}"),),
                "cps",
            ),
            Panel(
                "Errors of users",
                (Query(rate(f"rookery_edge_errors_total{{{_OF_OURS.replace('=~', '!~')}}}", "code"), "{{code}}"),),
                "cps",
            ),
            Panel(
                "Live delivery interrupted",
                (
                    Query(rate("rookery_relay_lost_total"), "lost to a full buffer"),
                    Query(rate("rookery_edge_live_dropped_total"), "live copies dropped"),
                ),
                "cps",
                "Clients get a gap, and resume.",
            ),
        ),
    },
)

EDGES = Board(
    "edges",
    "Rookery: edges",
    {
        "Sessions": (
            Panel("Sessions", (Query("sum by (instance) (rookery_edge_sessions)", "{{instance}}"),)),
            Panel("Presence", (Query("sum by (state) (rookery_edge_present)", "{{state}}"),)),
            Panel(
                "Users and channels",
                (
                    Query("sum(rookery_edge_users)", "users"),
                    Query("sum(rookery_edge_topics)", "channels"),
                    Query("sum(rookery_edge_subscriptions)", "sessions in channels"),
                ),
            ),
        ),
        "Coming and going": (
            Panel(
                "Handshakes by result",
                (Query(rate("rookery_edge_handshakes_ended_total", "result"), "{{result}}"),),
                "cps",
            ),
            Panel("Half-open handshakes", (Query("sum by (instance) (rookery_edge_handshakes)", "{{instance}}"),)),
            Panel(
                "Sessions that the server closed",
                (Query(rate("rookery_edge_closed_total", "code"), "{{code}}"),),
                "cps",
            ),
            Panel(
                "Clients that did not read, or vanished",
                (
                    Query(rate("rookery_edge_too_slow_total"), "did not read"),
                    Query(rate("rookery_edge_vanished_total"), "vanished"),
                ),
                "cps",
            ),
        ),
        "The process": (
            Panel(
                "Loop lag, p99",
                (Query(quantile(0.99, "rookery_loop_lag_seconds", "instance"), "{{instance}}"),),
                "s",
            ),
            Panel(
                "CPU",
                (
                    Query(
                        'sum by (instance) (rate(process_cpu_seconds_total{job="rookery"}[$__rate_interval]))',
                        "{{instance}}",
                    ),
                ),
                "percentunit",
                "An event loop uses one core at most.",
            ),
            Panel(
                "Memory",
                (Query('sum by (instance) (process_resident_memory_bytes{job="rookery"})', "{{instance}}"),),
                "bytes",
            ),
            Panel("Outboxes", (Query("sum by (instance) (rookery_edge_outbox_bytes)", "{{instance}}"),), "bytes"),
        ),
    },
)

WORKERS = Board(
    "workers",
    "Rookery: workers",
    {
        "How far behind": (
            Panel("Lag", (Query("sum by (pool) (rookery_worker_lag)", "{{pool}}"),)),
            Panel("Oldest record in hand", (Query("max by (pool) (rookery_worker_oldest_seconds)", "{{pool}}"),), "s"),
            Panel("Records handled", (Query(rate("rookery_worker_handled_total", "pool"), "{{pool}}"),), "cps"),
        ),
        "Calls of the handlers": (
            Panel("Records in a call, mean", (Query(mean("rookery_worker_batch_records", "pool"), "{{pool}}"),)),
            Panel(
                "Time of a call",
                (
                    Query(quantile(0.5, "rookery_worker_batch_seconds", "pool"), "{{pool}} p50"),
                    Query(quantile(0.99, "rookery_worker_batch_seconds", "pool"), "{{pool}} p99"),
                ),
                "s",
            ),
            Panel("Attempts repeated", (Query(rate("rookery_worker_retried_total", "pool"), "{{pool}}"),), "cps"),
        ),
        "Notifications": (
            Panel(
                "What became of notifications",
                (Query(rate("rookery_notifications_total", "outcome"), "{{outcome}}"),),
                "cps",
                where="whole",
            ),
            Panel(
                "How late the oldest was",
                (Query("max(rookery_notifications_late_seconds)", "overdue"),),
                "s",
                where="whole",
            ),
            Panel(
                "Pushes",
                (Query(rate("rookery_push_sent_total", "service, outcome"), "{{service}} {{outcome}}"),),
                "cps",
                where="in use",
            ),
            Panel("Mails", (Query(rate("rookery_mails_total", "outcome"), "{{outcome}}"),), "cps", where="whole"),
        ),
        "Moderation": (
            Panel("Verdicts", (Query(rate("rookery_moderation_verdicts_total", "verdict"), "{{verdict}}"),), "cps"),
        ),
    },
)

SERVICES = Board(
    "services",
    "Rookery: services and engines",
    {
        "REST": (
            Panel("Requests by status", (Query(rate("rookery_http_requests_total", "status"), "{{status}}"),), "reqps"),
            Panel(
                "Requests by route",
                (Query(rate("rookery_http_requests_total", "method, route"), "{{method}} {{route}}"),),
                "reqps",
            ),
            Panel(
                "Time to answer, p99",
                (Query(quantile(0.99, "rookery_http_request_seconds", "method, route"), "{{method}} {{route}}"),),
                "s",
            ),
        ),
        "gRPC": (
            Panel(
                "Calls by status",
                (Query(rate("rookery_rpc_client_calls_total", "method, status"), "{{method}} {{status}}"),),
                "reqps",
                where="apart",
            ),
            Panel(
                "Time of a call, p99",
                (Query(quantile(0.99, "rookery_rpc_client_seconds", "method"), "{{method}}"),),
                "s",
                where="apart",
            ),
            Panel(
                "Calls and streams under way",
                (Query("sum by (instance) (rookery_rpc_server_open)", "{{instance}}"),),
                where="apart",
            ),
        ),
        "Engines": (
            Panel("Records that wait for the log", (Query("sum by (instance) (rookery_log_pending)", "{{instance}}"),)),
            Panel(
                "Records of the log",
                (
                    Query(rate("rookery_log_acknowledged_total"), "acknowledged"),
                    Query(f"{rate('rookery_log_failed_total')} or vector(0)", "failed"),
                ),
                "cps",
            ),
            Panel("Publications", (Query(rate("rookery_relay_published_total"), "publications"),), "cps"),
            Panel(
                "Interruptions of the relay",
                (Query(rate("rookery_relay_interruptions_total", "instance"), "{{instance}}"),),
                "cps",
                where="apart",
            ),
        ),
        "Processes": (
            Panel("What runs", (Query("count by (role, version) (rookery_build_info)", "{{role}} {{version}}"),)),
            Panel(
                "File descriptors",
                (Query('process_open_fds{job="rookery"} / process_max_fds{job="rookery"}', "{{instance}}"),),
                "percentunit",
            ),
            Panel(
                "Log lines dropped", (Query(rate("rookery_stderr_dropped_total", "instance"), "{{instance}}"),), "cps"
            ),
        ),
    },
)

BOARDS = (MESSAGES, EDGES, WORKERS, SERVICES)
