import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '../src/client/client.ts';
import { readKubeconfig, type ServerAccess } from '../src/client/kubeconfig/kubeconfig.ts';
import { HttpTransport } from '../src/client/transport/http-node.ts';

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '..');

/** A server that was started as a user starts it, with `./stint server`, on a free port. */
export interface ServerProcess {
	readonly folder: string;
	readonly pid: number;
	readonly access: ServerAccess;
	readonly client: Client;
	stop(): Promise<void>;
}

/** Starts a server; resolves once it prints that it is ready. */
export async function startServer(
	options: { folder?: string; args?: readonly string[] } = {},
): Promise<ServerProcess> {
	const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'stint-bench-'));
	const args = ['server', '--data-dir', folder, '--port', '0', ...(options.args ?? [])];
	const child = spawn(join(ROOT, 'stint'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
	await lineFrom(child, /ready at/);
	const path = join(folder, 'kubeconfig');
	const access = await readKubeconfig([{ path, text: readFileSync(path, 'utf8') }], {
		readFile: (file) => readFile(file, 'utf8'),
	});
	return {
		folder,
		pid: child.pid ?? 0,
		access,
		client: new Client(new HttpTransport(access)),
		stop: async () => {
			const exited = new Promise((resolve) => child.once('exit', resolve));
			child.kill('SIGTERM');
			await exited;
			if (!options.folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
		},
	};
}

async function lineFrom(child: ChildProcess, pattern: RegExp): Promise<void> {
	if (!child.stdout) throw new Error('the server has no output');
	for await (const line of createInterface({ input: child.stdout })) if (pattern.test(line)) return;
	throw new Error('the server ended before it was ready');
}

/** Milliseconds from the start of `./stint server` until `/readyz` returns 200. */
export async function timeColdStart(folder: string, port: number): Promise<number> {
	const started = performance.now();
	const args = ['server', '--data-dir', folder, '--port', String(port)];
	const child = spawn(join(ROOT, 'stint'), args, { stdio: 'ignore' });
	// Requests without a pause would occupy one of the machine's CPUs, which the server needs.
	while (!(await isReady(port))) await new Promise((resolve) => setTimeout(resolve, 1));
	const took = performance.now() - started;
	const exited = new Promise((resolve) => child.once('exit', resolve));
	child.kill('SIGTERM');
	await exited;
	return took;
}

function isReady(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const options = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false };
		const request = https.get(options, (response) => {
			response.resume();
			resolve(response.statusCode === 200);
		});
		request.on('error', () => resolve(false));
	});
}
