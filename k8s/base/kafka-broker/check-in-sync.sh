#!/bin/sh
# Succeeds when this broker has caught up: no partition lists it among its replicas and not among those in sync.
#
# The start-up probe asks this, so a rolling restart waits for each broker to catch up before the next one ends, and no
# partition ever has fewer than two copies in sync. It starts a Java machine, so it is no probe to be asked for ever.
set -eu
: "${KAFKA:=/opt/kafka}"
behind=$("$KAFKA/bin/kafka-topics.sh" --bootstrap-server "kafka-broker-$NODE$DOMAIN:9092" --describe --under-replicated-partitions)
printf '%s\n' "$behind" | awk -v node="$NODE" '
  function has(list, parts, count, at) {
    count = split(list, parts, ",")
    for (at = 1; at <= count; at++) if (parts[at] == node) return 1
    return 0
  }
  {
    replicas = in_sync = ""
    for (at = 1; at < NF; at++) {
      if ($at == "Replicas:") replicas = $(at + 1)
      if ($at == "Isr:") in_sync = $(at + 1)
    }
    if (has(replicas) && !has(in_sync)) { print "is behind: " $0; bad = 1 }
  }
  END { exit bad }'
