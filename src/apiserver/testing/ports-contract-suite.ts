/**
 * The tests of `pods/<name>/attach` and `pods/<name>/portforward` for one transport to a server under test.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Duplex } from '../../api/contract/duplex.ts';
import { ECHO_NODE } from './echo-node.ts';
import { bindPod, outputOf, typed } from './exec-contract-suite.ts';
import {
	openTestServer,
	PODS,
	refusal,
	type TestConnection,
	type TestServer,
} from './server-contract-suite.ts';

/** Registers the tests. */
export function portsContract(name: string, connect: (opened: TestServer) => Promise<TestConnection>): void {
	describe(name, () => {
		let opened: TestServer;
		let connection: TestConnection;
		beforeEach(async () => {
			opened = await openTestServer({ nodeApi: ECHO_NODE });
			connection = await connect(opened);
			await bindPod(opened);
		});
		afterEach(async () => {
			await connection.close();
			opened.server.close();
			assert.deepEqual(opened.faults, []);
		});
		const open = (pod: string, port: string): Promise<Duplex> =>
			connection.transport.duplex({
				method: 'GET',
				path: `${PODS}/${pod}/portforward`,
				query: { ports: port },
			});

		test('attach gets input and output, and ends with a success', async () => {
			const query = { stdin: '1', stdout: '1', stderr: '1' };
			const session = await connection.transport.duplex({ method: 'GET', path: `${PODS}/p/attach`, query });
			const output = outputOf(session);
			await session.send(typed('abc'));
			await session.send({ type: 'end', channel: 0 });
			const { 1: stdout, 2: stderr = '', 3: status = '' } = await output;
			assert.equal(stdout, 'abc');
			assert.deepEqual(JSON.parse(stderr), {
				...{ stdin: true, stdout: true, stderr: true, tty: false, container: 'main' },
				...{ namespace: 'default', pod: 'p' },
			});
			assert.equal(JSON.parse(status).status, 'Success');
		});

		test('a port receives bytes and sends them, and each direction ends by itself', async () => {
			const session = await open('p', '80');
			const output = bytesOf(session);
			for (let count = 0; count < 10; count += 1)
				assert.equal(
					await session.send({ type: 'data', channel: 0, bytes: Buffer.alloc(50_000, 'x') }),
					true,
				);
			await session.send({ type: 'end', channel: 0 });
			assert.deepEqual(await output, { 0: 500_000 });
			assert.deepEqual(await session.closed, { type: 'ended' });
		});

		test('a port on which nothing listens has a text for the error', async () => {
			const session = await open('p', '81');
			let text = '';
			for (let message = await session.receive(); message; message = await session.receive())
				if (message.type === 'data' && message.channel === 1) text += Buffer.from(message.bytes).toString();
			assert.match(text, /^error forwarding port 81 to pod p, uid .*connection refused$/);
		});

		test('a close ends the connection, and a missing Pod is refused', async () => {
			const session = await open('p', '80');
			await session.send({ type: 'data', channel: 0, bytes: Buffer.from('x') });
			await session.receive();
			session.close();
			assert.equal(await session.receive(), undefined);
			const error = await refusal(open('q', '80'));
			assert.equal(`${error.code} ${error.message}`, '404 pods "q" not found');
		});
	});
}

/** The number of bytes that arrive on each channel. */
async function bytesOf(session: Duplex): Promise<Readonly<Record<number, number>>> {
	const sizes: Record<number, number> = {};
	for (let message = await session.receive(); message; message = await session.receive())
		if (message.type === 'data')
			sizes[message.channel] = (sizes[message.channel] ?? 0) + message.bytes.length;
	return sizes;
}
