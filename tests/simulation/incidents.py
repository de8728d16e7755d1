"""Incidents that happen to the cluster, at the times of the plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from tests.simulation.cluster import Cluster, Node
from tests.simulation.link import Link


class Incidents:
    """Carries out the incidents of a plan. Each picks its target from what runs at that time."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rng = cluster.rng
        self._vanished: list[Link] = []
        self._acts: dict[str, Callable[[], Awaitable[None]]] = {
            "kill an edge": self._kill_edge,
            "kill a pool": self._kill_pool,
            "drain an edge": self._drain_edge,
            "stop a pool": self._stop_pool,
            "expel a pool": self._expel_pool,
            "expel every pool": self._expel_pools,
            "stall a pool": self._stall_pool,
            "stall and expel a pool": self._stall_and_expel_pool,
            "stall an edge": self._stall_edge,
            "break an edge's relay": self._break_relay,
            "restart the relay": self._restart_relay,
            "cut a client": self._cut_client,
            "cut every client": self._cut_every_client,
            "make a client vanish": self._make_client_vanish,
            "stall a client": self._stall_client,
            "change a right": self._change_right,
        }

    async def run(self, incidents: Sequence[tuple[float, str]]) -> None:
        """Carry out all incidents of a round; they may overlap. Returns when all are over."""
        begin = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for time, name in incidents:
                await anyio.sleep_until(begin + time)
                tasks.start_soon(self._carry_out, name)

    async def _carry_out(self, name: str) -> None:
        await self._acts[name]()

    def _pick_node(self, nodes: list[Node]) -> Node | None:
        return self._rng.choice(nodes) if nodes else None

    def _draw_seconds(self) -> float:
        return 3.0 * self._rng.random() ** 2

    async def _kill_edge(self) -> None:
        if node := self._pick_node(self._cluster.edges):
            node.process.kill("out of the blue")

    async def _kill_pool(self) -> None:
        if node := self._pick_node(self._cluster.pools):
            node.process.kill("out of the blue")

    async def _drain_edge(self) -> None:
        node = self._pick_node(self._cluster.edges)
        if node is not None and node.edge is not None:
            node.process.drain()
            node.serving = self._rng.random() < 0.5  # perhaps the balancer does not know yet
            await node.edge.drain()

    async def _stop_pool(self) -> None:
        if node := self._pick_node(self._cluster.pools):
            node.process.tell("is stopped")
            node.process.scope.cancel()

    async def _expel_pool(self) -> None:
        if node := self._pick_node(self._cluster.pools):
            for consumer in node.log.consumers:
                await consumer.expel()

    async def _expel_pools(self) -> None:
        pools = self._cluster.pools
        self._rng.shuffle(pools)
        for node in pools:
            for consumer in node.log.consumers:
                await consumer.expel()

    async def _stall_pool(self) -> None:
        if node := self._pick_node(self._cluster.pools):
            node.process.stall(self._draw_seconds())

    async def _stall_and_expel_pool(self) -> None:
        if node := self._pick_node(self._cluster.pools):
            node.process.stall(1.0 + 2 * self._draw_seconds())
            for consumer in node.log.consumers:
                await consumer.expel()

    async def _stall_edge(self) -> None:
        if node := self._pick_node(self._cluster.edges):
            node.process.stall(self._draw_seconds())

    async def _break_relay(self) -> None:
        if node := self._pick_node(self._cluster.edges):
            seconds = self._draw_seconds()
            node.process.tell(f"has no relay for {seconds:.1f} s")
            await self._cluster.interrupt(node.relay.listeners, seconds)

    async def _restart_relay(self) -> None:
        seconds = self._draw_seconds()
        self._cluster.story.tell("relay", f"restarts, and is away for {seconds:.1f} s")
        await self._cluster.restart_relay(seconds)

    async def _cut_client(self) -> None:
        self._rng.choice(self._cluster.clients).cut_connection()

    async def _cut_every_client(self) -> None:
        for client in self._cluster.clients:
            client.cut_connection()

    async def _make_client_vanish(self) -> None:
        if link := self._rng.choice(self._cluster.clients).cut_connection(silently=True):
            self._vanished.append(link)

    async def _change_right(self) -> None:
        cluster = self._cluster
        if cluster.faults.lossy:
            return  # a relay that loses without a word may lose this, too
        room = self._rng.choice(list(cluster.clients[0].rooms))
        users = {user.id: user for user in cluster.plan.people if user != cluster.moderator.owner}
        kind = self._rng.choice(("ban", "kick", "reader", "member"))
        cluster.tasks.start_soon(
            cluster.moderator.change_membership, room, self._rng.choice(list(users.values())), kind
        )

    async def _stall_client(self) -> None:
        self._rng.choice(self._cluster.clients).stop_reading(1.0 + 3 * self._draw_seconds())
