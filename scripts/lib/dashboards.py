"""Makes the JSON of the Grafana dashboards from `scripts/lib/panels.py`, with Grafana's own types."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from scripts.lib.panels import Board, Panel

_COLUMNS = 24
_HEIGHT = 8
_SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")


def make_dashboard(board: Board) -> str:
    """The JSON of a dashboard. Its data source is a variable, so it fits any Grafana."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(f"rookery-{board.name}")
        .tags(["rookery"])
        .refresh("30s")
        .time("now-1h", "now")
        .readonly()
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    for title, panels in board.rows.items():
        made = made.with_row(dashboard.Row(title))
        for panel in panels:
            made = made.with_panel(_make_panel(panel, _COLUMNS // len(panels)))
    return JSONEncoder(sort_keys=True).encode(made.build()) + "\n"


def _make_panel(panel: Panel, columns: int) -> timeseries.Panel:
    made = timeseries.Panel().title(panel.title).unit(panel.unit).min(0).height(_HEIGHT).span(columns)
    made = made.datasource(_SOURCE)
    if panel.text:
        made = made.description(panel.text)
    for index, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(ord("A") + index))
        made = made.with_target(target)
    return made
