# Sourced by ./stint and by the npm scripts, with STINT_HOME and _modules set (see ensure-installed.sh).
#
# choose_program sets STINT_PROGRAM to what Node is to run: a bundle of the sources, made again whenever one
# of them has changed, or the sources themselves where there can be none. A bundle halves what a start and a
# command take: Node no longer finds, reads and links some 400 files, and src/main/bundle-loader.ts keeps the
# compiled code of each command.
#
# A bundle is a folder of its own under .cache/bundle/, never changed once it is made, since a server goes on
# using its own (it starts its launcher from there). The file "current" names the one to use. A folder without
# stint.cjs stands for sources that could not be bundled.

choose_program() {
	_bundles=$STINT_HOME/.cache/bundle
	STINT_PROGRAM=$STINT_HOME/src/main/stint.ts
	_build=
	if [ -r "$_bundles/current" ]; then read -r _build <"$_bundles/current" || true; fi
	if [ -z "$_build" ] || ! _is_fresh "$_bundles/$_build"; then
		_bundle_anew || return 0
	fi
	if [ -r "$_bundles/$_build/stint.cjs" ]; then STINT_PROGRAM=$_bundles/$_build/stint.cjs; fi
}

# No file that goes into a bundle has changed since its "stamp" was made, which was before they were read.
# By the time of their last change of any kind (ctime), which no copying or unpacking sets back. Tests are left
# out by their names, which find knows without looking at each.
_is_fresh() {
	[ -f "$1/stamp" ] || return 1
	_changed=$(cd "$STINT_HOME" && find src examples/kuard tools/bundle.sh tsconfig.json package.json package-lock.json \
		-name '*.test.ts' -o -cnewer "$1/stamp" -print 2>&1) || return 1
	[ -z "$_changed" ]
}

# Makes a bundle and sets _build to it. Fails where another start is doing so, or where nothing can be written.
_bundle_anew() {
	_find_esbuild || return 1
	mkdir -p "$_bundles" 2>/dev/null && [ -w "$_bundles" ] || return 1
	_claim=$_bundles/claim
	if ! mkdir "$_claim" 2>/dev/null; then
		# A claim is as old as a start that was killed while it bundled.
		if [ -n "$(find "$_claim" -prune -mmin +2 2>/dev/null)" ]; then rmdir "$_claim" 2>/dev/null || true; fi
		return 1
	fi
	_build=$(date +%s)-$$
	trap 'rmdir "$_claim" 2>/dev/null || true' EXIT
	trap 'exit 130' INT TERM
	if ! bundle_into "$_bundles/$_build" 2>"$_bundles/log"; then
		rm -rf "$_bundles/$_build"
		mkdir "$_bundles/$_build"
		: >"$_bundles/$_build/stamp"
	fi
	echo "$_build" >"$_bundles/current.$$"
	mv -f "$_bundles/current.$$" "$_bundles/current"
	_remove_old_bundles
	rmdir "$_claim"
	trap - EXIT INT TERM
}

# bundle_into FOLDER [NAME]: bundles the sources into a new folder; NAME tells the build from all others, by
# default the folder's own name. Writes what is wrong with the sources to standard error.
bundle_into() {
	_find_esbuild || return 1
	mkdir -p "$1"
	: >"$1/stamp"
	(
		cd "$STINT_HOME"
		set -- --bundle --format=cjs --platform=node --target=node24 --out-extension:.js=.cjs --outdir="$1" \
			--define:STINT_BUILD="\"${2:-${1##*/}}\"" --define:import.meta.url=__bundle_url \
			'--banner:js=const __bundle_url = require("node:url").pathToFileURL(__filename).href;' \
			--log-level=warning
		"$_esbuild" "$@" client=src/main/stint.ts --external:./server.ts &
		"$_esbuild" "$@" server=src/main/stint.ts launcher-main=src/node/runtime/process/launcher-main.ts \
			kuard=examples/kuard/kuard.ts stint=src/main/bundle-loader.ts && wait $!
	)
}

_find_esbuild() {
	for _package in linux-x64 linux-arm64 darwin-arm64; do
		_esbuild=$_modules/@esbuild/$_package/bin/esbuild
		if [ -x "$_esbuild" ]; then return 0; fi
	done
	return 1
}

# A server that runs needs its bundle; ten newer ones and a day later it is taken to have ended.
_remove_old_bundles() {
	set -- "$_bundles"/[0-9]*-*
	while [ $# -gt 10 ]; do
		if [ -n "$(find "$1" -prune -mtime +0 2>/dev/null)" ]; then rm -rf "$1"; fi
		shift
	done
}
