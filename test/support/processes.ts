import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '../..');

/** The exit of a command, with its complete output. */
export interface Finished {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** A process under test, with its output so far. */
export class Running {
	readonly child: ChildProcessWithoutNullStreams;
	readonly finished: Promise<Finished>;
	stdout = '';
	stderr = '';
	readonly #checks = new Set<() => void>();

	constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd = ROOT) {
		this.child = spawn(command, args, { env, cwd });
		// EPIPE: a command may exit without having read its standard input.
		this.child.stdin.on('error', () => undefined);
		this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
			this.stdout += text;
			this.#check();
		});
		this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
			this.stderr += text;
			this.#check();
		});
		this.finished = new Promise((resolve, reject) => {
			this.child.on('error', reject);
			this.child.on('close', (code, signal) => {
				resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
				this.#check();
			});
		});
	}

	/** Resolves to the match once stdout or stderr contains `pattern`; rejects if the process exits before. */
	async printed(pattern: RegExp): Promise<RegExpExecArray> {
		const match = (): RegExpExecArray | null => pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
		const ended = this.finished.then(({ code }) => {
			const last = match();
			if (last) return last;
			throw new Error(`ended with ${code} before printing ${pattern}:\n${this.stdout}\n${this.stderr}`);
		});
		const found = new Promise<RegExpExecArray>((resolve) => {
			const check = (): void => {
				const hit = match();
				if (!hit) return;
				this.#checks.delete(check);
				resolve(hit);
			};
			this.#checks.add(check);
			check();
		});
		return Promise.race([found, ended]);
	}

	#check(): void {
		for (const check of [...this.#checks]) check();
	}
}

/** A command that runs longer than this is killed; its test fails because of the signal. */
const LONGEST_RUN_MS = 90_000;

/** Runs a command to its end; `input` goes to its standard input. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
	const running = new Running(command, args, options.env, options.cwd);
	running.child.stdin.end(options.input ?? '');
	const tooLong = setTimeout(() => running.child.kill('SIGKILL'), LONGEST_RUN_MS);
	return running.finished.finally(() => clearTimeout(tooLong));
}

/** The surroundings of a command. */
export interface RunOptions {
	readonly env?: NodeJS.ProcessEnv;
	readonly cwd?: string;
	readonly input?: string;
}

/** Creates a folder for this test alone; it is removed at the end of the test. */
export function temporaryFolder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-test-'));
	atEnd(t, () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
	return path;
}

const ENDS = new WeakMap<TestContext, (() => unknown)[]>();

/**
 * Calls `act` at the end of the test, before those that were registered earlier: a server stops before its folder is
 * removed. The functions of `t.after` are called in the order of their registration instead.
 */
export function atEnd(t: TestContext, act: () => unknown): void {
	const acts = ENDS.get(t) ?? [];
	acts.push(act);
	if (ENDS.has(t)) return;
	ENDS.set(t, acts);
	t.after(() => endAll(acts));
}

/** Calls the last of them first, each also after the failure of another. */
async function endAll(acts: (() => unknown)[]): Promise<void> {
	const act = acts.pop();
	if (!act) return;
	try {
		await act();
	} finally {
		await endAll(acts);
	}
}
