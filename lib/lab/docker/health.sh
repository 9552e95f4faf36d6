#!/bin/bash
# Exit code 0 when the container's program answers HTTP at HEALTH_PORT. The shell asks by itself: starting a
# runtime for each question would take more processor time than the services do.
exec 3<>"/dev/tcp/127.0.0.1/${HEALTH_PORT:?must be the port to ask}" || exit 1
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "${HEALTH_PATH:-/healthz}" >&3
IFS= read -r -t 4 status <&3
[[ "$status" == *" 200"* ]]
