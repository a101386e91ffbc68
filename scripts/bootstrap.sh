#!/usr/bin/env bash
# Makes .venv: a virtual environment with what requirements/NAME.lock pins, every file checked by
# its hash. With `dev`, Pinwarden itself is in it too, editable. Does nothing when nothing changed.
#
#   scripts/bootstrap.sh [NAME...]        default: dev
#
# PYTHON=/path/to/python3.12 chooses the interpreter that a new .venv is made with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.venv

say() { printf 'bootstrap: %s\n' "$*" >&2; }

stop() {
  say "error: $1"
  shift
  for hint in "$@"; do say "hint: $hint"; done
  exit 2
}

# A pyenv shim may exist and still lead to nothing, so each candidate is tried, not only found.
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
can_make_venvs() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

find_python() {
  local name first=""
  for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
    is_new_enough "$name" || continue
    if can_make_venvs "$name"; then
      echo "$name"
      return
    fi
    first=${first:-$name}
  done
  echo "$first"
}

# Debian ships Python without ensurepip, which is a package of its own.
install_venv_package() {
  local package
  package="python$(version_of "$1")-venv"
  if ! command -v apt-get >/dev/null; then
    stop "$1 has no ensurepip module, so it cannot make a virtual environment" \
      "install your system's package for Python's venv and ensurepip modules, then run this again"
  elif [ "$(id -u)" != 0 ]; then
    stop "$1 has no ensurepip module, so it cannot make a virtual environment" \
      "sudo apt-get install $package"
  fi
  say "$1 cannot make virtual environments yet: installing Debian's package $package"
  {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" ||
      { apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"; }
  } >/dev/null || stop "apt-get could not install $package; its own words are above"
}

make_venv() {
  local python
  python=$(find_python)
  [ -n "$python" ] || stop "no Python 3.11 or newer found${PYTHON:+ at $PYTHON}" \
    "on Debian or Ubuntu: apt-get install python3 python3-venv" \
    "or name one: make PYTHON=/path/to/python3.12 …"
  can_make_venvs "$python" || install_venv_package "$python"
  say "making $venv with $python ($("$python" --version))"
  "$python" -m venv --clear "$venv" || stop "$python could not make $venv"
}

# A virtual environment breaks when its folder moves or its interpreter goes away.
venv_works() {
  [ "$(cat "$venv/.made-in" 2>/dev/null || pwd -P)" = "$(pwd -P)" ] &&
    "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

pip_install() {
  PIP_USER=0 PIP_REQUIRE_VIRTUALENV=1 "$venv/bin/python" -m pip install --quiet --no-input \
    --disable-pip-version-check --progress-bar off "$@"
}

state_of() { { cat "$1" pyproject.toml src/pinwarden/__init__.py && pwd -P; } | cksum; }

install_lock() {
  local name=$1 lock=requirements/$1.lock stamp=$venv/.installed-$1 state
  [ -f "$lock" ] || stop "there is no $lock"
  state=$(state_of "$lock")
  if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && [ -x "$venv/bin/python" ]; then return; fi
  venv_works || make_venv
  pwd -P >"$venv/.made-in"
  say "installing what $lock pins (a minute or so)"
  pip_install --require-hashes --only-binary=:all: -r "$lock" ||
    stop "pip could not install $lock for $("$venv/bin/python" --version) on $(uname -sm); its own words are above" \
      "without a network: point pip at a mirror, or at a folder of wheels with PIP_FIND_LINKS" \
      "no wheel for this Python or machine: choose another with PYTHON=…, after removing $venv"
  [ "$name" != dev ] || install_ourselves
  echo "$state" >"$stamp"
}

install_ourselves() {
  say "installing Pinwarden itself, editable"
  pip_install --no-deps --no-build-isolation --editable . ||
    stop "pip could not install Pinwarden from this folder; its own words are above"
  say "ready: $venv/bin/pinwarden"
}

for name in "${@:-dev}"; do
  install_lock "$name"
done
