#!/bin/sh
# assemble_root.sh DIR UID EXTRA: makes DIR the root file system of the image, from the files of Debian packages.
# EXTRA is a file with names of further packages, perhaps empty.
set -eu
root=$1 uid=$2 extra=$3
. /etc/os-release
if [ "$ID-$VERSION_ID" != debian-12 ]; then
  echo "the package list below is Debian 12's; this is $PRETTY_NAME" >&2
  exit 1
fi
packages="base-files gcc-12-base libbz2-1.0 libc6 libcrypt1 libexpat1 libffi8 libgcc-s1 liblzma5 libsqlite3-0 libssl3
  libstdc++6 libuuid1 zlib1g libpython3.11-minimal libpython3.11-stdlib python3-minimal python3.11-minimal
  $(cat "$extra")"

mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" "$root/opt" "$root/proc" \
  "$root/sys" "$root/dev" "$root/run" "$root/var/lib/dpkg/status.d"
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
install -d -m 1777 "$root/tmp"
install -d -m 0700 -o "$uid" -g "$uid" "$root/var/lib/facewire"

list=$(mktemp)
for package in $packages; do
  dpkg-query -L "$package" | while IFS= read -r file; do
    case $file in
      /usr/share/doc/*/copyright) ;;
      */gconv/* | */audit/* | /usr/include/* | /usr/sbin/* | /usr/share/* | /var/* | /etc/profile* | /etc/python* | /etc/update-motd*)
        continue ;;
      */lib2to3/* | */distutils/* | */ensurepip/* | */idlelib/* | */tkinter/* | */turtledemo/* | */pydoc_data/*)
        continue ;;
      */test/* | */__pycache__/*) continue ;;
    esac
    if [ -L "$file" ] || [ -f "$file" ]; then printf '%s\n' "${file#/}"; fi
  done
  # What image scanners read in place of dpkg's database.
  dpkg-query -s "$package" > "$root/var/lib/dpkg/status.d/$package"
done | sort -u > "$list"
tar -C / -cf - --no-recursion -T "$list" | tar -C "$root" -xf - --keep-directory-symlink
rm "$list"
# Copyright files that are links to other packages' documentation.
find "$root/usr/share/doc" -xtype l -delete
mkdir -p "$root/usr/lib/locale"
cp -a /usr/lib/locale/C.utf8 "$root/usr/lib/locale/"

nologin=/nonexistent:/usr/sbin/nologin
printf 'root:x:0:0:root:%s\nfacewire:x:%s:%s:facewire:%s\n' $nologin "$uid" "$uid" $nologin > "$root/etc/passwd"
printf 'root:x:0:\nfacewire:x:%s:\n' "$uid" > "$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > "$root/etc/nsswitch.conf"
# Places for what a container engine mounts.
: > "$root/etc/hosts"
: > "$root/etc/hostname"
: > "$root/etc/resolv.conf"

ldconfig -r "$root"
rm -rf "$root/var/cache/ldconfig"
# As for the environment: byte code, because a read-only root cannot be given it later.
python3 -m compileall -q -s "$root" -p / --invalidation-mode unchecked-hash "$root/usr/lib/python3.11"
