#!/bin/sh
# Starts a member of the replica set rs0.
#
# With a key file (KEY_FILE) the members authenticate each other by it, and everybody else needs a user. mongod refuses a
# key that its group may read, as files of Secrets are, so it gets a copy that only it may read.
set -eu
: "${DATA:=/data/db}" "${MEMORY_GB:=0.5}" "${KEY_FILE:=}"

set -- --replSet rs0 --bind_ip_all --dbpath "$DATA" --wiredTigerCacheSizeGB "$MEMORY_GB" --nounixsocket
if [ -n "$KEY_FILE" ]; then
  umask 077
  cat "$KEY_FILE" >/tmp/key
  chmod 400 /tmp/key
  set -- "$@" --keyFile /tmp/key
fi
exec mongod "$@"
