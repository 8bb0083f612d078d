import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { FuzzClient, FuzzOutcome } from '../fuzz/fuzz-client.ts';
import { seedJobs } from '../support/many-jobs.ts';
import { temporaryFolder } from '../support/processes.ts';
import { ask, LONGEST_HOLD_MS, startGuarded } from './guarded-server.ts';
import { LARGE_OBJECTS } from './large-objects.ts';
import { type HostileRequest, JOBS, job, LARGE } from './parts.ts';
import { HOSTILE } from './requests.ts';

/**
 * Each request here tries to block the server's event loop. They are sent over real connections to a server
 * in a process of its own: each must get its expected status, and other clients must not wait meanwhile. The
 * bound is CPU time of one turn of the event loop, which is the same on a busy machine.
 */

/** The number of Jobs that requests list and delete. */
const MANY_JOBS = 5_000;

/** Creates the objects that the requests need. */
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
}

/** A data folder with {@link MANY_JOBS} finished Jobs. */
async function seededFolder(t: TestContext): Promise<string> {
	const folder = temporaryFolder(t);
	const store = await openSqliteStore({ path: join(folder, 'state.db') });
	await seedJobs(store, MANY_JOBS);
	await store.close();
	return folder;
}

/** How long the other client pauses: without pauses it would take more of the processors than the requests. */
const OTHERS_PAUSE_MS = 5;

/** Sends the request while another client reads /readyz again and again. */
async function sendBesideOthers(client: FuzzClient, request: HostileRequest): Promise<FuzzOutcome> {
	let isOver = false;
	const others = (async () => {
		while (!isOver) {
			assert.equal((await ask(client, '/readyz')).status, 200);
			await pause(OTHERS_PAUSE_MS);
		}
	})();
	try {
		return await client.send(request);
	} finally {
		isOver = true;
		await others;
	}
}

test('no hostile request blocks the event loop of the server', async (t) => {
	const { client, heldMs } = await startGuarded(t, await seededFolder(t));
	await prepare(client);
	await heldMs();
	for (const request of [...LARGE_OBJECTS, ...HOSTILE]) {
		await t.test(
			`${request.name} is answered with ${request.status} and does not delay other clients`,
			async () => {
				const { status, text } = await sendBesideOthers(client, request);
				const held = await heldMs();
				assert.equal(status, request.status, text);
				assert.ok(held < LONGEST_HOLD_MS, `the event loop was held for ${held} ms of CPU time`);
			},
		);
	}
});
