import assert from 'node:assert/strict';
import test from 'node:test';
import type { FuzzClient, FuzzOutcome } from '../fuzz/fuzz-client.ts';
import { ask, LONGEST_HOLD_MS, startGuarded } from './guarded-server.ts';
import { LARGE_OBJECTS } from './large-objects.ts';
import { type HostileRequest, JOBS, job, LARGE } from './parts.ts';
import { HOSTILE } from './requests.ts';

/**
 * Requests that are each made to hold a server up, over real connections: each is answered as it should be, and
 * other clients are answered meanwhile.
 */

/** How many Jobs there are to be listed and deleted. */
const MANY_JOBS = 5_000;

/** Makes the objects that the requests are about. */
async function prepare(client: FuzzClient): Promise<void> {
	const post = async (object: object): Promise<void> => {
		const body = { contentType: 'application/json', bytes: Buffer.from(JSON.stringify(object)) };
		const { status, text } = await client.send({
			method: 'POST',
			path: JOBS,
			accept: 'application/json',
			body,
		});
		assert.equal(status, 201, text);
	};
	const annotations = Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`k${index}`, 'v']));
	const env = Array.from({ length: 2_500 }, (_, index) => ({ name: `E${index}`, value: 'v' }));
	await post(job({ name: LARGE, annotations }, {}, { env, args: ['a'] }));
	let made = 0;
	const maker = async (): Promise<void> => {
		while (made < MANY_JOBS) await post(job({ name: `many-${made++}`, labels: { many: 'y' } }));
	};
	await Promise.all(Array.from({ length: 8 }, maker));
}

/** Sends the request while another client asks for readiness, again and again. */
async function sendBesideOthers(client: FuzzClient, request: HostileRequest): Promise<FuzzOutcome> {
	let isOver = false;
	const others = (async () => {
		while (!isOver) assert.equal((await ask(client, '/readyz')).status, 200);
	})();
	try {
		return await client.send(request);
	} finally {
		isOver = true;
		await others;
	}
}

test('requests that are made to hold a server up', async (t) => {
	const { client, heldMs } = await startGuarded(t);
	await prepare(client);
	await heldMs();
	for (const request of [...LARGE_OBJECTS, ...HOSTILE]) {
		await t.test(`${request.name} is answered with ${request.status}, and others need not wait`, async () => {
			const { status, text } = await sendBesideOthers(client, request);
			const held = await heldMs();
			assert.equal(status, request.status, text);
			assert.ok(held < LONGEST_HOLD_MS, `the event loop was held for ${held} ms of CPU time`);
		});
	}
});
