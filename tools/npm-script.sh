#!/bin/sh
# The npm scripts: `sh tools/npm-script.sh test|lint|types|bench|package [arguments]`. Each installs the packages
# if they are missing, and runs with the pinned Node, which may differ from the Node that runs npm.
set -eu
STINT_HOME=$(cd "$(dirname "$0")/.." && pwd -P)
. "$STINT_HOME/tools/ensure-installed.sh"
. "$STINT_HOME/tools/bundle.sh"
. "$STINT_HOME/tools/pack.sh"
ensure_installed development
keep_compiled_sources
cd "$STINT_HOME"
_caller_path=$PATH
PATH=${STINT_NODE%/*}:$STINT_HOME/node_modules/.bin:$PATH
run_tests() {
	node --disable-warning=ExperimentalWarning --import ./test/support/watchdog.ts --test --test-timeout=300000 "$@"
}

script=$1
shift
case $script in
test)
	if [ $# -gt 0 ]; then run_tests "$@"; exit; fi
	trap 'exit 130' INT TERM
	failed=0
	# One file more than there are processors, since many files wait for other processes most of the time. Node's own
	# default is one file less, which leaves a processor of two idle.
	run_tests --test-concurrency="$(node -p 'os.availableParallelism() + 1')" \
		'src/**/*.test.ts' 'tools/**/*.test.ts' 'examples/**/*.test.ts' 'test/!(fuzz|hostile)/**/*.test.ts' || failed=1
	# These measure how long a server is busy with a request, and need the machine for themselves.
	run_tests --test-concurrency=1 'test/fuzz/**/*.test.ts' 'test/hostile/**/*.test.ts' || failed=1
	exit $failed
	;;
lint)
	# Biome writes colours even into a pipe.
	if [ ! -t 1 ] || [ ! -t 2 ]; then set -- --colors=off "$@"; fi
	exec biome ci --error-on-warnings "$@" .
	;;
types) exec tsc -p . "$@" ;;
bench) exec node --disable-warning=ExperimentalWarning --expose-gc bench/main.ts "$@" ;;
package) pack "$STINT_HOME/.cache/package" "$@" ;;
prepack)
	echo "error: the checkout itself is not published; build the package with: npm run package" >&2
	exit 1
	;;
*)
	echo "npm-script: no script named $script" >&2
	exit 2
	;;
esac
