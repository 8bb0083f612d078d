import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { LauncherClient } from './launcher-client.ts';
import { SOCKET_NAME } from './launcher-files.ts';
import { PROTOCOL } from './protocol.ts';

/** A server at the path of the launcher's socket, which sends `hello` to each client and answers no call. */
async function fakeLauncher(t: TestContext, hello: string) {
	const folder = await mkdtemp(join(tmpdir(), 'stint-'));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const server = createServer((socket) => void socket.resume().write(hello)).listen(
		join(folder, SOCKET_NAME),
	);
	t.after(() => server.close());
	await once(server, 'listening');
	const clock = new VirtualClock();
	const options = {
		folder,
		clock,
		onStatus: () => assert.fail('a status'),
		onLost: () => assert.fail('lost'),
	};
	/** Advances the clock by 30 seconds once the client has set its timer. */
	const passTime = async (): Promise<void> => {
		while (clock.nextDue() === undefined) await new Promise(setImmediate);
		clock.advance(29_999);
		await new Promise(setImmediate);
		assert.notEqual(clock.nextDue(), undefined);
		clock.advance(1);
	};
	return { clock, options, passTime };
}

const SILENT = /the launcher that runs Pods in .* does not answer$/;

test('the client rejects after 30 seconds if the launcher accepts the connection and sends no hello', async (t) => {
	const { clock, options, passTime } = await fakeLauncher(t, '');
	const failed = assert.rejects(LauncherClient.find(options), SILENT);
	await passTime();
	await failed;
	assert.equal(clock.nextDue(), undefined);
});

test('the client rejects after 30 seconds if the launcher does not answer the lists', async (t) => {
	const hello = { hello: { protocol: PROTOCOL } };
	const { clock, options, passTime } = await fakeLauncher(t, `${JSON.stringify(hello)}\n`);
	const client = await LauncherClient.find(options);
	assert.ok(client);
	assert.equal(clock.nextDue(), undefined);
	const failed = assert.rejects(client.list(), SILENT);
	await passTime();
	await failed;
	assert.equal(clock.nextDue(), undefined);
});
