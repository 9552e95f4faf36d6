#!/bin/bash
# Starts one program of the project in its container: the name of a service, or of a part of the lab.
case "$1" in
  telemetry) program=observability/server/main.ts ;;
  runtime-metrics) program=lib/lab/docker/metrics/main.ts ;;
  engine-proxy) program=lib/lab/docker/proxy/main.ts ;;
  prometheus-door) program=lib/lab/docker/door/main.ts ;;
  prometheus-rules) program=lib/lab/docker/rules/main.ts ;;
  *) program=services/$1/main.ts ;;
esac
if [ -z "$1" ] || [ ! -f "$program" ]; then
  echo "Cannot start \"$1\": the first argument must be one of $(echo $(ls services)), telemetry, runtime-metrics, engine-proxy, prometheus-door, prometheus-rules" >&2
  exit 1
fi
shift
exec bun "$program" "$@"
