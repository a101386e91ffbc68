#!/usr/bin/env bash
# Installs the foreign programs that tests/peers talks to into .peers/bin, by package name:
#
#   certspotter         SSLMate's monitor, Debian's package, unpacked and not installed: nothing of
#                       this system changes and no daemon starts
#   sunlight, skylight  the log that runs at Let's Encrypt, through the Go module proxy, at the
#                       version and hashes of tests/peers/go/go.mod and go.sum
#
# What this machine cannot install is named, and its tests skip.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
bin=$PWD/.peers/bin
mkdir -p "$bin"

say() { printf 'peers: %s\n' "$*" >&2; }

download_deb() { (cd "$1" && apt-get download -qq "$2" 2>"$1/words"); }

install_certspotter() {
  [ ! -x "$bin/certspotter" ] || { say "certspotter is there"; return; }
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    say "no certspotter: it comes as a Debian package, and this is no Debian"
    return
  fi
  local folder
  folder=$(mktemp -d)
  if ! download_deb "$folder" certspotter && [ "$(id -u)" = 0 ]; then
    say "reading Debian's package lists"
    apt-get update -qq 2>/dev/null && download_deb "$folder" certspotter
  fi
  if dpkg-deb -x "$folder"/certspotter_*.deb "$folder/unpacked" 2>/dev/null; then
    install -m 755 "$folder/unpacked/usr/bin/certspotter" "$bin/certspotter"
    say "certspotter $(basename "$folder"/certspotter_*.deb | cut -d_ -f2) unpacked"
  else
    say "no certspotter: apt-get cannot download it ($(tail -n 1 "$folder/words"))"
    [ "$(id -u)" = 0 ] || say "hint: sudo apt-get update, then make peers again"
  fi
  rm -rf "$folder"
}

# The `tool` lines of go.mod need Go 1.24, and sunlight's SQLite needs a C compiler.
has_go() {
  local version
  version=$(go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf 'go1.24\n%s\n' "$version" | sort -V | head -n 1)" = go1.24 ]
}

install_sunlight() {
  local state stamp=$bin/.sunlight
  state=$(cat tests/peers/go/go.mod tests/peers/go/go.sum | cksum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || { say "sunlight and skylight are there"; return; }
  if ! has_go; then
    say "no sunlight: building it needs Go 1.24 or newer"
  elif ! command -v "$(go env CC)" >/dev/null; then
    say "no sunlight: building it needs a C compiler"
  elif say "building sunlight (a minute or two)" &&
    (cd tests/peers/go && go build -mod=readonly -o "$bin/" tool) >.peers/sunlight.words 2>&1; then
    echo "$state" >"$stamp"
    say "sunlight and skylight built"
  else
    say "no sunlight: go build failed ($(tail -n 1 .peers/sunlight.words))"
  fi
}

install_certspotter
install_sunlight
exit 0
