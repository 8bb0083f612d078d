# Sourced by ./stint and by the npm scripts, with STINT_HOME and _modules set (see ensure-installed.sh).
#
# choose_program sets STINT_PROGRAM to the file that Node runs: a bundle of the sources, or the sources
# themselves if they cannot be bundled. The bundle is built again whenever a source has changed. It halves the
# time of a start and of a command: Node need not find, read and link some 400 files, and
# src/main/bundle-loader.ts caches the compiled code of each command.
#
# Each bundle is a folder under .cache/bundle/ and never changes after its build, because a running server
# keeps using its own: it starts its launcher from there. The file "current" contains the name of the latest
# bundle. A folder without stint.cjs records that the sources could not be bundled.

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

# Succeeds if no input of a bundle has changed since the file "stamp" was written, before esbuild read them.
# It compares ctimes, because copying or unpacking a file can set its mtime back but not its ctime. Test files
# are excluded by name, for which find needs no stat call.
_is_fresh() {
	[ -f "$1/stamp" ] || return 1
	_changed=$(cd "$STINT_HOME" && exec find src examples/kuard tools/bundle.sh tsconfig.json package.json package-lock.json \
		-name '*.test.ts' -o -cnewer "$1/stamp" -print 2>&1) || return 1
	[ -z "$_changed" ]
}

# Builds a bundle and sets _build to its name. Fails if another process is building one, or if the folder is
# not writable; the caller then runs the sources.
_bundle_anew() {
	_find_esbuild || return 1
	mkdir -p "$_bundles" 2>/dev/null && [ -w "$_bundles" ] || return 1
	_claim=$_bundles/claim
	if ! mkdir "$_claim" 2>/dev/null; then
		# A process that was killed during its build has left its claim. Two minutes are far longer than a build.
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

# bundle_into FOLDER [NAME]: bundles the sources into a new folder. NAME identifies the build, by default by
# the folder's name: code caches of different builds must not mix. Writes errors in the sources to stderr.
bundle_into() {
	_find_esbuild || return 1
	mkdir -p "$1"
	: >"$1/stamp"
	(
		cd "$STINT_HOME"
		_target=$1
		set -- --bundle --format=cjs --platform=node --target=node24 --out-extension:.js=.cjs --outdir="$1" \
			--define:process.env.WS_NO_BUFFER_UTIL=true --define:process.env.WS_NO_UTF_8_VALIDATE=true \
			--define:STINT_BUILD="\"${2:-${1##*/}}\"" --define:import.meta.url=__bundle_url --log-level=warning
		# A file of its own, which only the runtime cri loads: 0.6 MB that the start of a server need not read.
		"$_esbuild" "$@" grpc=@grpc/grpc-js &
		_grpc=$!
		set -- "$@" --alias:@grpc/grpc-js=./grpc.cjs --external:./grpc.cjs
		_url='const __bundle_url = require("node:url").pathToFileURL(__filename).href;'
		"$_esbuild" "$@" "--banner:js=$_url" launcher-main=src/runtime/process/launcher/launcher-main.ts \
			network-agent-main=src/runtime/process/network/node/network-agent-main.ts \
			image-worker-main=src/runtime/sandbox/worker/image-worker-main.ts \
			kuard=examples/kuard/kuard.ts stint=src/main/bundle-loader.ts &
		_others=$!
		# These two are functions, which bundle-loader.ts calls: it would have to copy the text to wrap it itself.
		set -- "$@" "--banner:js=(function (exports, require, module, __filename, __dirname) {$_url" '--footer:js=})'
		"$_esbuild" "$@" client=src/main/stint.ts --external:./server/server.ts \
			--external:./images/store-images.ts --external:./serve-registry.ts &
		"$_esbuild" "$@" server=src/main/stint.ts && wait $! && wait $_others && wait $_grpc || exit 1
		# The launcher looks for the shim beside itself: see src/runtime/process/shim/shim-file.ts.
		if [ -d src/runtime/process/shim/bin ]; then cp -R src/runtime/process/shim/bin "$_target/"; fi
	)
}

_find_esbuild() {
	for _package in linux-x64 linux-arm64 darwin-arm64; do
		_esbuild=$_modules/@esbuild/$_package/bin/esbuild
		if [ -x "$_esbuild" ]; then return 0; fi
	done
	return 1
}

# Removes bundles that are older than a day, except the ten newest. A running server needs its bundle, and is
# assumed to have ended by then.
_remove_old_bundles() {
	set -- "$_bundles"/[0-9]*-*
	while [ $# -gt 10 ]; do
		if [ -n "$(find "$1" -prune -mtime +0 2>/dev/null)" ]; then rm -rf "$1"; fi
		shift
	done
}
