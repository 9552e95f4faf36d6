# One image for every program of the project; the first argument says which: a service, `telemetry`,
# `runtime-metrics`, `engine-proxy`, `prometheus-door` or `prometheus-rules`.
ARG BUN_VERSION=1.4.5

FROM oven/bun:${BUN_VERSION} AS packages
WORKDIR /app
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile --production --ignore-scripts \
  && rm -rf node_modules/@types node_modules/.cache

FROM debian:bookworm-slim
# The package that Debian 12 has; another version of the library is another ABI.
ARG DDS_VERSION=0.10.2
RUN apt-get update \
  && apt-get install -y --no-install-recommends "libddsc0debian=${DDS_VERSION}*" \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10100 --home-dir /nonexistent --shell /usr/sbin/nologin cms \
  && install -d -o cms -g cms /data /data/telemetry /data/rules
COPY --from=packages /usr/local/bin/bun /usr/local/bin/bun
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY . .
USER cms
ENV BUN_RUNTIME_TRANSPILER_CACHE_PATH=0 \
  DO_NOT_TRACK=1
ENTRYPOINT ["/bin/bash", "lib/lab/docker/entrypoint.sh"]
# An engine reads health from the running program: every one of them answers /healthz on HEALTH_PORT.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/bin/bash", "lib/lab/docker/health.sh"]
