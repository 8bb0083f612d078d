import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import type { NodeApi } from '../../api/contract/node-api.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { bindPod } from '../testing/exec-contract-suite.ts';
import { jsonOf, listenTo, type SentUpgrade, upgrade } from '../testing/https-test-client.ts';
import { openTestServer, PODS } from '../testing/server-contract-suite.ts';

type Open = (path: string, sent: SentUpgrade) => Promise<WebSocket>;

async function world(
	t: TestContext,
	nodeApi: NodeApi = ECHO_NODE,
): Promise<{ readonly open: Open; readonly refusal: (path: string, sent: SentUpgrade) => Promise<string> }> {
	const opened = await openTestServer({ nodeApi });
	await bindPod(opened);
	const body = {
		metadata: { name: 'p' },
		status: {
			phase: 'Running',
			containerStatuses: [
				{
					...{ name: 'main', image: 'i', imageID: '', ready: true, restartCount: 0 },
					state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
				},
			],
		},
	};
	const contentType = 'application/merge-patch+json';
	await opened.server.request({ method: 'PATCH', path: `${PODS}/p/status`, body, contentType });
	const listener = await listenTo(opened);
	t.after(async () => {
		await listener.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});
	return {
		open: async (path, sent) => {
			const webSocket = await upgrade(listener, path, sent);
			assert.ok(webSocket instanceof WebSocket, 'the server has refused the upgrade');
			return webSocket;
		},
		refusal: async (path, sent) => {
			const response = await upgrade(listener, path, sent);
			assert.ok(response instanceof IncomingMessage);
			const { code, message } = await jsonOf(response);
			return `${code} ${message}`;
		},
	};
}

/** The messages until the close, and its code. */
async function messagesOf(
	webSocket: WebSocket,
): Promise<{ readonly messages: readonly string[]; readonly code: unknown }> {
	const messages: string[] = [];
	webSocket.on('message', (data: Buffer, isBinary) => messages.push(`${isBinary ? '' : 'text '}${data}`));
	webSocket.resume();
	const [code] = await once(webSocket, 'close');
	return { messages, code };
}

const ORIGIN = { origin: 'http://localhost' };

test('a log arrives in messages, with an Origin too, as upstream sends it', async (t) => {
	const { open } = await world(t);
	const path = `${PODS}/p/log?container=main`;
	const log = `${JSON.stringify({ follow: false, previous: false, timestamps: false, namespace: 'default', pod: 'p', container: 'main' })}\n`;
	for (const protocols of [['binary.k8s.io'], []]) {
		const webSocket = await open(path, { protocols, headers: ORIGIN });
		assert.equal(webSocket.protocol, protocols[0] ?? '');
		assert.deepEqual(await messagesOf(webSocket), { messages: ['', log], code: 1000 });
	}
	const encoded = await open(path, { protocols: ['base64.binary.k8s.io'] });
	const text = `text ${Buffer.from(log).toString('base64')}`;
	assert.deepEqual(await messagesOf(encoded), { messages: ['text ', text], code: 1000 });
});

test('the end of the client ends the log that it follows', async (t) => {
	let aborted: Promise<unknown> | undefined;
	const containerLog: NodeApi['containerLog'] = async ({ signal }) => {
		aborted = once(signal, 'abort');
		return (async function* () {
			yield Buffer.from('a\n');
			await aborted;
		})();
	};
	const { open } = await world(t, { ...ECHO_NODE, containerLog });
	const webSocket = await open(`${PODS}/p/log?follow=true`, { protocols: ['binary.k8s.io'] });
	webSocket.resume();
	await once(webSocket, 'message');
	webSocket.close();
	await aborted;
});

test('a page cannot open a WebSocket, and a log that cannot be read is refused', async (t) => {
	const { refusal } = await world(t);
	const path = `${PODS}/p/log`;
	const page = { protocols: ['binary.k8s.io'], token: null, headers: ORIGIN };
	assert.match(await refusal(path, page), /^403 .*web pages/);
	const inProtocol = { ...page, protocols: ['base64url.bearer.authorization.k8s.io.YQ', 'binary.k8s.io'] };
	assert.match(await refusal(path, inProtocol), /^403 .*web pages/);
	const wrong = { ...page, token: 'wrong' };
	// No page can send a token in the header, so this client is none.
	assert.match(await refusal(path, wrong), /^401 /);
	assert.match(await refusal(`${path}?container=x`, { protocols: ['binary.k8s.io'] }), /^400 container x/);
	assert.match(await refusal(path, { protocols: ['v4.channel.k8s.io'] }), /^400 .*binary.k8s.io/);
});

test('old sub-protocols encode the messages or have a text for the error', async (t) => {
	const { open } = await world(t);
	const path = `${PODS}/p/exec?command=cat&stdin=1&stdout=1`;
	for (const [protocols, input, output] of [
		[['base64.channel.k8s.io'], '0YWJj', 'text 1YWJj'],
		[['channel.k8s.io'], '\0abc', '\u0001abc'],
		[[], '\0abc', '\u0001abc'],
	] as const) {
		const webSocket = await open(path, { protocols });
		const seen: string[] = [];
		const answer = new Promise<void>((resolve) => {
			webSocket.on('message', (data: Buffer, isBinary) => {
				seen.push(`${isBinary ? '' : 'text '}${data}`);
				if (seen.includes(output)) resolve();
			});
		});
		webSocket.resume();
		webSocket.send(protocols[0] === 'base64.channel.k8s.io' ? input : Buffer.from(input));
		await answer;
		webSocket.terminate();
	}
	const refusing: NodeApi = {
		...ECHO_NODE,
		exec: () => ECHO_NODE.portForward({ namespace: '', pod: '', port: 81 }),
	};
	const refused = await world(t, refusing);
	const { messages } = await messagesOf(await refused.open(path, { protocols: ['channel.k8s.io'] }));
	assert.deepEqual(messages.slice(1), ['\u0003dial tcp4 127.0.0.1:81: connect: connection refused']);
});

test('ports over channels begin with their numbers, and their errors are texts', async (t) => {
	const { open, refusal } = await world(t);
	const webSocket = await open(`${PODS}/p/portforward?ports=80&ports=81`, {
		protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
	});
	assert.equal(webSocket.protocol, 'v4.channel.k8s.io');
	const seen: Buffer[] = [];
	const echoed = new Promise<void>((resolve) => {
		webSocket.on('message', (data: Buffer) => {
			seen.push(data);
			if (data.toString() === '\0hello') resolve();
		});
	});
	webSocket.resume();
	webSocket.send(Buffer.from('\0hello'));
	await echoed;
	webSocket.close();
	assert.deepEqual(
		seen.slice(0, 4).map((data) => [...data]),
		[0, 1, 2, 3].map((channel) => [channel, channel < 2 ? 80 : 81, 0]),
	);
	const error =
		seen
			.find((data) => data[0] === 3 && data.length > 3)
			?.subarray(1)
			.toString() ?? '';
	assert.match(error, /^error forwarding port 81 to pod p, uid .*connection refused$/);
	const v4 = { protocols: ['v4.channel.k8s.io'] };
	assert.equal(await refusal(`${PODS}/p/portforward`, v4), '400 query parameter "port" is required');
	assert.equal(
		await refusal(`${PODS}/p/portforward?ports=http`, v4),
		'400 unable to parse "http" as a port: strconv.ParseUint: parsing "http": invalid syntax',
	);
	assert.equal(await refusal(`${PODS}/p/portforward?ports=0`, v4), '400 port "0" must be > 0');
});
