#!/bin/sh
# Starts a sentinel. It learns the primary from the other sentinels; while none answers, it is node 0.
#
# From the environment: ME (its own name), DOMAIN, SENTINELS and REDIS_PASSWORD as in start-redis.sh, and QUORUM (how
# many sentinels must agree that the primary is gone).
set -eu
: "${LISTEN:=*}" "${FOLDER:=/tmp}"

primary=
export REDISCLI_AUTH="${REDIS_PASSWORD:-}"
[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
for sentinel in $SENTINELS; do
  primary=$(timeout 3 redis-cli -h "$sentinel" -p 26379 --raw sentinel get-master-addr-by-name rookery 2>/dev/null | head -n 1) || primary=
  case $primary in
    redis-*"$DOMAIN") break ;;
    *) primary= ;;
  esac
done
[ -n "$primary" ] || primary=redis-0$DOMAIN

umask 077
{
  echo "bind $LISTEN"
  echo 'port 26379'
  echo 'protected-mode no'
  echo "dir $FOLDER"
  # Pods change their addresses and keep their names.
  echo 'sentinel resolve-hostnames yes'
  echo 'sentinel announce-hostnames yes'
  echo "sentinel announce-ip $ME"
  echo "sentinel monitor rookery $primary 6379 $QUORUM"
  echo 'sentinel down-after-milliseconds rookery 5000'
  echo 'sentinel failover-timeout rookery 15000'
  echo 'sentinel parallel-syncs rookery 1'
  if [ -n "${REDIS_PASSWORD:-}" ]; then
    echo "sentinel auth-pass rookery \"$REDIS_PASSWORD\""
    echo "requirepass \"$REDIS_PASSWORD\""
  fi
} >"$FOLDER/sentinel.conf"
unset REDISCLI_AUTH REDIS_PASSWORD
exec redis-sentinel "$FOLDER/sentinel.conf"
