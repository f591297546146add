# shellcheck shell=bash disable=SC2034
# Shared by ./run and ./test: makes sure that what they need is installed, and builds.
# To be sourced, with the working directory at the top of the tree.

# What it takes to build the programs and their tests.
build_packages=(
  cmake ninja-build ccache mold g++ pkg-config
  libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev protobuf-compiler libabsl-dev
  libboost1.81-dev libsqlite3-dev libc-ares-dev libssl-dev
  libgtest-dev libgmock-dev libbenchmark-dev python3
  ca-certificates  # The roots by which subscribers' certificates are checked.
)

# What was compiled in one checkout serves the others.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# Prints the line and ends the script.
die() {
  echo "$1" >&2
  exit 1
}

# Prints those of the packages named that are not installed.
missing_packages() {
  local installed package
  installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "$@" 2>/dev/null || true) "
  for package in "$@"; do
    [[ $installed == *" $package:installed "* ]] || echo "$package"
  done
}

# Runs the command as root.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

# Installs those of the packages named that are missing; touches nothing when none is. Returns 1,
# with the reason in `install_problem`, when it cannot.
install_packages() {
  local missing
  install_problem=""
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    install_problem="this is not a Debian system; install by other means: $*"
    return 1
  fi
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} == 0 ]] && return 0
  if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
    install_problem="these packages are missing and neither root nor sudo is at hand: ${missing[*]}"
    return 1
  fi
  echo "installing: ${missing[*]}"
  local options=(-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq)
  if ! as_root apt-get "${options[@]}" update ||
    ! as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y \
      --no-install-recommends "${missing[@]}" >/dev/null; then
    install_problem="apt-get could not install: ${missing[*]}"
    return 1
  fi
}

# Installs the packages named or ends the script with one clear line.
require_packages() {
  install_packages "$@" || die "cannot go on: $install_problem"
}

# Configures the preset. Says nothing unless it fails; ninja configures again by itself when a
# CMakeLists.txt or a list of sources has changed.
configure() {
  local preset=$1 log=build/$1/configure.log
  # CMake refuses the cache of a checkout that was moved.
  grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "build/$preset/CMakeCache.txt" ||
    rm -rf "build/$preset/CMakeCache.txt" "build/$preset/CMakeFiles"
  [[ -f build/$preset/build.ninja && build/$preset/CMakeCache.txt -nt CMakePresets.json ]] && return 0
  mkdir -p "build/$preset"
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
  touch "build/$preset/CMakeCache.txt"
}

# Builds targets of a preset; all of it when none is named. Says nothing unless it fails or is asked
# to by POSTRIDER_VERBOSE=1.
build() {
  local preset=$1
  shift
  configure "$preset" || return 1
  if [[ -n ${POSTRIDER_VERBOSE:-} ]]; then
    ninja -C "build/$preset" "$@"
  elif ! ninja -C "build/$preset" --quiet "$@" >"build/$preset/build.log" 2>&1; then
    grep -vE '^ninja: (Entering|build stopped)' "build/$preset/build.log" | head -n 100 >&2
    return 1
  fi
}

# Makes sure of Node.js (18 or newer) and of the locked packages of tests/e2e/node. Returns 1, with
# the reason in `install_problem`, when it cannot.
node_modules() {
  local folder=tests/e2e/node
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    install_packages nodejs npm || return 1
  fi
  [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] && return 0
  if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund; then
    install_problem="npm could not install the packages of $folder"
    return 1
  fi
  touch "$folder/node_modules/.package-lock.json"
}

# Makes sure of build/tools/grpcurl. Returns 1, with the reason in `install_problem`, when it cannot.
grpcurl() {
  local version=v1.8.9  # The newest that Debian 12's Go builds.
  [[ -x build/tools/grpcurl && $(<build/tools/grpcurl.version) == "$version" ]] && return 0
  if ! command -v go >/dev/null; then
    install_packages golang-go || return 1
  fi
  if ! GOBIN=$PWD/build/tools go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version"; then
    install_problem="go could not build grpcurl $version"
    return 1
  fi
  echo "$version" >build/tools/grpcurl.version
}
