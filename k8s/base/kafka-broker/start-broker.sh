#!/bin/sh
# Starts a broker, whose number is that of its pod. It formats the disk the first time.
#
# From the environment: NODE (its number), NODES (how many there are), DOMAIN (`kafka-broker-N` plus this is the name of
# node N), CLUSTER (the id of the cluster, the same for all and for ever), and RACK, which may be empty: the zone, so
# that copies of a partition are in different zones. KAFKA and DATA are folders. A node may have an address of its own
# to listen at (LISTEN).
set -eu
: "${KAFKA:=/opt/kafka}" "${DATA:=/var/lib/kafka/data}" "${LISTEN:=0.0.0.0}" "${SETTINGS:=/etc/kafka-broker/server.properties}"
: "${MADE:=/tmp/server.properties}"

voters=
number=0
while [ "$number" -lt "$NODES" ]; do
  voters=$voters${voters:+,}$number@kafka-broker-$number$DOMAIN:9093
  number=$((number + 1))
done

{
  cat "$SETTINGS"
  echo "node.id=$NODE"
  echo "controller.quorum.voters=$voters"
  echo "listeners=PLAINTEXT://$LISTEN:9092,CONTROLLER://$LISTEN:9093"
  echo "advertised.listeners=PLAINTEXT://kafka-broker-$NODE$DOMAIN:9092"
  echo "log.dirs=$DATA/log"
  [ -z "${RACK:-}" ] || echo "broker.rack=$RACK"
  if [ "$NODES" -lt 3 ]; then
    # The last of a setting counts.
    for setting in default.replication.factor min.insync.replicas offsets.topic.replication.factor \
      transaction.state.log.replication.factor transaction.state.log.min.isr \
      share.coordinator.state.topic.replication.factor share.coordinator.state.topic.min.isr; do
      echo "$setting=1"
    done
  fi
} >"$MADE"

"$KAFKA/bin/kafka-storage.sh" format --ignore-formatted --cluster-id "$CLUSTER" --config "$MADE"
exec "$KAFKA/bin/kafka-server-start.sh" "$MADE"
