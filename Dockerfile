# The image of the operator: one Node binary, the bundle, nothing else (no shell, no package manager).
# For a build that is the same on every day, give the base by digest: --build-arg NODE_IMAGE=node@sha256:…
ARG NODE_IMAGE=node:24.21.0-alpine

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Scripts of packages only fetch a Node that this image has already.
RUN npm ci --ignore-scripts --no-fund --no-audit
COPY tsconfig.json ./
COPY src ./src
RUN node src/build.ts
# What the node binary needs to start, and where the mirrors of repositories are mounted.
RUN mkdir -p /image/lib /image/usr/lib /image/usr/local/bin /image/var/cache/plumbline \
  && cp -L /lib/ld-musl-*.so.1 /image/lib/ \
  && cp -L /usr/lib/libstdc++.so.6 /usr/lib/libgcc_s.so.1 /image/usr/lib/ \
  && cp -L /usr/local/bin/node /image/usr/local/bin/ \
  && cp -r dist /image/app \
  && chown 65532:65532 /image/var/cache/plumbline

FROM scratch
LABEL org.opencontainers.image.title="plumbline-operator" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/ /
COPY LICENSE /app/
# What the operator would else start itself again with (src/relaunch.ts).
ENV NODE_ENV=production \
  PLUMBLINE_LAUNCHED=1 \
  MALLOC_ARENA_MAX=2 \
  MALLOC_MMAP_THRESHOLD_=32768 \
  MALLOC_TRIM_THRESHOLD_=65536 \
  MALLOC_TOP_PAD_=65536
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/node", "--expose-gc", "--max-semi-space-size=2", "--invocation-count-for-maglev=4000", "--invocation-count-for-turbofan=100000", "--invocation-count-for-osr=10000", "--liftoff-only", "/app/plumbline-operator.js"]
