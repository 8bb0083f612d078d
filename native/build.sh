#!/bin/sh
# Builds the shim for linux x64 and arm64, byte for byte the same on any machine: with zig from the PyPI package
# ziglang, in the version below. Only needed after a change of native/shim. Usage: native/build.sh [FOLDER]
# Output: stint-shim-x64 and stint-shim-arm64 in FOLDER (default: src/runtime/process/shim/bin), and their hashes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ZIG_VERSION=0.17.1
out=${1:-$here/../src/runtime/process/shim/bin}
zig=${ZIG:-python3 -m ziglang}
version=$($zig version) || { echo "install it with: pip install ziglang==$ZIG_VERSION" >&2; exit 1; }
[ "$version" = "$ZIG_VERSION" ] || [ -n "${ZIG_ANY_VERSION:-}" ] || { echo "zig $ZIG_VERSION is needed, not $version" >&2; exit 1; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/shim"
for pair in x64:x86_64 arm64:aarch64; do
	# shellcheck disable=SC2086
	$zig cc -target "${pair#*:}-linux-musl" -std=gnu11 -static -Os -s -Wall -Wextra -Werror -fno-ident -o "$out/stint-shim-${pair%%:*}" ./*.c
done
[ ! -e "$out/runtime-default-x64.bpf" ] || "$here/sums.sh" "$out"
