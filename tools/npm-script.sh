#!/bin/sh
# The npm scripts: `sh tools/npm-script.sh test|lint|types|bench|package [arguments]`. Each installs first where
# that is needed and runs with the pinned Node, whatever Node npm itself runs with.
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
script=$1
shift
case $script in
test)
	if [ $# -eq 0 ]; then set -- 'src/**/*.test.ts' 'tools/**/*.test.ts' 'examples/**/*.test.ts' 'test/**/*.test.ts'; fi
	exec node --disable-warning=ExperimentalWarning --import ./test/support/watchdog.ts --test --test-timeout=300000 "$@"
	;;
lint)
	# Biome colours its output in a pipe as well.
	if [ ! -t 1 ] || [ ! -t 2 ]; then set -- --colors=off "$@"; fi
	exec biome ci --error-on-warnings "$@" .
	;;
types) exec tsc -p . "$@" ;;
bench) exec node --disable-warning=ExperimentalWarning --expose-gc bench/main.ts "$@" ;;
package) pack "$STINT_HOME/.cache/package" "$@" ;;
prepack)
	echo "error: the checkout is not what is published; use: npm run package" >&2
	exit 1
	;;
*)
	echo "npm-script: no script named $script" >&2
	exit 2
	;;
esac
