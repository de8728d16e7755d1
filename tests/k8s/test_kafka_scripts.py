"""The start script and the check of k8s/base/kafka-broker, with three real brokers that restart one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from scripts.lib.servers.process import Process
from tests.support.kafka_tools import make_kafka_home
from tests.support.named_hosts import NamedHosts, wait_until

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.production]
FOLDER = Path(__file__).resolve().parents[2] / "k8s/base/kafka-broker"
DOMAIN = ".kafka-broker.rookery"
NAMES = {f"kafka-broker-{number}{DOMAIN}": f"127.0.42.{number + 1}" for number in range(3)}
BOOTSTRAP = ",".join(f"{name}:9092" for name in NAMES)


class Brokers:
    """Three brokers by the names of their pods, and Kafka's own tools."""

    def __init__(self, folder: Path, hosts: NamedHosts, home: Path) -> None:
        self._hosts = hosts
        self._home = home
        self._folder = folder
        self.processes = [self._make_process(number) for number in range(3)]

    def run(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """One of Kafka's tools, to its end."""
        command = self._hosts.wrap(str(self._home / "bin" / program), *arguments)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=600)

    def is_in_sync(self, number: int) -> bool:
        """What the start-up probe of a pod asks."""
        command = self._hosts.wrap("sh", str(FOLDER / "check-in-sync.sh"))
        environment = {**os.environ, **self._make_environment(number)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
        return done.returncode == 0

    def _make_environment(self, number: int) -> dict[str, str]:
        return {"KAFKA": str(self._home), "NODE": str(number), "NODES": "3", "DOMAIN": DOMAIN}

    def _make_process(self, number: int) -> Process:
        folder = self._folder / f"kafka-broker-{number}"
        folder.mkdir()
        return self._hosts.make_process(
            folder,
            ["sh", str(FOLDER / "start-broker.sh")],
            lambda: self.is_in_sync(number),
            **self._make_environment(number),
            CLUSTER="cm9va2VyeS1rYWZrYS1rOA",
            RACK=f"zone-{number}",
            LISTEN=NAMES[f"kafka-broker-{number}{DOMAIN}"],
            SETTINGS=str(FOLDER / "server.properties"),
            DATA=str(folder / "data"),
            MADE=str(folder / "server.properties"),
            KAFKA_HEAP_OPTS="-Xmx384m",
        )


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    """All three, in sync."""
    home = make_kafka_home(tmp_path / "home")
    found = Brokers(tmp_path, NamedHosts(tmp_path, NAMES), home)
    with ExitStack() as stack:
        for process in found.processes:
            stack.callback(process.stop)
            process.launch()
        for process in found.processes:
            process.await_ready()
        yield found


def has_ended(process: Process) -> bool:
    return process.pid() is None


def test_a_rolling_restart_loses_nothing_and_each_broker_waits_for_the_one_before(brokers: Brokers) -> None:
    create = ("--bootstrap-server", BOOTSTRAP, "--create", "--topic", "t", "--partitions", "6")
    assert brokers.run("kafka-topics.sh", *create).returncode == 0
    described = brokers.run("kafka-topics.sh", "--bootstrap-server", BOOTSTRAP, "--describe", "--topic", "t").stdout
    assert "ReplicationFactor: 3" in described
    assert "min.insync.replicas=2" in described

    sent = 0
    for number in (2, 1, 0):  # the order of a StatefulSet
        process = brokers.processes[number]
        pid = process.pid()
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        wait_until(partial(has_ended, process), 120)
        lines = "".join(f"record {sent + each}\n" for each in range(500))
        options = ("--producer-property", "acks=all", "--producer-property", "delivery.timeout.ms=120000")
        produced = brokers.run(
            "kafka-console-producer.sh", "--bootstrap-server", BOOTSTRAP, "--topic", "t", *options, text=lines
        )
        assert produced.returncode == 0, produced.stderr
        assert "ERROR" not in produced.stderr
        sent += 500
        process.launch()
        process.await_ready()
        assert brokers.is_in_sync(number)
    offsets = brokers.run("kafka-get-offsets.sh", "--bootstrap-server", BOOTSTRAP, "--topic", "t").stdout
    assert sum(int(line.rpartition(":")[2]) for line in offsets.split()) == sent


def test_a_broker_that_is_behind_is_not_ready(brokers: Brokers, tmp_path: Path) -> None:
    tool = tmp_path / "home/bin/kafka-topics.sh"
    tool.write_text("#!/bin/sh\nprintf '\\tTopic: t\\tPartition: 0\\tLeader: 1\\tReplicas: 2,1,0\\tIsr: 1,0\\n'\n")
    assert not brokers.is_in_sync(2)
    assert brokers.is_in_sync(1)
    tool.write_text("#!/bin/sh\nexit 1\n")
    assert not brokers.is_in_sync(1)
