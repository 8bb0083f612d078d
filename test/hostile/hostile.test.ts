import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { FuzzClient, type FuzzOutcome } from '../fuzz/fuzz-client.ts';
import { startProbed } from '../support/probed-server.ts';
import { HOSTILE, type HostileRequest, JOBS, job, LARGE } from './requests.ts';

/**
 * Requests that are each made to hold a server up, over real connections: each is answered as it should be, and
 * other clients are answered meanwhile.
 */

/** The longest that one turn of the event loop may take, in milliseconds of CPU time. */
const LONGEST_HOLD_MS = 100;

/** How many Jobs there are to be listed and deleted. */
const MANY_JOBS = 5_000;

interface Guarded {
	readonly client: FuzzClient;
	/** The longest turn of the server's event loop since the last call, in milliseconds of CPU time. */
	heldMs(): Promise<number>;
}

async function start(t: TestContext): Promise<Guarded> {
	const server = await startProbed(t, { args: ['--runtime', 'fake'] });
	const client = new FuzzClient(server.kubeconfig);
	t.after(() => client.close());
	let seen = 0;
	return {
		client,
		heldMs: async () => {
			// The probe looks every 5 ms; a turn that is noted is so before two more requests are answered.
			for (let time = 0; time < 2; time++) await ask(client, '/readyz');
			const fresh = server.holds().slice(seen);
			seen += fresh.length;
			return Math.max(0, ...fresh.map(({ heldMs }) => heldMs));
		},
	};
}

function ask(client: FuzzClient, path: string): Promise<FuzzOutcome> {
	return client.send({ method: 'GET', path, accept: '*/*' });
}

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
	const { client, heldMs } = await start(t);
	await prepare(client);
	await heldMs();
	for (const request of HOSTILE) {
		await t.test(`${request.name} is answered with ${request.status}, and others need not wait`, async () => {
			const { status, text } = await sendBesideOthers(client, request);
			const held = await heldMs();
			assert.equal(status, request.status, text);
			assert.ok(held < LONGEST_HOLD_MS, `the event loop was held for ${held} ms of CPU time`);
		});
	}
});
