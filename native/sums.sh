#!/bin/sh
# Writes the hashes of the binaries in FOLDER, and of the sources that they were made from, to FOLDER/SHA256SUMS: a test
# compares them. Usage: native/sums.sh FOLDER
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$1"
{
	sha256sum stint-shim-x64 stint-shim-arm64 runtime-default-x64.bpf runtime-default-arm64.bpf
	sum=$(cd "$root" && find native -type f -print | LC_ALL=C sort | xargs cat | sha256sum | cut -d ' ' -f 1)
	echo "$sum  native"
} >SHA256SUMS
