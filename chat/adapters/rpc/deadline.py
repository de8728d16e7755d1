"""The deadline of the call that a task serves, for the calls that it makes in turn."""

from __future__ import annotations

import math
from contextvars import ContextVar

served_until: ContextVar[float] = ContextVar("rookery_served_until", default=math.inf)
"""On the clock of the event loop."""
