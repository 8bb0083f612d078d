import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../base/testing/free-port.ts';

/** Why the registry cannot be started; undefined if it can. */
export function missingRegistry(): string | undefined {
	return spawnSync('docker-registry', ['--version']).error
		? 'docker-registry is not installed (apt-get install docker-registry)'
		: undefined;
}

/** Docker's own registry, as a process of the test with a folder of its own. */
export class RealRegistry {
	readonly host: string;
	readonly #process: ChildProcess;
	readonly #folder: string;

	private constructor(host: string, process: ChildProcess, folder: string) {
		this.host = host;
		this.#process = process;
		this.#folder = folder;
	}

	/** Starts it on a free port of this machine. `htpasswd`: a line with bcrypt, without which no password is needed. */
	static async start(htpasswd?: string): Promise<RealRegistry> {
		const folder = mkdtempSync(join(tmpdir(), 'stint-registry-'));
		const host = `127.0.0.1:${await freePort()}`;
		const storage = { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } };
		writeFileSync(join(folder, 'htpasswd'), htpasswd ?? '');
		const auth = { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } };
		const config = { version: 0.1, storage, http: { addr: host }, ...(htpasswd !== undefined && { auth }) };
		// JSON is YAML.
		writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
		const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		const registry = new RealRegistry(host, child, folder);
		for await (const line of createInterface({ input: child.stderr })) {
			if (!line.includes('listening on')) continue;
			child.stderr.resume();
			return registry;
		}
		await registry.stop();
		throw new Error('docker-registry did not start');
	}

	/** Ends the process and removes its folder. */
	async stop(): Promise<void> {
		if (this.#process.exitCode === null && this.#process.kill('SIGTERM')) await once(this.#process, 'exit');
		rmSync(this.#folder, { recursive: true, force: true });
	}
}
