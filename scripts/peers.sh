#!/usr/bin/env bash
# Installs the foreign programs that tests/peers talks to into .peers, by package name:
#
#   certspotter         SSLMate's monitor
#   bind9, nsd, unbound, tinydns, dnsmasq
#                       DNS servers and their tools, where they are not installed already; a program
#                       in .peers/bin knows the libraries that came with it
#   minisign            signs and verifies files; pin set bundles are in its format
#   nginx, redis-server, postgres
#                       servers that pinned clients talk to, and nginx as a client too
#   apache2, caddy, haproxy, nginx's headers-more
#                       send the headers that configurations name, which are then compared
#   xmllint             reads what is exported for Android and Apple
#   envoy               a client of exported pins: the binary that the Python package pyvoy brings
#   sslyze              a scanner, which benchmarks measure beside `pinwarden audit`
#   rustls              crates for tests/peers/pin_clients/rust, of the versions in its Cargo.toml
#   okhttp, kotlinc     jars through Maven, at the versions of tests/peers/pin_clients/pom.xml
#   android-all, trustkit
#                       Android's own classes and TrustKit for Android, through Maven: their readers
#                       of configurations run without a phone
#   sunlight, skylight  the log that runs at Let's Encrypt, through the Go module proxy, at the
#                       version and hashes of tests/peers/go/go.mod and go.sum
#   octodns, botocore   with pip, into a virtual environment of their own, .peers/python
#
# Debian's packages are unpacked and not installed: nothing of this system changes and no daemon
# starts.
#
# What this machine cannot install is named, and its tests skip.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
bin=$PWD/.peers/bin
mkdir -p "$bin"

say() { printf 'peers: %s\n' "$*" >&2; }

export PATH=$PATH:/usr/sbin:/sbin
debian=$PWD/.peers/debian
mkdir -p "$debian"

have_debian() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

# Once in a run, which a file remembers across subshells.
rm -f .peers/.lists-read
read_lists() {
  [ ! -e .peers/.lists-read ] && [ "$(id -u)" = 0 ] || return 1
  touch .peers/.lists-read
  say "reading Debian's package lists"
  apt-get update -qq 2>/dev/null
}

# A package and the libraries that this system lacks for it. Never the C library: a program must
# have the one of its loader.
package_and_libraries() {
  apt-get install --simulate --no-install-recommends "$1" 2>/dev/null |
    awk -v wanted="$1" '$1 == "Inst" && ($2 == wanted || $2 ~ /^(lib|bind9|redis-tools)/) { print $2 }' |
    grep -vE '^lib(c|gcc|stdc|crypt)[-+0-9]'
}

# What a package comes to, unpacked into .peers/debian; the system's own when it is installed.
unpack() {
  local folder packages file unpacked=1
  have_debian || { echo "this is no Debian"; return 1; }
  folder=$(mktemp -d)
  packages=$(package_and_libraries "$1")
  [ -n "$packages" ] || packages=$(read_lists && package_and_libraries "$1")
  [ -n "$packages" ] || packages=$1
  # shellcheck disable=SC2086  # one word for each package
  (cd "$folder" && apt-get download -qq $packages 2>"$folder/words") ||
    { read_lists && (cd "$folder" && apt-get download -qq $packages 2>"$folder/words"); }
  for file in "$folder"/*.deb; do
    dpkg-deb -x "$file" "$debian" 2>>"$folder/words" && [[ $file == */"$1"_* ]] && unpacked=0
  done
  [ "$unpacked" = 0 ] || tail -n 1 "$folder/words"
  rm -rf "$folder"
  return "$unpacked"
}

