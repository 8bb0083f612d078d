import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import test from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { freePort } from '../../../base/testing/free-port.ts';
import { nextTurn } from '../../../base/turn.ts';
import { HOST_SOCKETS } from '../../pod-sockets.ts';
import { HostPorts } from './host-ports.ts';

const { connect, datagramsTo } = HOST_SOCKETS;

test('if a sandbox ends while its ports are opened, or one is taken, none stays open', async () => {
	const ports = new HostPorts({ clock: new SystemClock(), connect, datagramsTo });
	const [one, two, three] = [await freePort(), await freePort(), await freePort()];
	const common = { containerPort: 80, hostIP: '' };
	const mappings = [
		{ ...common, protocol: 'TCP', hostPort: one },
		{ ...common, protocol: 'UDP', hostPort: two },
		{ ...common, protocol: 'TCP', hostPort: three },
	] as const;
	const target = { id: 'a', ip: '127.0.0.1', ports: mappings, nodeAddress: undefined };
	for (const turns of [0, 1, 2, 3]) {
		const opening = ports.open(target);
		for (let turn = 0; turn < turns; turn++) await nextTurn();
		ports.close('a');
		await opening;
	}
	// As if another Pod got them at once.
	await ports.open({ ...target, id: 'b' });
	await assert.rejects(HOST_SOCKETS.listen(createServer(), { host: '127.0.0.1', port: one }), {
		code: 'EADDRINUSE',
	});
	await assert.rejects(ports.open({ ...target, id: 'c', ports: mappings.toReversed().slice(1) }), {
		message: `the hostPort ${two} cannot be opened on 127.0.0.1: address already in use`,
	});
	const other = await freePort();
	const mixed = [{ ...common, protocol: 'UDP', hostPort: other }, mappings[0]] as const;
	for (const _ of [1, 2])
		await assert.rejects(ports.open({ ...target, id: 'd', ports: mixed }), {
			message: `the hostPort ${one} cannot be opened on 127.0.0.1: address already in use`,
		});
	ports.closeAll();
});
