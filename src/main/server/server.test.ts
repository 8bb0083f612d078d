import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PartError, StoppedError } from '../../base/lifecycle.ts';
import { freePort } from '../../base/testing/free-port.ts';
import { JOURNAL_NAME } from '../../runtime/process/launcher/launcher-files.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import type { Log } from '../log.ts';
import { dataFolder } from './data-folder.ts';
import { type ServerOptions, startServer } from './server.ts';

function optionsFor(t: TestContext): { readonly options: ServerOptions; readonly failures: string[] } {
	const path = mkdtempSync(join(tmpdir(), 'stint-test-'));
	t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
	const failures: string[] = [];
	const log: Log = {
		info: () => undefined,
		warning: () => undefined,
		error: () => undefined,
		failure: ({ message }) => failures.push(message),
	};
	const options = {
		folder: dataFolder(path),
		runtime: 'fake',
		maxPods: 10,
		storage: 'disk',
		port: 0,
		log,
	} as const;
	return { options, failures };
}

/** Asserts that a server has closed its database and its port: both can be opened again. */
async function assertClosed({ folder }: ServerOptions, port: number | undefined): Promise<void> {
	assert.ok(!existsSync(`${folder.database}-wal`), 'the database is not closed');
	await (await openSqliteStore({ path: folder.database })).close();
	if (port === undefined) return;
	const listener = createServer().listen(port, '127.0.0.1');
	await once(listener, 'listening');
	listener.close();
}

test('startServer rejects if the runtime cannot start, and closes the parts started before', async (t) => {
	const { options, failures } = optionsFor(t);
	const { folder } = options;
	// The runtime needs its launcher, which cannot start on this folder.
	mkdirSync(join(folder.runtime, 'launcher.log'), { recursive: true, mode: 0o700 });
	writeFileSync(join(folder.runtime, JOURNAL_NAME), '');
	const port = await freePort();
	await assert.rejects(startServer({ ...options, runtime: 'process', port }), (error) => {
		assert.ok(error instanceof PartError);
		assert.match(error.message, /^the container runtime could not be started: EISDIR/);
		return true;
	});
	await assertClosed(options, port);
	assert.deepEqual(failures, []);
});

test('startServer rejects for a port in use before it runs a controller, and closes the database', async (t) => {
	const { options } = optionsFor(t);
	const other = createServer().listen(0, '127.0.0.1');
	await once(other, 'listening');
	t.after(() => other.close());
	const address = other.address();
	assert.ok(typeof address === 'object' && address);
	await assert.rejects(startServer({ ...options, port: address.port }), (error) => {
		assert.ok(error instanceof PartError);
		assert.equal(error.part, 'listener');
		assert.ok(error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'EADDRINUSE');
		return true;
	});
	await assertClosed(options, undefined);
});

test('an uncaught error is logged and stops the server in order', async (t) => {
	const { options, failures } = optionsFor(t);
	const server = await startServer(options);
	server.fail(new Error('out of the blue'));
	assert.equal((await server.ended)?.message, 'the server failed: out of the blue');
	assert.deepEqual(failures, ['the server failed: out of the blue']);
	await assertClosed(options, Number(new URL(server.url ?? '').port));
});

test('the failure of the store is logged and stops the server', async (t) => {
	const { options, failures } = optionsFor(t);
	const store = new MemoryStore();
	const server = await startServer({ ...options, storage: async () => store });
	await store.close();
	assert.equal((await server.ended)?.message, 'the store failed: the store is closed');
	assert.equal(failures[0], 'the store failed: the store is closed');
});

test('a server whose signal aborts during the start stops in order', async (t) => {
	for (const turns of [0, 1, 3, 5, 8, 20]) {
		const { options } = optionsFor(t);
		const stop = new AbortController();
		const starting = startServer({ ...options, signal: stop.signal });
		for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		const outcome = await starting.then(
			({ ended }) => ended,
			(error: unknown) => assert.ok(error instanceof StoppedError),
		);
		assert.equal(outcome, undefined);
		await assertClosed(options, undefined);
	}
});
