/**
 * The tests of `pods/<name>/exec` for one transport to a server under test; the command runs on a fake node agent.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import type { ApiRequest } from '../../api/contract/transport.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { ECHO_NODE } from './echo-node.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestConnection,
	type TestServer,
} from './server-contract-suite.ts';

/** The options of a command with standard input and both outputs. */
export const EXEC_QUERY = { command: ['cat', '-', ''], stdin: '1', stdout: 'true', stderr: 'true' };

/** Creates a Pod and binds it to a node. */
export async function bindPod({ server }: TestServer, name = 'p'): Promise<void> {
	await server.request({ method: 'POST', path: PODS, body: podNamed(name) });
	const body = { metadata: { name }, target: { name: 'node' } };
	await server.request({ method: 'POST', path: `${PODS}/${name}/binding`, body });
}

/** A request to run a command in the Pod `p`. */
export function execRequest(query: ApiRequest['query'] = EXEC_QUERY): ApiRequest {
	return { method: 'GET', path: `${PODS}/p/exec`, query: query ?? {} };
}

/** Standard input as a message. */
export function typed(text: string): DuplexMessage {
	return { type: 'data', channel: CHANNELS.stdin, bytes: Buffer.from(text) };
}

/** What arrives on each channel until the session is closed. */
export async function outputOf(session: Duplex): Promise<Readonly<Record<number, string>>> {
	const texts: Record<number, string> = {};
	for (;;) {
		const message = await session.receive();
		if (message?.type !== 'data') return texts;
		texts[message.channel] = (texts[message.channel] ?? '') + Buffer.from(message.bytes).toString();
	}
}

/** Registers the tests. */
export function execContract(name: string, connect: (opened: TestServer) => Promise<TestConnection>): void {
	describe(name, () => {
		let opened: TestServer;
		let connection: TestConnection;
		const open = async (options: Parameters<typeof openTestServer>[0] = { nodeApi: ECHO_NODE }) => {
			opened = await openTestServer(options);
			connection = await connect(opened);
		};
		beforeEach(() => open());
		afterEach(async () => {
			await connection.close();
			opened.server.close();
			assert.deepEqual(opened.faults, []);
		});

		test('a command gets its options and input, and ends with its output and its exit code', async () => {
			await bindPod(opened);
			const session = await connection.transport.duplex(execRequest());
			const output = outputOf(session);
			for (const text of ['ab', 'c'.repeat(300_000)]) assert.equal(await session.send(typed(text)), true);
			await session.send({ type: 'end', channel: CHANNELS.stdin });
			const { 1: stdout, 2: stderr = '', 3: status = '' } = await output;
			assert.equal(stdout, `ab${'c'.repeat(300_000)}`);
			assert.deepEqual(JSON.parse(stderr), {
				...{ stdin: true, stdout: true, stderr: true, tty: false, container: 'main' },
				...{ command: ['cat', '-', ''], namespace: 'default', pod: 'p' },
			});
			assert.deepEqual(JSON.parse(status).details, {
				causes: [{ reason: 'ExitCode', message: '300002' }],
			});
			assert.deepEqual(await session.closed, { type: 'ended' });
			const labels = 'group="",version="v1",resource="pods",subresource="exec",scope="resource"';
			const text = await Array.fromAsync(opened.metrics.pieces());
			assert.match(
				text.join(''),
				new RegExp(`apiserver_request_total{verb="CONNECT",dry_run="",${labels}.*code="101"} 1`),
			);
		});

		test('messages that follow the opening at once all arrive', async () => {
			await connection.close();
			await open({
				nodeApi: {
					...ECHO_NODE,
					exec: async () => {
						const [caller, own] = duplexPair();
						for (const text of ['a', 'b', 'c'])
							void own.send({ type: 'data', channel: CHANNELS.stdout, bytes: Buffer.from(text) });
						own.close();
						return caller;
					},
				},
			});
			await bindPod(opened);
			for (let round = 0; round < 20; round += 1)
				assert.deepEqual(await outputOf(await connection.transport.duplex(execRequest())), { 1: 'abc' });
		});

		test('the close or abort of a client closes the session at the node agent', async () => {
			await connection.close();
			const ends: Duplex[] = [];
			await open({
				nodeApi: {
					...ECHO_NODE,
					exec: async () => {
						const [caller, own] = duplexPair();
						ends.push(own);
						return caller;
					},
				},
			});
			await bindPod(opened);
			const session = await connection.transport.duplex(execRequest());
			session.close();
			assert.deepEqual(await ends[0]?.closed, { type: 'ended' });
			const abort = new AbortController();
			const aborted = await connection.transport.duplex({ ...execRequest(), signal: abort.signal });
			abort.abort();
			assert.deepEqual(await aborted.closed, { type: 'failed', message: 'the session was aborted' });
			assert.equal((await ends[1]?.closed)?.type, 'failed');
			const late = connection.transport.duplex({ ...execRequest(), signal: AbortSignal.abort() });
			await assert.rejects(late, { name: 'AbortError' });
		});

		test('a request that cannot be served is refused with a Status', async () => {
			const refused = async (query: ApiRequest['query']): Promise<string> => {
				const error = await refusal(connection.transport.duplex(execRequest(query)));
				return `${error.code} ${error.message}`;
			};
			assert.equal(await refused(EXEC_QUERY), '404 pods "p" not found');
			await opened.server.request({ method: 'POST', path: PODS, body: podNamed('p') });
			assert.equal(await refused(EXEC_QUERY), '400 pod p does not have a host assigned');
			const body = { metadata: { name: 'p' }, target: { name: 'node' } };
			await opened.server.request({ method: 'POST', path: `${PODS}/p/binding`, body });
			assert.equal(
				await refused({ ...EXEC_QUERY, container: 'x' }),
				'400 container x is not valid for pod p',
			);
			assert.equal(
				await refused({ stdout: '1' }),
				'400 you must specify at least one command for the container',
			);
			assert.equal(
				await refused({ command: 'ls', stdin: 'false', stdout: '0' }),
				'400 you must specify at least 1 of stdin, stdout, stderr',
			);
		});

		test('a command that the node agent refuses ends at once with its Status', async () => {
			await connection.close();
			await open({
				nodeApi: { ...ECHO_NODE, exec: () => Promise.reject(badRequest('container not found ("main")')) },
			});
			await bindPod(opened);
			const { 3: status = '' } = await outputOf(await connection.transport.duplex(execRequest()));
			const { code, reason, message } = JSON.parse(status);
			assert.deepEqual([code, reason, message], [400, 'BadRequest', 'container not found ("main")']);
		});

		test('if the node agent cannot be reached, the request is refused', async () => {
			await connection.close();
			await open({});
			await bindPod(opened);
			const error = await refusal(connection.transport.duplex(execRequest()));
			assert.equal(`${error.code} ${error.message}`, '503 the node "node" of pod "p" cannot be reached');
		});
	});
}
