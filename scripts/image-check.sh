#!/bin/bash
# Builds the container image and tries it, without a container engine and without a registry: on a Debian root made
# here by mmdebstrap, with buildah, run as an engine would with --read-only, --cap-drop ALL and no-new-privileges.
# What is not imitated: an engine's seccomp profile and network namespace.
#
# Needs root and a Debian with apt; installs buildah and mmdebstrap where they are missing. Removes everything else
# that it makes. Settings from the environment: GPU=1 (image with the GPU plug-in), MAX_MB (limit of the unpacked
# size; 400, with GPU=1 800), KEEP_IMAGE (write the image to this file, as `docker load` reads it).
set -euo pipefail

repository=$(readlink -f "$(dirname "$0")/..")
gpu=${GPU:-0}
max_mb=${MAX_MB:-400}
[ "$gpu" = 0 ] || max_mb=${MAX_MB:-800}
work='' step='' server='' passed=0 failed=0
buildah=()

cleanup() {
  set +e
  if [ -n "$step" ]; then
    kill -TERM -- "-$step"
    wait "$step"
    kill -KILL -- "-$step"
  fi 2>/dev/null
  if [ -n "$server" ]; then
    kill -KILL "$server"
    wait "$server"
  fi 2>/dev/null
  if [ ${#buildah[@]} -gt 0 ]; then
    "${buildah[@]}" umount -a
    "${buildah[@]}" rm -a
    "${buildah[@]}" rmi -a -f
  fi >/dev/null 2>&1
  if [ -n "$work" ]; then
    umount -R "$work/store/overlay" 2>/dev/null
    rm -rf --one-file-system "$work"
    [ ! -e "$work" ] || echo "left behind: $work"
  fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

check() { # WHAT COMMAND...
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok    $what"
  else
    failed=$((failed + 1))
    echo "FAIL  $what"
  fi
}
fails() { ! "$@" >/dev/null 2>&1; }
quietly() { "$@" >/dev/null; }
timed() { # WHAT COMMAND...: the command quietly; its output only if it fails
  local what=$1 start=$SECONDS
  shift
  # In the background, so that a signal need not wait for it, and as a group, so that it can be ended whole.
  setsid nice -n 10 "$@" >"$work/step.log" 2>&1 &
  step=$!
  if ! wait "$step"; then
    step=
    tail -40 "$work/step.log"
    echo "$what failed"
    exit 1
  fi
  step=
  echo "$what: $((SECONDS - start)) s"
}

# --- tools -----------------------------------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
  echo "image-check needs root: it mounts file systems" >&2
  exit 1
fi
begin=$SECONDS
work=$(mktemp -d /var/tmp/facewire-image-check.XXXXXX)
mkdir "$work/tmp"
export TMPDIR=$work/tmp
missing=()
for package in buildah mmdebstrap procps python3 python3-venv uidmap util-linux; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  timed "apt-get update" apt-get update
  timed "install ${missing[*]}" \
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
fi

cli=$repository/.venv/bin/facewire
if fails "$cli" health --help; then
  # A copy, because the build writes beside the sources.
  mkdir "$work/source"
  tar -C "$repository" -cf - CMakeLists.txt LICENSE README.md csrc pyproject.toml python server | tar -C "$work/source" -xf -
  timed "venv" python3 -m venv "$work/venv"
  timed "client for the check" "$work/venv/bin/pip" install "$work/source[server]"
  cli=$work/venv/bin/facewire
fi
host_python=$(dirname "$cli")/python

# --- build -----------------------------------------------------------------------------------------------------------
# Overlay where the kernel lets root have it, else vfs, which always works and copies the tree for every layer.
driver=vfs
mkdir "$work"/{lower,upper,workdir,merged}
if mount -t overlay overlay -o "lowerdir=$work/lower,upperdir=$work/upper,workdir=$work/workdir" "$work/merged" \
  2>/dev/null; then
  umount "$work/merged"
  driver=overlay
fi
buildah=(buildah --root "$work/store" --runroot "$work/run" --storage-driver "$driver")

# What debian:bookworm-slim is: apt, essential packages, merged /usr. No mirror is named: mmdebstrap takes Debian's.
timed "Debian root" mmdebstrap --mode=root --variant=apt --include=usr-is-merged \
  --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  bookworm "$work/base.tar"
container=$("${buildah[@]}" from scratch)
timed "import ($driver)" "${buildah[@]}" add "$container" "$work/base.tar" /
timed "commit" "${buildah[@]}" commit --rm --format docker "$container" localhost/base
rm "$work/base.tar"

secrets=()
[ ! -s /etc/pip.conf ] || secrets+=(--secret "id=pipconf,src=/etc/pip.conf")
bundle=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}
[ ! -s "$bundle" ] || secrets+=(--secret "id=cabundle,src=$bundle")
timed "image" "${buildah[@]}" bud --isolation chroot --format docker --layers=false --pull-never \
  --build-arg BASE=localhost/base --build-arg "GPU=$gpu" "${secrets[@]}" \
  -f "$repository/deploy/Dockerfile" -t localhost/facewire "$repository"
grep -E '^(site-packages:|self-test|nothing matches|.* stays:)' "$work/step.log" || true
if [ -n "${KEEP_IMAGE:-}" ]; then
  timed "write $KEEP_IMAGE" "${buildah[@]}" push localhost/facewire "docker-archive:$KEEP_IMAGE:facewire:latest"
fi

# --- configuration ---------------------------------------------------------------------------------------------------
"${buildah[@]}" inspect --type image localhost/facewire >"$work/image.json"
setting() { # 'KEY KEY'...: of the image's configuration, by the keys that lead there; lists one entry a line
  python3 - "$work/image.json" "$@" <<'P'
import json, sys
config = json.load(open(sys.argv[1]))["Docker"]["config"]
for keys in sys.argv[2:]:
    value = config
    for key in keys.split():
        value = value.get(key) or {}
    print(*(value if isinstance(value, list) else [value or ""]), sep="\n")
P
}
mapfile -t command < <(setting Entrypoint Cmd)
mapfile -t health < <(setting 'Healthcheck Test')
mapfile -t environment < <(setting Env)
user=$(setting User)
check "user $user is not root" test -n "$user" -a "${user%%:*}" != 0 -a "${user%%:*}" != root
check "command in exec form: ${command[*]}" test "${command[*]}" = "facewire serve"
check "health check in exec form: ${health[*]:1}" test "${health[*]}" = "CMD facewire health"
check "title and licence are labelled" \
  test "$(setting 'Labels org.opencontainers.image.title' 'Labels org.opencontainers.image.licenses')" = \
  $'facewire\nApache-2.0'

# --- files -----------------------------------------------------------------------------------------------------------
root=$("${buildah[@]}" mount "$("${buildah[@]}" from --pull-never localhost/facewire)")
absent() { [ -z "$(find "$root" -xdev \( "$@" \) -print -quit)" ]; }
check "no compiler" absent -path '*/bin/*' \( -name '*gcc*' -o -name '*g++*' -o -name cc -o -name c++ -o -name ld \
  -o -name as -o -name make -o -name cmake \) -o -name cc1plus
check "no shell, package manager or perl" absent -path '*/bin/*' \
  \( -name '*sh' -o -name busybox -o -name 'apt*' -o -name 'dpkg*' -o -name 'perl*' \)
check "no pip, wheels or caches" absent -path '*/bin/pip*' -o -path '*/site-packages/pip' -o -name ensurepip \
  -o -name '*.whl' -o -name .cache
check "no tests, headers or stubs" absent -type d -name tests -path '*/site-packages/*' -o -name '*.pyi' \
  -o -name '*.h' -path '*/site-packages/*' -o -path '*/usr/include/*'
check "no set-id files" absent -type f -perm /6000
check "no world-writable files" absent -type f -perm -o+w
check "nothing of the build's secrets" absent -path '*/run/secrets*' -o -name pip.conf
check "no file belongs to $user" absent -type f -uid "${user%%:*}"
check "data folder belongs to $user, closed to others" \
  test "$(stat -c %u:%g:%a "$root/var/lib/facewire")" = "$user:700"
if [ "$gpu" = 1 ]; then
  check "GPU plug-in" test -n "$(find "$root" -name libopenvino_intel_gpu_plugin.so)"
else
  check "no OpenVINO plug-in but the CPU's" absent -name 'libopenvino_*_plugin.so' ! -name '*_intel_cpu_plugin.so'
fi

megabytes() { echo $(($(du -sk "$1" | cut -f1) * 1024 / 1000000)); }
total_mb=$(megabytes "$root")
check "unpacked $total_mb MB, limit $max_mb MB" test "$total_mb" -le "$max_mb"
echo "      usr $(megabytes "$root/usr"), models $(megabytes "$root/models"), opt/venv $(megabytes "$root/opt/venv"), of it:"
du -sk "$root"/opt/venv/lib/python3*/site-packages/* | sort -rn |
  awk 'NR <= 9 {sub(".*/", "", $2); printf("%s%s %.1f", NR == 1 ? "      " : ", ", $2, $1 * 1024 / 1e6)} END {print ""}'

# --- run -------------------------------------------------------------------------------------------------------------
# The image's own settings but for the address: without a network namespace it must not take another server's port.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
environment+=("FACEWIRE_SERVER__HOST=127.0.0.1" "FACEWIRE_SERVER__PORT=$port" "FACEWIRE_SERVER=127.0.0.1:$port")
install -d -m 0700 -o "${user%%:*}" -g "${user##*:}" "$work/data" "$work/compiled"

cat >"$work/enter.sh" <<'S'
# enter.sh ROOT USER DATA COMPILED COMMAND...: in new namespaces; COMPILED may be empty
set -eu
root=$1 user=$2 data=$3 compiled=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro,nosuid,nodev "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o nosuid,nodev,noexec,size=64m,mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o nosuid,noexec,size=64k,mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,ro "$root/dev"
mount --bind "$data" "$root/var/lib/facewire"
[ -z "$compiled" ] || mount --bind "$compiled" "$root/models/compiled"
# The bounding set holds what chroot needs to become the user; becoming it takes the capabilities away.
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid \
  /usr/sbin/chroot --userspec="$user" --groups= "$root" "$@"
S
start_server() { # COMPILED: folder for the compile cache, or ""; sets $server and $pid
  : >"$work/server.log" # or the last server's "serving at" would do
  env -i "${environment[@]}" /usr/bin/unshare --mount --pid --fork --kill-child --ipc --uts \
    /bin/bash "$work/enter.sh" "$root" "$user" "$work/data" "$1" "${command[@]}" >"$work/server.log" 2>&1 &
  server=$!
  pid=
  local start=$SECONDS
  until grep -q '^serving at' "$work/server.log"; do
    if [ $((SECONDS - start)) -gt 60 ] || ! kill -0 "$server" 2>/dev/null; then
      tail -20 "$work/server.log"
      return 1
    fi
    sleep 0.1
  done
  pid=$(pgrep -P "$server")
}
stop_server() { # exit code of the server; 124 if it takes longer than 10 s
  kill -TERM "$pid"
  for _ in $(seq 100); do
    if ! kill -0 "$server" 2>/dev/null; then
      local code=0
      wait "$server" || code=$?
      server=
      return "$code"
    fi
    sleep 0.1
  done
  return 124
}
# As `docker exec`: in the container's namespaces, as its user.
inside() { env -i "${environment[@]}" /usr/bin/nsenter -t "$pid" -m -p -i -u -r -w -S "${user%%:*}" -G "${user##*:}" -- "$@"; }
status() { awk -v key="$1:" '$1 == key {print $2}' "/proc/$pid/status"; }
host() { "$cli" "$1" --server "127.0.0.1:$port" "${@:2}"; }
identified() { # PICTURE DECISION SUBJECT
  { host identify --gallery door --json "$work/cache/samples/$1" || true; } | "$host_python" -c '
import json, sys
(face,) = json.load(sys.stdin)["faces"]
found = [face["decision"], (face["match"] or {}).get("subject_id", "")]
print("     ", found, [round(c["similarity"], 3) for c in face["candidates"]])
sys.exit(found != sys.argv[1:3])' "$2" "$3"
}

"$host_python" - "$work/cache" <<'P'
import pathlib, sys
from facewire_server.inference.samples import fetch_samples
fetch_samples(pathlib.Path(sys.argv[1]), None, lambda done, total: None)
P
mkdir -p "$work/people/Person A" "$work/people/Person B"
cp "$work/cache/samples/person_a_1.jpg" "$work/people/Person A/"
cp "$work/cache/samples/person_b_1.jpg" "$work/people/Person B/"

check "starts without any writable folder but the data's and /tmp" start_server ""
if [ -n "$pid" ]; then
  grep -oE 'load, warm and test models: .*' "$work/server.log" | sed 's/^/      /'
  check "runs as $user" test "$(status Uid):$(status Gid)" = "$user"
  check "has no capability" test "$(status CapEff)$(status CapPrm)$(status CapInh)$(status CapAmb)" -eq 0
  check "can gain no privilege" test "$(status NoNewPrivs)" = 1
  check "root is read-only" grep -qE '^[^ ]+ / [^ ]+ ro[, ]' "/proc/$pid/mounts"
  check "nothing can be written outside the data folder and /tmp" inside python -c '
import os
for folder in ("/", "/etc", "/usr/bin", "/models", "/models/compiled", "/opt/venv/bin", "/run", "/dev"):
    try:
        open(os.path.join(folder, "x"), "w")
    except OSError:
        continue
    raise SystemExit(folder)'
  check "no shell inside" fails inside /bin/sh -c true
  if [ "$gpu" = 1 ]; then
    check "GPU plug-in finds its libraries" inside python -c 'import openvino; openvino.Core().get_versions("GPU")'
  fi
  check "health check inside passes" quietly inside "${health[@]:1}"
  check "health check fails where nobody listens" fails inside "${health[@]:1}" --server 127.0.0.1:1
  check "health from the host" quietly host health
  check "enrols two people from the host" host enrol "$work/people" --gallery door
  check "person A is recognised" identified person_a_2.jpg MATCH person-a
  check "person B is recognised" identified person_b_2.jpg MATCH person-b
  check "a stranger stays unknown" identified impostor_1.jpg UNKNOWN ""
  check "another stranger stays unknown" identified impostor_2.jpg UNKNOWN ""
  check "a stream names person A and tells of it" "$host_python" - "127.0.0.1:$port" "$work/cache/samples/person_a_2.jpg" <<'P'
import pathlib, sys
import facewire

picture = pathlib.Path(sys.argv[2]).read_bytes()
with facewire.Client(sys.argv[1]) as client:
    before = client.last_event_id()
    with client.stream(facewire.StreamOptions("door", lossless=True)) as stream:
        last = list(stream.recognize((picture, 1000 + i / 10) for i in range(6)))[-1]
    events = client.watch_events(after_event_id=before)
    names = {next(events).subject_id for _ in range(3)}  # appeared, identified, left
sys.exit(not (last.tracks[0].subject and last.tracks[0].subject.subject_id == "person-a" and "person-a" in names))
P
  echo "      resident memory $(($(status VmHWM) / 1000)) MB at most"
  check "SIGTERM ends it with 0 within 10 s" stop_server
  [ -z "$server" ] || { kill -KILL "$server"; wait "$server" || true; server=; } 2>/dev/null
fi

check "starts again, with a compile cache" start_server "$work/compiled"
if [ -n "$pid" ]; then
  check "the compile cache is used" test -n "$(ls "$work/compiled")"
  check "the gallery is still there" identified person_a_2.jpg MATCH person-a
  check "stops again" stop_server
fi

echo "total: $((SECONDS - begin)) s"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
