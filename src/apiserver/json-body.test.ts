import assert from 'node:assert/strict';
import { threadCpuUsage } from 'node:process';
import { describe, test } from 'node:test';
import { type BytesAnswer, type SentBytes, sendBytes } from './bytes-client.ts';
import { JOBS, openTestServer } from './server-contract-suite.ts';

/** A request made to hold the server up: others add rows. */
interface HostileRequest extends SentBytes {
	readonly name: string;
	readonly code: number;
}

const job = (metadata: object, pod: object = {}, container: object = {}): string =>
	JSON.stringify({
		metadata: { name: 'j', ...metadata },
		spec: {
			template: {
				spec: {
					restartPolicy: 'Never',
					containers: [{ name: 'c', image: 'b', ...container }],
					...pod,
				},
			},
		},
	});
const many = <T>(count: number, entry: (index: number) => T): T[] =>
	Array.from({ length: count }, (_, index) => entry(index));
const keys = (count: number) => Object.fromEntries(many(count, (index) => [`k${index}`, 'v']));

const POSTS: readonly HostileRequest[] = [
	{ name: 'a million open lists', body: '['.repeat(1_000_000), code: 400 },
	{
		name: 'a million open lists of YAML',
		body: '['.repeat(1_000_000),
		code: 400,
		contentType: 'application/yaml',
	},
	{ name: 'escapes without end', body: `"${'\\x'.repeat(1_400_000)}`, code: 400 },
	{ name: '100,000 labels', body: job({ labels: keys(100_000) }), code: 413 },
	{
		name: '15,000 wrong labels',
		body: job({ labels: Object.fromEntries(many(15_000, (i) => [`k ${i}`, 'v'])) }),
		code: 422,
	},
	{ name: '15,000 finalizers', body: job({ finalizers: many(15_000, (i) => `f${i}`) }), code: 422 },
	{ name: '5,000 variables', body: job({}, {}, { env: many(5_000, (i) => ({ name: `E${i}` })) }), code: 201 },
	{
		name: '5,000 tolerations',
		body: job({}, { tolerations: many(5_000, () => ({ operator: 'Exists' })) }),
		code: 201,
	},
	{ name: 'a time of 2 MB', body: job({ creationTimestamp: ':'.repeat(2_000_000) }), code: 400 },
];

/** The CPU time of the longest turn of the event loop while `send` is answered, in milliseconds. */
async function heldBy(send: () => Promise<BytesAnswer>): Promise<{ answer: BytesAnswer; heldMs: number }> {
	const used = () => {
		const { user, system } = threadCpuUsage();
		return (user + system) / 1000;
	};
	let heldMs = 0;
	let before = used();
	let ended = false;
	const turn = () => {
		heldMs = Math.max(heldMs, used() - before);
		before = used();
		if (!ended) setImmediate(turn);
	};
	setImmediate(turn);
	const answer = await send();
	ended = true;
	heldMs = Math.max(heldMs, used() - before);
	return { answer, heldMs };
}

describe('a hostile body', () => {
	for (const { name, code, ...sent } of POSTS) {
		test(`of ${name} is answered with ${code} and lets others run`, async () => {
			const { server } = await openTestServer();
			const { answer, heldMs } = await heldBy(() => sendBytes(server, 'POST', JOBS, sent));
			assert.equal(answer.code, code, answer.text.slice(0, 300));
			assert.ok(heldMs < 100, `the event loop was held for ${heldMs} ms of CPU time`);
		});
	}
});

describe('a JSON body', () => {
	test('with a resource named as a function of every object is refused', async () => {
		const { server } = await openTestServer();
		const body = job({}, {}, { resources: { requests: { constructor: '1' } } });
		const { code } = await sendBytes(server, 'POST', JOBS, { body });
		assert.equal(code, 422);
	});

	test('of null is an object without fields, and one behind a byte-order mark is no JSON', async () => {
		const { server } = await openTestServer();
		assert.equal((await sendBytes(server, 'POST', JOBS, { body: 'null' })).code, 422);
		assert.equal((await sendBytes(server, 'POST', JOBS, { body: `\u{feff}${job({})}` })).code, 400);
	});

	test('may name a resourceVersion only in a dry run', async () => {
		const { server } = await openTestServer();
		const body = job({ resourceVersion: '1' });
		assert.equal((await sendBytes(server, 'POST', JOBS, { body })).code, 400);
		const query = { dryRun: 'All' };
		assert.equal((await sendBytes(server, 'POST', JOBS, { body, query })).code, 201);
	});
});
