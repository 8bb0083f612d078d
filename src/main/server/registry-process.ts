import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { attempt } from '../../base/attempt.ts';
import { isRecord } from '../../base/json/json.ts';
import type { Part } from '../../base/lifecycle.ts';
import type { Log } from '../log.ts';
import type { DataFolder } from './data-folder.ts';

/** What the process of the registry needs. */
export interface RegistryProcessOptions {
	readonly folder: DataFolder;
	/** The port on 127.0.0.1; 0: any free port. */
	readonly port: number;
	readonly log: Pick<Log, 'info' | 'warning'>;
	/** Called if it ends by itself after it was ready. */
	onLost(error: Error): void;
}

/**
 * `stint registry` as a part of the server: a process of its own, since it hashes what is pushed and the API must not wait
 * for that. It ends when the server does, however that ends: its standard input then ends too.
 */
export function registryProcess(options: RegistryProcessOptions): Part<RunningRegistry> {
	return {
		name: 'registry',
		start: async () => {
			const registry = new RunningRegistry(options);
			await registry.ready;
			return registry;
		},
		stop: (registry) => registry.stop(),
	};
}

/** The process. */
export class RunningRegistry {
	/** Resolves once it listens; rejects if it ends before that. */
	readonly ready: Promise<void>;
	readonly #child: ChildProcess;
	readonly #ended: Promise<unknown>;
	readonly #log: RegistryProcessOptions['log'];
	#isStopping = false;
	/** Why it has ended: what it wrote last that is no line of a log. */
	#reason = 'its process has ended';

	constructor({ folder, port, log, onLost }: RegistryProcessOptions) {
		const [, program = ''] = process.argv;
		const flags = ['--port', String(port), '--data-dir', folder.path, '--image-dir', folder.imageStore];
		const args = [...process.execArgv, program, 'registry', ...flags, '--until-input-ends'];
		// Not in the process group of the server: Ctrl-C stops the server, which then stops it.
		const child = spawn(process.execPath, args, { detached: true });
		this.#child = child;
		this.#log = log;
		this.#ended = once(child, 'close').catch(() => {});
		createInterface({ input: child.stderr }).on('line', (line) => this.#report(line));
		child.stdin.on('error', () => {});
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.ready = promise;
		createInterface({ input: child.stdout }).on('line', (line) => {
			const url = /ready at (\S+)/.exec(line)?.[1];
			if (url === undefined) return;
			resolve();
			log.info(`registry: it is ready at ${url}`);
		});
		void this.#ended.then(() => {
			const error = new Error(`the registry cannot run: ${this.#reason}`);
			reject(error);
			if (!this.#isStopping) onLost(error);
		});
	}

	/** Passes a line of its log on. */
	#report(line: string): void {
		const entry = attempt((): unknown => JSON.parse(line));
		if (!isRecord(entry) || typeof entry.message !== 'string') {
			this.#reason = line.replace(/^error: /, '');
			return;
		}
		const text = `registry: ${entry.message}`;
		if (entry.level === 'info') this.#log.info(text);
		else this.#log.warning(text);
	}

	/** Resolves when the process has ended. */
	async stop(): Promise<void> {
		this.#isStopping = true;
		this.#child.stdin?.end();
		await this.#ended;
	}
}
