import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { seedJobs } from '../support/many-jobs.ts';
import { type Hold, type ProbedServer, startProbed } from '../support/probed-server.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';
import type { StintServer } from '../support/stint-server.ts';

/**
 * Requests over {@link COUNT} objects: the server has to answer them in pieces, so that no turn of its event
 * loop is long. The bound is CPU time, because these tests run beside others on a busy machine. STINT_MANY_OBJECTS sets
 * their number.
 */

const COUNT = Number(process.env.STINT_MANY_OBJECTS ?? 25_000);

/** The longest that one turn of the event loop may take, in milliseconds of CPU time. */
const LONGEST_HOLD_MS = 100;

const JOBS = '/apis/batch/v1/namespaces/default/jobs';

/** Starts a server with {@link COUNT} finished Jobs. */
async function openServer(t: TestContext): Promise<ProbedServer> {
	const folder = temporaryFolder(t);
	const store = await openSqliteStore({ path: join(folder, 'state.db') });
	await seedJobs(store, COUNT);
	await store.close();
	return startProbed(t, { folder });
}

/** Sends a request; the caller reads the body of the response. */
async function open(
	server: StintServer,
	path: string,
	options: { readonly method?: string; readonly accept?: string } = {},
): Promise<IncomingMessage> {
	const config = readFileSync(server.kubeconfig, 'utf8');
	const token = /"?token"?: "?([^"\s,}]+)/.exec(config)?.[1];
	const { method = 'GET', accept = 'application/json' } = options;
	return new Promise((resolve, reject) => {
		const request = https.request(
			`${server.url}${path}`,
			{ method, rejectUnauthorized: false, headers: { authorization: `Bearer ${token}`, accept } },
			resolve,
		);
		request.on('error', reject).end();
	});
}

async function bodyOf(response: IncomingMessage): Promise<string> {
	assert.equal(response.statusCode, 200);
	const pieces: Uint8Array[] = [];
	for await (const piece of response) pieces.push(piece);
	return Buffer.concat(pieces).toString();
}

function assertNotHeld(t: TestContext, holds: readonly Hold[]): void {
	const longest = Math.max(0, ...holds.map(({ heldMs }) => heldMs));
	t.diagnostic(`longest hold of the event loop: ${longest > 0 ? `${longest.toFixed(0)} ms` : 'under 40 ms'}`);
	assert.ok(longest <= LONGEST_HOLD_MS, `the event loop was held for ${longest} ms`);
}

test(`no read or deletion of ${COUNT} objects blocks the event loop`, async (t) => {
	const server = await openServer(t);
	await t.test('an informer of client-go syncs them with one watch', (t) => checkInformer(t, server));
	await server.kubectl('get', '--raw', `${JOBS}?limit=1`);
	const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
	const metadata = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
	const rows: ReadonlyArray<readonly [path: string, accept: string, count: number]> = [
		[JOBS, 'application/json', COUNT],
		[`${JOBS}?pretty=1`, 'application/json', COUNT],
		[JOBS, table, COUNT],
		[`${JOBS}?includeObject=Object`, table, COUNT],
		[JOBS, metadata, COUNT],
		[`${JOBS}?labelSelector=tenth%3Dyes`, 'application/json', COUNT / 10],
		[`${JOBS}?fieldSelector=status.successful%3D1`, 'application/json', COUNT],
		[`${JOBS}?labelSelector=tenth%3Dno`, table, 0],
	];
	for (const [path, accept, count] of rows) {
		await t.test(`${path} as ${accept}`, async (t) => {
			const before = server.holds().length;
			const { items, rows: found } = JSON.parse(await bodyOf(await open(server, path, { accept })));
			assert.equal((items ?? found).length, count);
			assertNotHeld(t, server.holds().slice(before));
		});
	}
	await t.test('watch', async (t) => {
		const before = server.holds().length;
		const query = 'watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1';
		const response = await open(server, `${JOBS}?${query}`);
		let events = 0;
		let rest = '';
		for await (const piece of response.setEncoding('utf8')) {
			const lines = `${rest}${piece}`.split('\n');
			rest = lines.pop() ?? '';
			events += lines.length;
			if (lines.some((line) => line.includes('k8s.io/initial-events-end'))) break;
		}
		assert.equal(events, COUNT + 1);
		assertNotHeld(t, server.holds().slice(before));
	});
	await t.test('deletecollection', async (t) => {
		const before = server.holds().length;
		const response = await open(server, `${JOBS}?propagationPolicy=Background`, { method: 'DELETE' });
		assert.equal(JSON.parse(await bodyOf(response)).items.length, COUNT);
		assert.equal(JSON.parse(await bodyOf(await open(server, JOBS))).items.length, 0);
		assertNotHeld(t, server.holds().slice(before));
	});
});

async function checkInformer(t: TestContext, server: ProbedServer): Promise<void> {
	const source = join(ROOT, 'test/e2e/client-go');
	const version = await run('go', ['version']).catch(() => undefined);
	if (version?.code !== 0) return t.skip('Go is not installed on this machine');
	const modules = await run('go', ['-C', source, 'mod', 'download']);
	if (modules.code !== 0) return t.skip(`the modules of client-go cannot be downloaded: ${modules.stderr}`);
	const program = join(temporaryFolder(t), 'informer');
	const built = await run('go', ['-C', source, 'build', '-o', program, '.']);
	assert.equal(built.code, 0, built.stderr);
	const before = server.holds().length;
	const { code, stdout, stderr } = await run(program, ['-kubeconfig', server.kubeconfig]);
	assert.equal(code, 0, stderr);
	const { synced, objects, lists, watches, seesNew, seesGone, lastError, seconds } = JSON.parse(stdout);
	assert.deepEqual(
		{ synced, objects, lists, watches, seesNew, seesGone, lastError },
		{ synced: true, objects: COUNT, lists: 0, watches: 1, seesNew: true, seesGone: true, lastError: '' },
	);
	assertNotHeld(t, server.holds().slice(before));
	t.diagnostic(`${objects} objects in ${seconds.toFixed(1)} s`);
}
