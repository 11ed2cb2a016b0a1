# Pi for bottles of the docker backend. To change it, copy it to ~/.bot-bottle/contrib/pi/Dockerfile.
ARG BASE_IMAGE=node:22-bookworm-slim
FROM ${BASE_IMAGE}
# What the agent works with, where the base is a Debian and has it not.
RUN if command -v apt-get >/dev/null && ! command -v git >/dev/null; then \
      apt-get update && \
      apt-get install -y --no-install-recommends ca-certificates curl git less openssh-client procps ripgrep && \
      rm -rf /var/lib/apt/lists/*; \
    fi
RUN command -v npm >/dev/null || { echo "the base image has no npm: choose one with Node 22.19 or newer"; exit 1; }
# Its bundle holds all that it needs, and some of what the package depends on is not published for every version: so it
# is unpacked, not installed.
RUN at="$(npm root -g)/@earendil-works/pi-coding-agent" && mkdir -p "$at" /tmp/pi && cd /tmp/pi && \
    npm pack --silent @earendil-works/pi-coding-agent@1.5.2 && \
    tar -xzf *.tgz -C "$at" --strip-components=1 --no-same-owner && chmod 755 "$at/dist/bundle/cli.js" && \
    ln -s "$at/dist/bundle/cli.js" "$(npm prefix -g)/bin/pi" && \
    cd / && rm -rf /tmp/pi && npm cache clean --force && pi --version
# The user of every bottle; images of Node's have it.
RUN id -u node >/dev/null 2>&1 || useradd --uid 1000 --create-home node
USER node
