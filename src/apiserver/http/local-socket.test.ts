import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
	existsSync,
	lstatSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { type OutgoingHttpHeaders, request as open } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { listenTo, send, testCredentials } from '../testing/https-test-client.ts';
import { openTestServer, type TestServer } from '../testing/server-contract-suite.ts';
import type { HttpListener } from './listener.ts';

describe('the Unix socket', () => {
	let folder: string;
	let path: string;
	let opened: TestServer;
	let listener: HttpListener;

	beforeEach(async () => {
		folder = mkdtempSync(join(tmpdir(), 'stint-socket-'));
		path = join(folder, 'api.sock');
		opened = await openTestServer();
		listener = await listenTo(opened);
	});
	afterEach(async () => {
		await listener.close();
		opened.server.close();
		rmSync(folder, { recursive: true });
		assert.deepEqual(opened.faults, []);
	});

	/** The status code of the response to a GET. */
	const get = (target: string, headers: OutgoingHttpHeaders = {}): Promise<number | undefined> =>
		new Promise((resolve, reject) => {
			const request = open({ socketPath: path, path: target, headers, agent: false }, (response) => {
				response.resume().on('end', () => resolve(response.statusCode));
			});
			request.on('error', reject).end();
		});

	test('serves its owner without a token, and checks a token that is sent', async () => {
		const { token } = await testCredentials();
		assert.equal(await listener.openLocal(path), undefined);
		assert.equal(await get('/api/v1/pods'), 200);
		assert.equal(await get('/api/v1/pods', { authorization: `Bearer ${token}` }), 200);
		assert.equal(await get('/api/v1/pods', { authorization: 'Bearer other' }), 401);
		assert.equal(await get('/api/v1/pods', { authorization: '' }), 401);
		assert.equal(await get('/api/v1/pods', { origin: 'http://localhost' }), 403);
		assert.equal(await get('/api/v1/pods', { host: 'example.com' }), 403);
		assert.equal((await send(listener, 'GET', '/api/v1/pods', { token: null })).statusCode, 401);
	});

	test('is open to its owner only, and is removed when the listener closes', async () => {
		assert.equal(await listener.openLocal(path), undefined);
		assert.equal(lstatSync(path).mode & 0o777, 0o600);
		const watch = open({ socketPath: path, path: '/api/v1/pods?watch=true', agent: false }).end();
		const [response] = await once(watch, 'response');
		await Promise.all([listener.close(), once(response.resume(), 'end')]);
		assert.equal(existsSync(path), false);
	});

	test('replaces the socket of a server that was killed', async () => {
		const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
		spawnSync(process.execPath, ['-e', script, path]);
		assert.ok(lstatSync(path).isSocket());
		await assert.rejects(get('/readyz'), /ECONNREFUSED/);
		assert.equal(await listener.openLocal(path), undefined);
		assert.equal(await get('/readyz'), 200);
	});

	test('is left out, with the reason, where something else has its name', async () => {
		writeFileSync(path, 'mine');
		assert.match((await listener.openLocal(path)) ?? '', /no socket: move it away/);
		assert.equal(readFileSync(path, 'utf8'), 'mine');
		rmSync(path);
		const elsewhere = join(folder, 'other.sock');
		const other = createServer();
		await once(other.listen(elsewhere), 'listening');
		symlinkSync(elsewhere, path);
		assert.match((await listener.openLocal(path)) ?? '', /no socket: move it away/);
		assert.ok(lstatSync(elsewhere).isSocket());
		await once(other.close(), 'close');
	});

	test('is left out, with the reason, where its path is too long or its folder is missing', async () => {
		const long = join(folder, 'ü'.repeat(50), 'api.sock');
		assert.match(
			(await listener.openLocal(long)) ?? '',
			/^its path has \d+ bytes, and the maximum is 10[37]$/,
		);
		assert.match((await listener.openLocal(join(folder, 'no', 'api.sock'))) ?? '', /ENOENT|EACCES/);
		assert.equal((await send(listener, 'GET', '/readyz')).statusCode, 200);
	});
});
