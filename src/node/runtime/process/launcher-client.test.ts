import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { RuntimeUnavailable } from '../runtime.ts';
import { LauncherClient } from './launcher-client.ts';
import { SOCKET_NAME } from './protocol.ts';

test('a launcher that takes the connection and says nothing is given up after half a minute', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'stint-'));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const silent = createServer().listen(join(folder, SOCKET_NAME));
	t.after(() => silent.close());
	await once(silent, 'listening');
	const clock = new VirtualClock();
	const found = LauncherClient.find({
		folder,
		clock,
		onStatus: () => assert.fail('a status'),
		onLost: () => assert.fail('it never was there'),
	});
	const failed = assert.rejects(found, RuntimeUnavailable);
	const [socket]: Socket[] = await once(silent, 'connection');
	const closed = once(socket?.resume() ?? silent, 'close');
	while (clock.nextDue() === undefined) await new Promise(setImmediate);
	clock.advance(29_999);
	assert.equal(socket?.destroyed, false);
	clock.advance(1);
	await failed;
	await closed;
	assert.equal(clock.nextDue(), undefined);
});
