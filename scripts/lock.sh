#!/usr/bin/env bash
# Pins what the project is run, tested and documented with: the newest versions that pyproject.toml
# and requirements/*.in allow, for every platform and Python we support, by hash and without the
# address of any package index.
#
#   scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv=$(command -v uv || echo .venv/bin/uv)
if [ ! -x "$uv" ]; then
  echo 'lock: installing uv into .venv, to resolve with' >&2
  .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
fi

compile() {
  local out=$1
  shift
  echo "lock: $out" >&2
  UV_CUSTOM_COMPILE_COMMAND='make lock' "$uv" pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --output-file "$out" "$@" >/dev/null
}

compile requirements/dev.lock --all-extras --group dev pyproject.toml requirements/build.in "$@"
compile requirements/docs.lock --constraints requirements/dev.lock requirements/docs.in "$@"
compile requirements/peers.lock requirements/peers.in "$@"
