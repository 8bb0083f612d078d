import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { type Figure, quantile } from './figure.ts';
import { timeJob, trueJob } from './jobs.ts';
import { startServer } from './server-process.ts';

const ROUNDS = 200;
const WARM_UP = 20;
const VALUE = new Uint8Array(3000);

/** The time of a Job of `/bin/true` from the POST to the watch event with Complete, with durable writes. */
export async function oneShot(): Promise<readonly Figure[]> {
	const sample = await oneShotTimes();
	const limit = { name: 'nine commits to disk, p50', value: 9 * (await commitMs()) };
	const p50 = quantile(sample, 0.5);
	const p99 = quantile(sample, 0.99);
	return [
		{ name: 'one-shot Job, p50', value: p50, unit: 'ms', limit, aim: '<= 25 ms', met: p50 <= 25 },
		{ name: 'one-shot Job, p99', value: p99, unit: 'ms', limit, aim: '<= 100 ms', met: p99 <= 100 },
	];
}

/** The times, in milliseconds, of Jobs that run one after the other on a server with these arguments. */
export async function oneShotTimes({
	args = [],
	image,
}: {
	readonly args?: readonly string[];
	readonly image?: string;
} = {}): Promise<readonly number[]> {
	const server = await startServer({ args });
	try {
		const sample: number[] = [];
		for (let round = 0; round < WARM_UP + ROUNDS; round++) {
			const took = await timeJob(server.client, trueJob(`one-${round}`, {}, image));
			if (round >= WARM_UP) sample.push(took);
		}
		return sample;
	} finally {
		await server.stop();
	}
}

/** The median time of one durable write of the store alone, for which each step of a Job must wait. */
async function commitMs(): Promise<number> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-bench-'));
	const store = await openSqliteStore({ path: join(folder, 'state.db') });
	const sample: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const started = performance.now();
		await store.write({ type: 'create', key: `/bench/${round}`, value: VALUE });
		sample.push(performance.now() - started);
	}
	await store.close();
	rmSync(folder, { recursive: true, force: true });
	return quantile(sample, 0.5);
}
