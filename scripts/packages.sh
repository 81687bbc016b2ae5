# shellcheck shell=bash disable=SC2034
# What has to be installed, listed once, and how the scripts install it. Sourced by bash.

# Debian's and Ubuntu's names. `a|b` is a where the distribution has it and b elsewhere: warnings, formatting and
# findings are kept at zero with gcc 12 and clang 14. `a|` is a where the distribution has it and nothing elsewhere.
packages_to_build=('g++-12|g++' cmake ninja-build pkg-config libcurl4-openssl-dev nlohmann-json3-dev
  libcli11-dev libcpp-httplib-dev libhiredis-dev libsqlite3-dev prometheus-cpp-dev libboost-dev)
packages_to_test=(catch2 ccache doxygen python3 openssl 'nginx-light|nginx' tinyproxy stunnel4 microsocks redis-server
  iproute2 nftables util-linux libfaketime curl 'chromium|'
  'clang-14|clang' 'libclang-rt-14-dev|libclang-rt-dev'
  'clang-format-14|clang-format' 'clang-tidy-14|clang-tidy' cppcheck)
# A Node.js that is not Debian's may have npm in it, and then conflicts with Debian's.
command -v npm >/dev/null || packages_to_test+=(nodejs npm)
packages_to_measure=(libbenchmark-dev valgrind redis-server 'nginx-light|nginx' util-linux
  python3 python3-requests python3-httpx python3-aiohttp)
command -v npm >/dev/null || packages_to_measure+=(nodejs npm)
# For `tests/run full` alone: a compiler for Windows, and what makes another distribution.
packages_to_test_in_full=(g++-mingw-w64-x86-64-posix mmdebstrap debian-archive-keyring gcovr
  'llvm-14|llvm')

say() { printf '%s\n' "$*"; }

fail() {
  say "$*" >&2
  exit 1
}

# Prints the first of the commands that exists here, or the last.
first_command() {
  local name
  for name in "$@"; do
    if command -v "$name" >/dev/null; then break; fi
  done
  say "$name"
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Prints those of the packages that are not installed, one a line, with each `a|b` decided.
missing_packages() {
  local choice package
  for choice in "$@"; do
    for package in ${choice//|/ }; do
      if is_installed "$package" || apt-cache show "$package" >/dev/null 2>&1; then break; fi
      if [[ $choice = *'|' ]]; then continue 2; fi
    done
    if ! is_installed "$package"; then say "$package"; fi
  done
}

# Installs what is missing of the packages and asks no question. Where it cannot, it prints the list and returns:
# the tools may have come another way, and need_commands() is what decides.
install_packages() {
  local as_root=() missing
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "This system has no apt-get. What follows needs, by Debian's names: ${*//|/ or }"
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    say "Nothing to install: all packages that this needs are here."
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      say "These packages are missing, and this user may not install them without a password: ${missing[*]}"
      return
    fi
    as_root=(sudo -n)
  fi
  say "Some packages are missing. Reading what apt-get can install (apt-get update) ..."
  "${as_root[@]}" apt-get update -qq </dev/null
  mapfile -t missing < <(missing_packages "$@")
  say "Installing with apt-get: ${missing[*]} ..."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -qq -y --no-install-recommends \
    "${missing[@]}" </dev/null >/dev/null
}

# Puts promtool, Prometheus' checker of metrics and rules, into build/tools. It is taken out of its package without
# installing that, which in Debian 12 would start the server, too.
fetch_promtool() {
  local package=prometheus tools=build/tools
  if [ -x $tools/promtool ] || command -v promtool >/dev/null || ! command -v apt-get >/dev/null; then return; fi
  if apt-cache show promtool >/dev/null 2>&1; then package=promtool; fi
  mkdir -p $tools
  if (cd $tools && apt-get download $package && dpkg-deb --fsys-tarfile ${package}_*.deb | tar -xO ./usr/bin/promtool >part) \
    >/dev/null 2>&1; then
    chmod +x $tools/part && mv $tools/part $tools/promtool
    say "promtool is in $tools, from the package $package."
  else
    say "promtool could not be fetched: the tests that need it are skipped."
  fi
  rm -f $tools/${package}_*.deb $tools/part
}

# Ends the script if one of the commands is not here.
need_commands() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || fail "$name is not here: install the packages named above and run this again."
  done
}
