#!/bin/sh
# Starts a node of Redis: as the primary if the sentinels say that it is, else as a replica of the one that they name.
#
# While no sentinel answers, as at the very first start, node 0 is the primary. Nothing is kept on a disk, because
# nothing in it has to survive. From the environment: NODE (its number), DOMAIN (`redis-N` plus this is the name of node
# N), SENTINELS (their names; none if there are none), and REDIS_PASSWORD, which may be empty. LISTEN is an address of
# its own to listen at.
set -eu
: "${LISTEN:=*}" "${MADE:=/tmp/redis.conf}" "${SENTINELS:=}"
me=redis-$NODE$DOMAIN

ask() {
  timeout 3 redis-cli -h "$1" -p 26379 --raw sentinel get-master-addr-by-name rookery 2>/dev/null | head -n 1
}

primary=
export REDISCLI_AUTH="${REDIS_PASSWORD:-}"
[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
for sentinel in $SENTINELS; do
  primary=$(ask "$sentinel") || primary=
  # An answer that is no name of ours is an error in words.
  case $primary in
    redis-*"$DOMAIN") break ;;
    *) primary= ;;
  esac
done
[ -n "$primary" ] || primary=redis-0$DOMAIN

umask 077
{
  echo "bind $LISTEN"
  echo 'port 6379'
  echo 'protected-mode no'
  echo 'save ""'
  echo 'appendonly no'
  echo "dir ${DATA:-/tmp}"
  echo "maxmemory ${MAXMEMORY:-512mb}"
  echo 'maxmemory-policy noeviction'
  echo "replica-announce-ip $me"
  # A primary that lost all of its replicas takes no writes: the sentinels have chosen another one, which it cannot see.
  [ -z "$SENTINELS" ] || echo 'min-replicas-to-write 1'
  [ -z "$SENTINELS" ] || echo 'min-replicas-max-lag 10'
  if [ -n "${REDIS_PASSWORD:-}" ]; then
    echo "requirepass \"$REDIS_PASSWORD\""
    echo "masterauth \"$REDIS_PASSWORD\""
  fi
  [ "$primary" = "$me" ] || echo "replicaof $primary 6379"
} >"$MADE"
unset REDISCLI_AUTH REDIS_PASSWORD
exec redis-server "$MADE"
