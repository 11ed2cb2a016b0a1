# Codex for bottles of the docker backend. To change it, copy it to ~/.bot-bottle/contrib/codex/Dockerfile.
ARG BASE_IMAGE=node:22-bookworm-slim
FROM ${BASE_IMAGE}
# What the agent works with, where the base is a Debian and has it not.
RUN if command -v apt-get >/dev/null && ! command -v git >/dev/null; then \
      apt-get update && \
      apt-get install -y --no-install-recommends ca-certificates curl git less openssh-client procps ripgrep && \
      rm -rf /var/lib/apt/lists/*; \
    fi
RUN command -v npm >/dev/null || { echo "the base image has no npm: choose one with Node"; exit 1; }
RUN npm install -g --no-audit --no-fund @openai/codex@0.169.0 && npm cache clean --force && codex --version
# The user of every bottle; images of Node's have it.
RUN id -u node >/dev/null 2>&1 || useradd --uid 1000 --create-home node
USER node
