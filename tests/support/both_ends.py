"""The scheduler that hands files of tests out as `scheduling` says. It alone needs xdist."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling


class BothEnds(LoadFileScheduling):  # type: ignore[misc] # xdist says nothing of its types
    """Hands files out from both ends of the row."""

    def _assign_work_unit(self, node: object) -> None:
        if list(self.assigned_work).index(node) % 2:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
