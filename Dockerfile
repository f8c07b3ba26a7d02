# Built with: docker build -t wakewell .
# Run with a volume for /data, and WAKEWELL_WEBHOOK_TOKEN and WAKEWELL_API_TOKEN set: the container listens beyond loopback.

FROM node:24-slim AS build
WORKDIR /app
# better-sqlite3 is compiled where its prebuilt binary cannot be fetched.
RUN apt-get update -qq \
  && apt-get install -y -qq --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY bench/support bench/support
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
  WAKEWELL_HOST=0.0.0.0 \
  DATABASE_URL=file:/data/wakewell.db
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY migrations migrations
COPY playbooks playbooks
RUN ln -s /app/dist/main.js /usr/local/bin/wakewell && mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 9099
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9099/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["wakewell"]
CMD ["serve"]
