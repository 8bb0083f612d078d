import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Duplex } from '../../api/contract/duplex.ts';
import { sandboxConfig } from '../testing/configs.ts';
import { ContractMachine } from '../testing/contract-machine.ts';
import { missingForContainerd } from './testing/containerd.ts';
import { CriFixture } from './testing/cri-fixture.ts';
import { openCriMachine } from './testing/cri-harness.ts';

/** Pods with a network of their own, by the plugins of CNI. */

const PLUGIN = '/usr/lib/cni/bridge';
const NETWORK = {
	cniVersion: '0.4.0',
	name: 'stint-test',
	plugins: [
		{
			type: 'bridge',
			bridge: 'stint-test0',
			isGateway: true,
			ipam: { type: 'host-local', ranges: [[{ subnet: '10.211.9.0/24' }]] },
		},
	],
};

const skip =
	missingForContainerd() ?? (existsSync(PLUGIN) ? false : 'containernetworking-plugins is not installed');
const fixture = new CriFixture(JSON.stringify(NETWORK));
after(() => fixture.close());

test('with CNI each Pod has an address, a host name, and ports of its own that can be forwarded', {
	skip,
}, async (t) => {
	const { containerd, known } = await fixture.open();
	const machine = new ContractMachine(openCriMachine(containerd, known));
	t.after(() => machine.close());
	await machine.start();
	const { runtime } = machine;
	assert.equal(runtime.traits.hostsFile, 'pod');
	const one = await runtime.runSandbox(sandboxConfig('a', { hostname: 'my-pod' }));
	const two = await runtime.runSandbox(sandboxConfig('b'));
	assert.match(one.ip, /^10\.211\.9\.\d+$/);
	assert.notEqual(one.ip, two.ip);
	// Of several servers on one port, each is in the network of its Pod, and listens on the loopback address only.
	const serve = 'cat /proc/sys/kernel/hostname > /index.html; exec busybox httpd -f -p 127.0.0.1:8080 -h /';
	const served = await machine.start1(['sh', '-c', serve]);
	await machine.start1(['sh', '-c', serve], { pod: 'b' });
	assert.equal(served.state, 'running');
	assert.match(await answerOf(machine, one.id), /\r\n\r\nmy-pod\n$/);
	assert.match(await answerOf(machine, two.id), /\r\n\r\nb\n$/);
	const refused = await runtime.portForward(one.id, 8081);
	while (await refused.receive());
	const closed = await refused.closed;
	assert.match(closed.type === 'failed' ? closed.message : '', /connection refused/);
	const kept = await runtime.portForward(one.id, 8080);
	await runtime.removeSandbox(one.id);
	await kept.closed;
	// The address of a sandbox is known to a later server.
	assert.deepEqual(await (await machine.reconnect()).listSandboxes(), [two]);
});

/** What the server of a Pod answers, once it listens. */
async function answerOf(machine: ContractMachine, sandboxId: string): Promise<string> {
	for (;;) {
		const text = await textOf(await machine.runtime.portForward(sandboxId, 8080));
		if (text !== '') return text;
	}
}

async function textOf(connection: Duplex): Promise<string> {
	const bytes = Buffer.from('GET /index.html HTTP/1.0\r\n\r\n');
	await connection.send({ type: 'data', channel: 0, bytes });
	const pieces: Uint8Array[] = [];
	for (
		let message = await connection.receive();
		message?.type === 'data';
		message = await connection.receive()
	)
		pieces.push(message.bytes);
	connection.close();
	return Buffer.concat(pieces).toString();
}
