"""Kafka: the real broker, from Maven Central, without ZooKeeper; one node, or three of them.

Each node is broker and controller. The settings are those of a small machine: little memory, few partitions for
Kafka's own topics, and a broker that died is noticed, and comes back, within seconds.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import answers, ports, run, say

VERSION = "4.4.0"
_CLUSTER = "cm9va2VyeS1zZXJ2ZXJzMQ"  # any base64 name of 16 bytes
_WHAT = "needs Kafka: a Java of at least version 17, and Maven with access to its central repository"
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rookery</groupId>
  <artifactId>servers</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{version}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.5</version>
      <scope>runtime</scope>
    </dependency>
  </dependencies>
</project>
"""
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
logger.started.name = kafka.server.KafkaRaftServer
logger.started.level = info
"""
_SETTINGS = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
"""


def processes(folder: Path, tools: Path, nodes: int) -> list[Process]:
    """The nodes of one cluster."""
    library = _library(tools)
    numbers = ports(folder, 2 * nodes)
    voters = ",".join(f"{node}@127.0.0.1:{numbers[2 * node - 1]}" for node in range(1, nodes + 1))
    made = []
    for node in range(1, nodes + 1):
        port, controller = numbers[2 * node - 2 : 2 * node]
        place = folder / str(node)
        settings = _SETTINGS.format(
            node=node,
            voters=voters,
            port=port,
            controller=controller,
            data=place / "data",
            copies=nodes,
            in_sync=min(2, nodes),
        )
        made.append(_process(place, library, settings, port))
    return made


def url(folder: Path, nodes: int) -> str:
    """The brokers to begin with."""
    return ",".join(f"127.0.0.1:{port}" for port in ports(folder, 2 * nodes)[::2])


def _process(place: Path, library: Path, settings: str, port: int) -> Process:
    jars = f"{library}/*"
    memory = "-Xmx384m"

    def prepare() -> None:
        (place / "server.properties").write_text(settings)
        (place / "log4j2.properties").write_text(_LOGGING)
        if not (place / "data" / "meta.properties").exists():
            format_storage = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", "server.properties"]
            command = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-cp", jars, *format_storage]
            run(["sh", "-c", 'cd "$0" && exec "$@"', str(place), *command], _WHAT)

    def ready() -> bool:
        return "Kafka Server started" in (place / "log").read_text(errors="replace") and answers(
            port, _api_versions(), b"\0\0\0\x2a"
        )

    return Process(
        folder=place,
        command=[
            "java",
            memory,
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dlog4j2.configurationFile=log4j2.properties",
            "-cp",
            jars,
            "kafka.Kafka",
            "server.properties",
        ],
        ready=ready,
        start_seconds=180.0,
        prepare=prepare,
    )


def _api_versions() -> bytes:
    """An ApiVersions request of version 0, whose answer repeats the correlation id 42."""
    request = b"\0\x12\0\0" + b"\0\0\0\x2a" + b"\xff\xff"
    return len(request).to_bytes(4, "big") + request


def _library(tools: Path) -> Path:
    """The folder of the broker's jars; fetched when it is missing."""
    folder = tools / "kafka"
    library = folder / f"lib-{VERSION}"
    if shutil.which("java") is None:
        raise Needs(f"{_WHAT}; there is no `java`")
    if library.exists():
        return library
    if shutil.which("mvn") is None:
        raise Needs(f"{_WHAT}; there is no `mvn`")
    say("fetching Kafka with Maven")
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    pom = folder / "pom.xml"
    pom.write_text(_POM.format(version=VERSION))
    command = ["mvn", "-B", "-q", "-f", str(pom), _COPY, f"-DoutputDirectory={unfinished}", "-DincludeScope=runtime"]
    run(command, _WHAT)
    os.replace(unfinished, library)
    return library
