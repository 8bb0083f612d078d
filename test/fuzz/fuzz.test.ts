import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { Dice } from '../simulation/dice.ts';
import { startProbed } from '../support/probed-server.ts';
import { FuzzClient, type FuzzOutcome } from './fuzz-client.ts';
import { drawRequest, type FuzzRequest } from './requests.ts';

/**
 * Fuzzes a server in a process of its own with requests of every verb and every format of body, valid and
 * damaged. The server must not crash, answer with a 5xx, block its event loop or use more and more memory.
 *
 * `STINT_FUZZ_REQUESTS` is the number of requests (default 2,000), `STINT_FUZZ_SEED` repeats a seed. A repeated
 * run sends the same requests, but concurrent ones may reach the server in another order.
 */
const REQUESTS = Number(process.env.STINT_FUZZ_REQUESTS ?? 2000);
const SEED = Number(process.env.STINT_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));

/** How many requests are in flight at once. */
const CONCURRENCY = 8;

/** All objects are deleted after this number of requests, so that their number stays small. */
const CLEAR_INTERVAL = 500;

/** The longest that one turn of the event loop may take, in milliseconds of CPU time. */
const LONGEST_HOLD_MS = 100;

/** The server's limit of resident memory after any number of requests, in MiB. */
const MOST_MEMORY_MIB = 700;

/**
 * A 5xx or a broken connection. Upstream too answers 504 to a read at a future revision, and 500 to a Service for which no
 * address is free, as after the deletion of all ServiceCIDRs: these are no faults.
 */
function isFault({ status, text }: FuzzOutcome): boolean {
	if (status === 500) return !/failed to allocate a serviceIP for Service .*: range is full/.test(text);
	if (status === 504) return !text.includes('ResourceVersionTooLarge');
	return status >= 500 || status === 0;
}

/** The outcomes of the requests: the count of each status, the latest outcomes, and all faults. */
class Record {
	readonly bad: FuzzOutcome[] = [];
	readonly #last: FuzzOutcome[] = [];
	readonly counts = new Map<number, number>();

	add(outcome: FuzzOutcome): void {
		this.counts.set(outcome.status, (this.counts.get(outcome.status) ?? 0) + 1);
		if (isFault(outcome)) this.bad.push(outcome);
		this.#last.push(outcome);
		if (this.#last.length > 4000) this.#last.splice(0, 2000);
	}

	/** The requests that were in flight during a period, in ms since the epoch. */
	during(fromMs: number, toMs: number): readonly FuzzOutcome[] {
		return this.#last.filter(({ startedAt, endedAt = toMs }) => startedAt <= toMs && endedAt >= fromMs);
	}
}

async function fuzz(client: FuzzClient, dice: Dice, record: Record): Promise<void> {
	let sent = 0;
	const sender = async (): Promise<void> => {
		while (sent < REQUESTS) {
			sent += 1;
			if (sent % CLEAR_INTERVAL === 0) await clear(client, record);
			record.add(await client.send(drawRequest(dice)));
			if (record.bad.length > 20) return;
		}
	};
	await Promise.all(Array.from({ length: CONCURRENCY }, sender));
}

const CLEARED = ['batch/v1/namespaces/default/cronjobs', 'batch/v1/namespaces/default/jobs'] as const;

async function clear(client: FuzzClient, record: Record): Promise<void> {
	const at = (path: string): FuzzRequest => ({
		method: 'DELETE',
		path: `${path}?gracePeriodSeconds=0`,
		accept: 'application/json',
	});
	for (const path of CLEARED) record.add(await client.send(at(`/apis/${path}`)));
	for (const resource of ['pods', 'events'])
		record.add(await client.send(at(`/api/v1/namespaces/default/${resource}`)));
}

function residentMib(pid: number): number {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function describeOutcome({ request, status, text }: FuzzOutcome): string {
	const { method, path, accept, body } = request;
	const sent = body ? `${body.contentType} ${Buffer.from(body.bytes).toString('utf8').slice(0, 600)}` : '';
	return `${method} ${path.slice(0, 300)}\n  accept: ${accept}\n  ${sent}\n  ${status} ${text.slice(0, 300)}`;
}

test(`a server survives ${REQUESTS} fuzzed requests, seed ${SEED}`, async (t) => {
	const server = await startProbed(t, { args: ['--runtime', 'fake'] });
	t.diagnostic(`seed ${SEED}: STINT_FUZZ_SEED=${SEED} repeats it`);
	const client = new FuzzClient(server.kubeconfig);
	t.after(() => client.close());
	const record = new Record();
	const startedAt = Date.now();
	await fuzz(client, new Dice(new SeededRandom(SEED)), record);
	const mib = residentMib(server.process.child.pid ?? 0);
	const counts = [...record.counts].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
	t.diagnostic(`${counts.join(', ')}; ${Math.round(mib)} MiB; ${Date.now() - startedAt} ms`);

	await t.test('the server answers no request with a 5xx and breaks no connection', () => {
		assert.equal(server.process.child.exitCode, null, server.process.stderr.slice(-2000));
		assert.deepEqual(record.bad.map(describeOutcome), [], `seed ${SEED}`);
	});
	await t.test('no request blocks the event loop', () => {
		const long = server.holds().filter(({ heldMs, at }) => at > startedAt && heldMs > LONGEST_HOLD_MS);
		const holds = long.map(({ heldMs, at }) => {
			const under = record.during(at - heldMs - 20, at);
			return `${Math.round(heldMs)} ms during\n${under.map(describeOutcome).join('\n')}`;
		});
		assert.deepEqual(holds, [], `seed ${SEED}`);
	});
	await t.test('the memory of the server stays bounded', () => {
		assert.ok(mib < MOST_MEMORY_MIB, `${Math.round(mib)} MiB`);
	});
	await t.test('the server stops with exit code 0', async () => {
		const { code, stderr } = await server.stop();
		assert.equal(code, 0, stderr.slice(-2000));
	});
});
