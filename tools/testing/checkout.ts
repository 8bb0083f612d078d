import { spawn, spawnSync } from 'node:child_process';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT } from '../tidy/sources.ts';

/** Exit code and output of a run of ./stint. */
export interface Outcome {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

/** The system commands that the scripts may call: no others are on the PATH of a {@link Checkout}. */
const SYSTEM_COMMANDS = [
	'cat',
	'chmod',
	'date',
	'find',
	'mkdir',
	'mv',
	'readlink',
	'rm',
	'rmdir',
	'sed',
	'id',
	'sh',
	'sleep',
	'tail',
	'uname',
];

/**
 * A checkout in a temporary folder, at a path with spaces: the real ./stint and its scripts, stand-ins for the
 * sources, and a PATH with {@link SYSTEM_COMMANDS} and the commands of the test.
 */
export class Checkout {
	readonly root: string;

	constructor(t: TestContext) {
		this.root = join(mkdtempSync(join(tmpdir(), 'stint-checkout-')), 'a path with spaces');
		t.after(() => rmSync(dirname(this.root), { recursive: true, force: true }));
		for (const file of ['stint', 'tools/ensure-installed.sh', 'tools/bundle.sh', 'package-lock.json']) {
			cpSync(join(ROOT, file), join(this.root, file));
		}
		for (const file of ['package.json', 'tsconfig.json', 'examples/kuard/kuard.ts', 'src/main/stint.ts']) {
			this.write(file, `the first ${file}`);
		}
		for (const name of SYSTEM_COMMANDS) this.command(name, `exec /bin/${name} "$@"`);
	}

	/** Writes a file in the checkout. */
	write(path: string, text: string): void {
		mkdirSync(dirname(join(this.root, path)), { recursive: true });
		writeFileSync(join(this.root, path), text);
	}

	/** The text of a file in the checkout; undefined if it does not exist. */
	read(path: string): string | undefined {
		const file = join(this.root, path);
		return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
	}

	/** Writes a shell script into the checkout. */
	script(path: string, script: string): void {
		this.write(path, `#!/bin/sh\n${script}\n`);
		chmodSync(join(this.root, path), 0o755);
	}

	/** Puts a shell script on the PATH. */
	command(name: string, script: string): void {
		this.script(join('..', 'bin', name), script);
	}

	/** Runs ./stint --version and waits for its end. */
	start(env: NodeJS.ProcessEnv = {}): Outcome {
		const options = { env: this.#environment(env) };
		const { status, stdout, stderr } = spawnSync(join(this.root, 'stint'), ['--version'], options);
		return { code: status, out: String(stdout), err: String(stderr) };
	}

	/** Starts ./stint --version; resolves when it has ended. */
	startBeside(): Promise<Outcome> {
		const child = spawn(join(this.root, 'stint'), ['--version'], { env: this.#environment({}) });
		let out = '';
		let err = '';
		child.stdout.on('data', (chunk) => {
			out += chunk;
		});
		child.stderr.on('data', (chunk) => {
			err += chunk;
		});
		return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
	}

	/** The script under test sees nothing of the caller's environment, so that tests do not depend on it. */
	#environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
		return { PATH: join(dirname(this.root), 'bin'), HOME: dirname(this.root), ...env };
	}
}
