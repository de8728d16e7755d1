"""Kafka's own command line, from Maven: a folder as its distribution has it, with the scripts that tests call."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.lib.servers import kafka
from scripts.lib.servers.__main__ import TOOLS
from scripts.lib.servers.process import Needs
from scripts.lib.servers.tools import run

PROGRAMS = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-server-start.sh": "kafka.Kafka",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
}
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rookery</groupId>
  <artifactId>kafka-tools</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_PROGRAM = """#!/bin/sh
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${{KAFKA_HEAP_OPTS:--Xmx256m}} -cp '{server}/*:{tools}/*' {name} "$@"
"""


def make_kafka_home(folder: Path) -> Path:
    """The folder, with `bin`. Skips where Java or Maven's repository cannot be had."""
    try:
        kafka.processes(folder / "unused", TOOLS, 1)
        tools = _fetch_tools()
    except Needs as missing:
        pytest.skip(str(missing).splitlines()[0])
    programs = folder / "bin"
    programs.mkdir(parents=True)
    server = TOOLS / "kafka" / f"lib-{kafka.VERSION}"
    for program, name in PROGRAMS.items():
        (programs / program).write_text(_PROGRAM.format(server=server, tools=tools, name=name))
        (programs / program).chmod(0o755)
    return folder


def _fetch_tools() -> Path:
    library = TOOLS / "kafka" / f"tools-{kafka.VERSION}"
    if not library.exists():
        unfinished = TOOLS / "kafka" / "unfinished-tools"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        (unfinished / "pom.xml").write_text(_POM.format(version=kafka.VERSION))
        command = ["mvn", "-B", "-q", "-f", str(unfinished / "pom.xml"), _COPY, f"-DoutputDirectory={unfinished}"]
        run([*command, "-DincludeScope=runtime"], "needs Maven with access to its central repository")
        unfinished.rename(library)
    return library
