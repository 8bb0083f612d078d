import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { ADMIN } from '../../api/contract/user.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { HttpListener } from '../http/listener.ts';
import { createAccount, tokenOf } from '../testing/account-tokens.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { bindPod } from '../testing/exec-contract-suite.ts';
import { jsonOf, listenTo, testCredentials, upgrade } from '../testing/https-test-client.ts';
import { openTestServer, PODS, type TestServer } from '../testing/server-contract-suite.ts';
import { openSpdy } from '../testing/spdy-test-client.ts';

/** Who may open streams: the users of tokens that have to be verified, and the owner of the Unix socket. */

const ACCOUNT = 'system:serviceaccount:default:builder';
const EXEC = `${PODS}/p/exec?command=cat&stdin=1&stdout=1`;
const SUBRESOURCES = { exec: '?command=cat&stdin=1&stdout=1', attach: '?stdout=1', portforward: '?ports=80' };

interface World {
	readonly opened: TestServer;
	readonly listener: HttpListener;
	readonly token: string;
}

async function world(t: TestContext, authorizer?: Authorizer): Promise<World> {
	const opened = await openTestServer({ nodeApi: ECHO_NODE, ...(authorizer && { authorizer }) });
	await bindPod(opened);
	await createAccount(opened, 'builder');
	const token = await tokenOf(opened, 'builder');
	const listener = await listenTo(opened);
	t.after(async () => {
		await listener.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});
	return { opened, listener, token };
}

/** Opens a session by both protocols; resolves to the code and message of each refusal, or `opened`. */
async function outcomes({ listener }: World, path: string, token: string): Promise<readonly string[]> {
	const isPorts = path.includes('/portforward');
	const protocols = isPorts ? ['v4.channel.k8s.io'] : ['v5.channel.k8s.io'];
	const webSocket = await upgrade(listener, path, { protocols, token });
	const { caPem } = await testCredentials();
	const spdy = await openSpdy({ url: listener.url, credentials: { caPem, token } }, path, [
		isPorts ? 'portforward.k8s.io' : 'v4.channel.k8s.io',
	]);
	if (webSocket instanceof WebSocket) webSocket.terminate();
	if (!(spdy instanceof IncomingMessage)) spdy.socket.destroy();
	return Promise.all(
		[webSocket, spdy].map(async (answer) => {
			if (!(answer instanceof IncomingMessage)) return 'opened';
			const { code, message } = await jsonOf(answer);
			return `${code} ${message}`;
		}),
	);
}

test('a ServiceAccount may not open streams without a role', async (t) => {
	const given = await world(t);
	for (const [name, query] of Object.entries(SUBRESOURCES)) {
		const refused = (verb: string): string =>
			`403 pods "p" is forbidden: User "${ACCOUNT}" cannot ${verb} resource "pods/${name}" in API group "" in the namespace "default"`;
		// A WebSocket is opened by GET, SPDY by POST.
		const expected = [refused('get'), refused('create')];
		assert.deepEqual(await outcomes(given, `${PODS}/p/${name}${query}`, given.token), expected);
	}
	const log = await upgrade(given.listener, `${PODS}/p/log`, { protocols: [], token: given.token });
	assert.ok(log instanceof IncomingMessage);
	assert.equal(log.statusCode, 403);
});

test('a ServiceAccount that is allowed to create them opens streams by its token', async (t) => {
	const asked = new Set<string>();
	const authorizer: Authorizer = {
		authorize: (attributes) => {
			if (attributes.user.name === ACCOUNT) asked.add(attributes.verb);
			return { allowed: true };
		},
	};
	const given = await world(t, authorizer);
	for (const [name, query] of Object.entries(SUBRESOURCES))
		assert.deepEqual(
			await outcomes(given, `${PODS}/p/${name}${query}`, given.token),
			['opened', 'opened'],
			name,
		);
	assert.deepEqual([...asked], ['get', 'create']);
});

test('a read-only ServiceAccount opens none, whichever method its client uses', async (t) => {
	const authorizer: Authorizer = {
		authorize: ({ user, verb }) => ({ allowed: user.name !== ACCOUNT || verb === 'get', reason: '' }),
	};
	const given = await world(t, authorizer);
	const refused = `403 pods "p" is forbidden: User "${ACCOUNT}" cannot create resource "pods/exec" in API group "" in the namespace "default"`;
	assert.deepEqual(await outcomes(given, EXEC, given.token), [refused, refused]);
});

test('a token of a deleted account, or one with another signature, opens none', async (t) => {
	const given = await world(t, { authorize: () => ({ allowed: true }) });
	const unauthorized = ['401 Unauthorized', '401 Unauthorized'];
	const forged = `${given.token.slice(0, given.token.lastIndexOf('.'))}.AAAA`;
	assert.deepEqual(await outcomes(given, EXEC, forged), unauthorized);
	assert.deepEqual(await outcomes(given, EXEC, given.token), ['opened', 'opened']);
	const path = '/api/v1/namespaces/default/serviceaccounts/builder';
	await given.opened.server.request({ method: 'DELETE', path });
	assert.deepEqual(await outcomes(given, EXEC, given.token), unauthorized);
});

test('at the Unix socket streams need no token, and one that is sent decides', async (t) => {
	const users: string[] = [];
	const authorizer: Authorizer = {
		authorize: ({ user, verb }) => {
			if (verb === 'create') users.push(user.name);
			return { allowed: true };
		},
	};
	const { listener, token } = await world(t, authorizer);
	const folder = mkdtempSync(join(tmpdir(), 'stint-streams-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const socket = join(folder, 'api.sock');
	assert.equal(await listener.openLocal(socket), undefined);
	users.length = 0;
	const codeOf = (headers: Readonly<Record<string, string>>): Promise<number> => {
		const webSocket = new WebSocket(`ws://localhost${EXEC}`, ['v5.channel.k8s.io'], {
			createConnection: () => connect(socket),
			headers,
		});
		return new Promise((resolve, reject) => {
			webSocket.on('error', reject).once('unexpected-response', (_, response) => {
				response.resume();
				resolve(response.statusCode ?? 0);
			});
			webSocket.once('open', () => {
				webSocket.terminate();
				resolve(101);
			});
		});
	};
	assert.equal(await codeOf({}), 101);
	assert.equal(await codeOf({ authorization: `Bearer ${token}` }), 101);
	assert.equal(await codeOf({ authorization: 'Bearer wrong' }), 401);
	assert.equal(await codeOf({ origin: 'http://localhost' }), 403);
	assert.deepEqual(users, [ADMIN.name, ACCOUNT]);
});
