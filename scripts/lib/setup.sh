# shellcheck shell=bash
# The set-up that every script begins with: source this file, then call `ensure run` (the embedded engines),
# `ensure production` (with the drivers of the production engines) or `ensure test` (everything).
#
# Rule 1: a complete set-up is recognised in some milliseconds, by comparing what was installed with what is wanted.
# Rule 2: one set-up at a time, however many scripts start at once.
# Rule 3: an interrupted set-up is thrown away. pip believes that a half-unpacked package is installed, so there is
#         nothing to repair.
# Rule 4: standard output belongs to the command that follows; everything here writes to standard error.

ROOT=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
VENV=$ROOT/.venv
UNFINISHED=$VENV/.unfinished
SENDS=$ROOT/gateway/native/sends.c # what the installation compiles
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0

say() { printf 'rookery: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# Make sure that .venv holds what requirements/$1.txt pins, and the project itself.
ensure() {
  if ! complete "$1"; then
    local python
    python=$(find_python) || die 'no suitable Python found: install Python 3.11 or newer with pip' \
      '(on Debian and Ubuntu: apt-get install python3 python3-venv), or name one in PYTHON=/path/to/python3'
    exec 9>>"$ROOT/.venv.lock"
    lock "$python"
    complete "$1" || build "$1" "$python"
    exec 9>&-
  fi
}

# Whether exactly that was installed before, by this checkout, for the Python that .venv still has.
complete() {
  usable && wanted "$1" | cmp -s - "$VENV/.installed-$1" &&
    { [[ ! -e $SENDS ]] || cmp -s -- "$SENDS" "$VENV/.installed-sends.c"; }
}

wanted() { cat -- "$ROOT/requirements/$1.txt" "$ROOT/pyproject.toml"; }

# Whether .venv is whole, in the place where it was made, and its Python still the one it was made for.
usable() {
  local version
  [[ -x $VENV/bin/python && ! -e $UNFINISHED ]] || return 1
  version=$("$VENV/bin/python" -ISc 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
  [[ -d $VENV/lib/python$version ]] || return 1
  [[ ! -e $VENV/.root || $(<"$VENV/.root") == "$ROOT" ]]
}

# The first Python that is new enough and can make a virtual environment with pip in it, one way or the other.
find_python() {
  local name check='
import sys, venv
assert sys.version_info >= (3, 11)
try:
    from ensurepip import version
except ImportError:
    import pip'
  for name in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
    if "$name" -c "$check" >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return
    fi
  done
  return 1
}

# flock(2) belongs to the open file and not to the process: Python takes it on the shell's descriptor, where it stays
# until the shell and every pip that it started have ended. Not every system has a flock command.
lock() {
  "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null && return
  say 'another set-up is under way; waiting for it'
  "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}

build() {
  local lock=$1 python=$2 begun=$SECONDS
  usable || make_venv "$python"
  : >"$UNFINISHED"
  install_lock "$lock" "$python"
  say 'installing Rookery itself'
  run_pip "$python" install --quiet --no-deps --no-build-isolation --editable "$ROOT" ||
    die 'installing the project failed; the lines above say why'
  printf '%s\n' "$ROOT" >"$VENV/.root"
  [[ ! -e $SENDS ]] || cat -- "$SENDS" >"$VENV/.installed-sends.c"
  # Each lock file holds all of those before it, in the same versions.
  local each
  for each in run production test; do
    [[ ! -e $ROOT/requirements/$each.txt ]] || wanted "$each" >"$VENV/.installed-$each"
    [[ $each != "$lock" ]] || break
  done
  rm -f -- "$UNFINISHED"
  say "set up in $((SECONDS - begun)) s"
}

make_venv() {
  say "making a virtual environment with $("$1" --version) in $VENV"
  rm -rf -- "$VENV"
  mkdir -p -- "$VENV"
  : >"$UNFINISHED"
  if "$1" -c 'from ensurepip import version' 2>/dev/null; then
    "$1" -m venv -- "$VENV"
  else
    "$1" -m venv --without-pip -- "$VENV"
  fi || die "$1 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
}

# The pip of .venv, or the one outside (22.3 or newer can install into another environment).
run_pip() {
  local python=$1
  shift
  if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    "$VENV/bin/python" -m pip "$@"
  else
    "$python" -m pip --python "$VENV/bin/python" "$@"
  fi
}

install_lock() {
  local file=$ROOT/requirements/$1.txt total
  total=$(grep -c '^[A-Za-z0-9._-]*==' -- "$file")
  say "installing $total packages; the first time takes a minute or so"
  run_pip "$2" install --require-hashes --no-deps --progress-bar off --no-warn-script-location -r "$file" |
    show_progress "$total" || die 'installing failed; the lines above say why. Try again: the next set-up starts from the beginning'
}

# Turns pip's lines into one counter, and only for people: a log gets no line for every package.
show_progress() {
  local line count=0 word
  while IFS= read -r line; do
    case $line in
      Collecting* | 'Requirement already satisfied'*) count=$((count + 1)) word=${line#*: } word=${word#Collecting } ;;
      Installing*) word='unpacking' ;;
      *) continue ;;
    esac
    [[ ! -t 2 ]] || printf '\r\033[Krookery: %d of %d  %s' "$count" "$1" "${word%% *}" >&2
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}