# A program that finds the libraries which were unpacked with it.
wrap() {
  local found target libraries
  found=$(find "$debian"/usr/bin "$debian"/usr/sbin "$debian"/usr/lib/postgresql/*/bin -name "$1" \
    2>/dev/null | head -n 1)
  [ -n "$found" ] || { say "no $1: its package does not hold it"; return; }
  target=$(readlink "$found")
  case $target in /*) ln -sf "$debian$target" "$found" ;; esac
  libraries=$(find "$debian"/usr/lib "$debian"/lib -maxdepth 1 -name '*-linux-gnu*' 2>/dev/null |
    tr '\n' ':')
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$found" >"$bin/$1"
  chmod 755 "$bin/$1"
}

install_debian() {
  local package=$1 name words missing=
  shift
  for name in "$@"; do
    [ -x "$bin/$name" ] || command -v "$name" >/dev/null || missing="$missing $name"
  done
  [ -n "$missing" ] || { say "$package: $* here already"; return; }
  if ! words=$(unpack "$package"); then
    say "no$missing: Debian's package $package cannot be unpacked here ($words)"
    [ "$(id -u)" = 0 ] || say "hint: sudo apt-get update, then make peers again"
    return
  fi
  for name in $missing; do wrap "$name"; done
  say "$package unpacked:$missing"
}

# A module that Debian's nginx loads; it has no program of its own.
install_headers_more() {
  local package=libnginx-mod-http-headers-more-filter file=ngx_http_headers_more_filter_module.so words
  [ ! -f "$debian/usr/lib/nginx/modules/$file" ] && [ ! -f "/usr/lib/nginx/modules/$file" ] ||
    { say "nginx's headers-more is here already"; return; }
  if words=$(unpack "$package"); then
    say "$package unpacked"
  else
    say "no headers-more for nginx: Debian's package $package cannot be unpacked here ($words)"
  fi
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

# Into an environment of its own: none of this may be what Pinwarden itself runs with.
install_python() {
  local state lock=requirements/peers.lock stamp=.peers/python/.installed
  state=$({ cat "$lock" && pwd -P; } | cksum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || { say "octodns and botocore are there"; return; }
  if scripts/bootstrap.sh && .venv/bin/python -m venv --clear .peers/python &&
    PIP_USER=0 .peers/python/bin/python -m pip install --quiet --no-input --require-hashes \
      --disable-pip-version-check -r "$lock" >.peers/python.words 2>&1; then
    echo "$state" >"$stamp"
    say "octodns and botocore installed"
  else
    say "no octodns, no botocore: pip cannot install them ($(tail -n 1 .peers/python.words 2>/dev/null))"
  fi
}

# A home of cargo's own and a lock beside it, so that the test can build with --offline --locked.
install_rustls() {
  local folder=$PWD/.peers/rust manifest=tests/peers/pin_clients/rust/Cargo.toml
  command -v cargo >/dev/null || { say "no rustls: cargo is not here"; return; }
  [ "$(cat "$folder/.fetched" 2>/dev/null)" != "$(cksum <"$manifest")" ] || { say "rustls is there"; return; }
  rm -rf "$folder" && mkdir -p "$folder/src" && cp "$manifest" "$folder/" && touch "$folder/src/main.rs"
  if (cd "$folder" && CARGO_HOME=$folder/home timeout 300 cargo fetch --quiet) >.peers/rust.words 2>&1; then
    cksum <"$manifest" >"$folder/.fetched"
    say "rustls fetched"
  else
    say "no rustls: cargo fetch failed ($(tail -n 1 .peers/rust.words))"
  fi
}

install_okhttp() {
  local folder=$PWD/.peers/okhttp pom=tests/peers/pin_clients/pom.xml
  command -v mvn >/dev/null && command -v javac >/dev/null || { say "no okhttp: mvn and javac are not here"; return; }
  [ "$(cat "$folder/.fetched" 2>/dev/null)" != "$(cksum <"$pom")" ] || { say "okhttp is there"; return; }
  rm -rf "$folder" && mkdir -p "$folder"
  if timeout 300 mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$folder" >.peers/okhttp.words 2>&1; then
    cksum <"$pom" >"$folder/.fetched"
    say "okhttp and a Kotlin compiler fetched"
  else
    say "no okhttp: mvn failed ($(grep -m 1 ERROR .peers/okhttp.words))"
  fi
}

install_envoy() {
  local found
  [ ! -x "$bin/envoy" ] || { say "envoy is there"; return; }
  if python3 -m venv .peers/envoy && timeout 300 .peers/envoy/bin/pip install --quiet --no-input \
    --disable-pip-version-check pyvoy==1.3.0 >.peers/envoy.words 2>&1 &&
    found=$(find "$PWD/.peers/envoy" -path '*/_bin/envoy' -type f | head -n 1) && [ -n "$found" ]; then
    ln -sf "$found" "$bin/envoy"
    say "envoy installed"
  else
    say "no envoy: pip cannot install it ($(tail -n 1 .peers/envoy.words))"
  fi
}

# Scans servers; benchmarks only. Into an environment of its own, since it brings OpenSSL builds.
install_sslyze() {
  [ ! -x "$bin/sslyze" ] || { say "sslyze is there"; return; }
  if python3 -m venv .peers/sslyze && timeout 300 .peers/sslyze/bin/pip install --quiet --no-input \
    --disable-pip-version-check sslyze==6.3.1 >.peers/sslyze.words 2>&1; then
    ln -sf "$PWD/.peers/sslyze/bin/sslyze" "$bin/sslyze"
    say "sslyze installed"
  else
    say "no sslyze: pip cannot install it ($(tail -n 1 .peers/sslyze.words))"
  fi
}

# The classes of Android itself, as Robolectric publishes them: its reader of network security
# configurations runs without a phone.
install_android() {
  local jar=$PWD/.peers/android/android-all.jar artifact=org.robolectric:android-all:14-robolectric-10818077
  command -v mvn >/dev/null || { say "no android-all: mvn is not here"; return; }
  [ ! -f "$jar" ] || { say "android-all is there"; return; }
  mkdir -p .peers/android
  if timeout 300 mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -Dartifact="$artifact" \
    -DoutputDirectory="$PWD/.peers/android" >.peers/android.words 2>&1; then
    mv .peers/android/android-all-*.jar "$jar"
    say "android-all fetched"
  else
    say "no android-all: mvn failed ($(grep -m 1 ERROR .peers/android.words))"
  fi
}

# A library for phones is an archive with its classes in it.
install_trustkit() {
  local folder=$PWD/.peers/trustkit artifact=com.datatheorem.android.trustkit:trustkit:1.1.5:aar
  command -v mvn >/dev/null || { say "no trustkit: mvn is not here"; return; }
  [ ! -f "$folder/classes.jar" ] || { say "trustkit is there"; return; }
  mkdir -p "$folder"
  if timeout 300 mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -Dartifact="$artifact" \
    -DoutputDirectory="$folder" >.peers/trustkit.words 2>&1 &&
    (cd "$folder" && python3 -m zipfile -e trustkit-*.aar unpacked && mv unpacked/classes.jar .); then
    say "trustkit fetched"
  else
    say "no trustkit: it cannot be fetched ($(grep -m 1 ERROR .peers/trustkit.words))"
  fi
}

install_debian certspotter certspotter
install_debian bind9 named
install_debian bind9-utils named-checkzone named-compilezone
install_debian bind9-dnsutils dig delv nsupdate
install_debian nsd nsd nsd-checkzone
install_debian unbound unbound
install_debian tinydns tinydns-data tinydns-get
install_debian dnsmasq-base dnsmasq
install_debian minisign minisign
install_debian nginx nginx
install_headers_more
install_debian apache2-bin apache2
install_debian caddy caddy
install_debian haproxy haproxy
install_debian redis-server redis-server
install_debian postgresql-15 postgres initdb
install_debian libxml2-utils xmllint
install_sunlight
install_python
install_rustls
install_okhttp
install_android
install_trustkit
install_envoy
install_sslyze
exit 0
