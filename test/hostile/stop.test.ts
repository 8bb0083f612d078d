import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { Client } from '../../src/client/client.ts';
import { readKubeconfig } from '../../src/client/kubeconfig/kubeconfig.ts';
import { HttpTransport } from '../../src/client/transport/http-node.ts';
import { temporaryFolder } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** How often a server under load is stopped. The default is low; 200 are run by hand before a release. */
const TRIES = Number(process.env.STINT_STOP_TRIES ?? 4);
/** The seed of the delays; STINT_STOP_SEED repeats an earlier run. */
const SEED = Number(process.env.STINT_STOP_SEED ?? Date.now() % 1_000_000);

/** How long a stop may take, from the signal to the exit. */
const LONGEST_STOP_MS = 5000;

const WRITERS = 12;
const WATCHES = 20;

function job(name: string): Job {
	const containers = [{ name: 'main', image: 'busybox', command: ['true'] }];
	const spec = { parallelism: 3, completions: 6, template: { spec: { restartPolicy: 'Never', containers } } };
	// The cast is safe: this is a manifest, which the server decodes and defaults.
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec } as unknown as Job;
}

/** Keeps a server busy with new Jobs, their Pods, lists and watches until the server stops. */
class Load {
	readonly #client: Client;
	readonly #transport: HttpTransport;
	#created = 0;
	#over = false;
	readonly #busy = Promise.withResolvers<void>();

	constructor(transport: HttpTransport) {
		this.#transport = transport;
		this.#client = new Client(transport);
	}

	/** Starts the load; resolves once the writers have created three Jobs each on average. */
	async start(prefix: string): Promise<void> {
		for (let i = 0; i < WATCHES; i++) this.#watch();
		for (let i = 0; i < WRITERS; i++) this.#write(`${prefix}-${i}`);
		await this.#busy.promise;
	}

	stop(): void {
		this.#over = true;
		this.#transport.close();
	}

	#write(prefix: string): void {
		const target = this.#client.resource(jobs, 'default');
		const next = async (count: number): Promise<void> => {
			if (this.#over) return;
			await target.create(job(`${prefix}-${count}`));
			this.#created += 1;
			if (this.#created === 3 * WRITERS) this.#busy.resolve();
			await target.list({ limit: 50 });
			await next(count + 1);
		};
		// The stop of the server ends the writer: its next request fails.
		next(0).catch(() => undefined);
	}

	#watch(): void {
		const sink = { events: () => undefined, ended: () => undefined };
		this.#client
			.resource(pods)
			.watch({}, sink)
			.catch(() => undefined);
	}
}

async function transportTo({ kubeconfig }: StintServer): Promise<HttpTransport> {
	const text = await readFile(kubeconfig, 'utf8');
	const access = await readKubeconfig([{ path: kubeconfig, text }], {
		readFile: (path) => readFile(path, 'utf8'),
	});
	return new HttpTransport(access);
}

/**
 * The duration of a stop in milliseconds, and its stages: until the server reports the signal, is stopped,
 * exits.
 */
interface Stop {
	readonly took: number;
	readonly stages: string;
}

/** Starts a server on `folder`, puts it under load and stops it after `delayMs`. */
async function stopUnderLoad(
	t: TestContext,
	{ folder, delayMs, name }: { readonly folder: string; readonly delayMs: number; readonly name: string },
): Promise<Stop> {
	const server = await startStint(t, { folder });
	const load = new Load(await transportTo(server));
	await load.start(name);
	await new Promise((resolve) => setTimeout(resolve, delayMs));
	const startedAt = Date.now();
	const { code, signal, stderr } = await server.stop();
	const ended = Date.now();
	load.stop();
	assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr.slice(-1000));
	assert.ok(!existsSync(join(folder, 'state.db-wal')), 'the database was not closed');
	assert.equal(/.*"level":"(fatal|warning)".*/.exec(stderr)?.[0].slice(0, 500), undefined);
	const [noticed = 0, stopped = 0] = stderr
		.trim()
		.split('\n')
		.map((line) => Date.parse(JSON.parse(line).time));
	const stages = `${noticed - startedAt} + ${stopped - noticed} + ${ended - stopped}`;
	return { took: ended - startedAt, stages };
}

test(`a server under load stops within 5 s of SIGTERM and closes its database (seed ${SEED})`, async (t) => {
	const random = new SeededRandom(SEED);
	let folder = temporaryFolder(t);
	const stops: Stop[] = [];
	for (let i = 0; i < TRIES; i++) {
		// Each server starts with the unfinished work of the previous ones; ten runs bound that work.
		if (i % 10 === 9) folder = temporaryFolder(t);
		const stop = await stopUnderLoad(t, { folder, delayMs: random.next() * 1000, name: `try-${i}` });
		stops.push(stop);
		assert.ok(stop.took <= LONGEST_STOP_MS, `try ${i} took ${stop.stages} ms, load ${loadavg()[0]}`);
	}
	const [longest] = stops.sort((a, b) => b.took - a.took);
	t.diagnostic(
		`${TRIES} stops took ${stops.map(({ took }) => took).join(', ')} ms; the longest ${longest?.stages}`,
	);
});

test('a server exits with the code of the signal that stops it, and logs the stop', async (t) => {
	const codes = { SIGTERM: 0, SIGHUP: 129, SIGINT: 130 } as const;
	for (const [signal, code] of Object.entries(codes)) {
		const server = await startStint(t, { args: ['--runtime', 'fake'] });
		server.process.child.kill(signal as keyof typeof codes);
		const ended = await server.process.finished;
		assert.deepEqual({ code: ended.code, signal: ended.signal }, { code, signal: null });
		const lines = ended.stderr
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		assert.deepEqual(
			lines.map(({ level, message }) => `${level}: ${message}`),
			[`info: stopping: received ${signal}`, 'info: stopped; running Pods continue to run'],
		);
		assert.ok(!existsSync(join(server.folder, 'state.db-wal')));
	}
});
