import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Duplex } from '../../src/api/contract/duplex.ts';
import { openSpdy } from '../../src/apiserver/testing/spdy-test-client.ts';
import { readKubeconfig } from '../../src/client/kubeconfig/kubeconfig.ts';
import { HttpTransport } from '../../src/client/transport/http-node.ts';
import { startProbed } from '../support/probed-server.ts';

/** Many sessions at once, whose clients send without end or read nothing: the memory and turns of the server stay bounded. */

const SESSIONS = 200;
const LONGEST_TURN_MS = 100;
const MOST_BYTES = 256 * 1024 * 1024;

const POD = `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: main, image: busybox, command: [sleep, infinity]}]
`;

test(`${SESSIONS} sessions of greedy and of silent clients`, { timeout: 120_000 }, async (t) => {
	const server = await startProbed(t, { args: ['--runtime', 'fake'] });
	assert.equal((await server.kubectlWith(POD, 'apply', '-f', '-')).code, 0);
	const ready = await server.kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/p');
	assert.equal(ready.code, 0, ready.stderr);
	const text = await readFile(server.kubeconfig, 'utf8');
	const access = await readKubeconfig([{ path: server.kubeconfig, text }], {
		readFile: (path) => readFile(path, 'utf8'),
	});
	const { token = '', certificateAuthority = '' } = access;
	const transport = new HttpTransport(access);
	const before = residentBytes(server.process.child.pid);
	const closes: (() => void)[] = [];
	const piece = Buffer.alloc(32 * 1024);
	const sendAll = async (send: () => Promise<boolean>): Promise<void> => {
		while (await send());
	};
	/** Half of the commands read nothing, the others write what they read to a client that does not. */
	const openOne = async (index: number): Promise<void> => {
		const command = index % 4 < 2 ? ['sleep', 'infinity'] : ['cat'];
		const query = { command, stdin: '1', stdout: '1' };
		const path = '/api/v1/namespaces/default/pods/p/exec';
		if (index % 2 === 0) {
			const session: Duplex = await transport.duplex({ method: 'GET', path, query });
			closes.push(() => session.close());
			void sendAll(() => session.send({ type: 'data', channel: 0, bytes: piece }));
			return;
		}
		const words = command.map((word) => `command=${word}`).join('&');
		const target = { url: server.url, credentials: { caPem: certificateAuthority, token } };
		const client = await openSpdy(target, `${path}?${words}&stdin=1&stdout=1`, ['v4.channel.k8s.io']);
		assert.ok('stream' in client);
		closes.push(() => client.socket.destroy());
		const [, , stdin] = ['error', 'stdout', 'stdin'].map((type) => client.stream(type));
		void sendAll(async () => (await stdin?.write(piece)) ?? false);
	};
	for (let index = 0; index < SESSIONS; index += 5)
		await Promise.all(Array.from({ length: 5 }, (_, more) => openOne(index + more)));
	// Requests of others are answered meanwhile.
	for (let count = 0; count < 50; count += 1)
		await transport.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/p' });
	const grown = residentBytes(server.process.child.pid) - before;
	assert.ok(grown < MOST_BYTES, `${Math.round(grown / 1024 / 1024)} MiB more`);
	const turns = server.holds().map(({ heldMs }) => heldMs);
	assert.ok(Math.max(0, ...turns) < LONGEST_TURN_MS, `turns of ${turns.join(', ')} ms`);
	const stopped = await server.stop();
	assert.equal(stopped.code, 0, stopped.stderr);
	for (const close of closes) close();
	transport.close();
});

function residentBytes(pid: number | undefined): number {
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
