import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest, ApiTransport } from '../../api/contract/transport.ts';
import { API_SERVER, type User } from '../../api/contract/user.ts';
import type { ApiServer } from '../server.ts';
import { listenTo, transportTo } from '../testing/https-test-client.ts';
import { JOBS, jobNamed, openTestServer, PODS, refusal } from '../testing/server-contract-suite.ts';
import type { AuthorizationAttributes, Authorizer } from './authorizer.ts';

const ALICE: User = { name: 'alice', groups: ['system:authenticated'] };

/** Denies every request of `name` and records what it is asked. */
class DenyUser implements Authorizer {
	readonly asked: AuthorizationAttributes[] = [];
	readonly #name: string;
	readonly #reason: string;

	constructor(name: string, reason = '') {
		this.#name = name;
		this.#reason = reason;
	}

	authorize(attributes: AuthorizationAttributes): ReturnType<Authorizer['authorize']> {
		this.asked.push(attributes);
		return { allowed: attributes.user.name !== this.#name, reason: this.#reason };
	}
}

async function deniedMessage(server: ApiServer, request: Omit<ApiRequest, 'user'>): Promise<string> {
	const error = await refusal(server.request({ ...request, user: ALICE }));
	assert.deepEqual([error.code, error.reason], [403, 'Forbidden']);
	return error.message;
}

test('a denied request is answered with Forbidden, in the words of upstream', async () => {
	const { server } = await openTestServer({ authorizer: new DenyUser('alice') });
	const cases: readonly (readonly [ApiRequest['method'], string, string])[] = [
		[
			'POST',
			JOBS,
			'jobs.batch is forbidden: User "alice" cannot create resource "jobs" in API group "batch" in the namespace "default"',
		],
		[
			'GET',
			'/api/v1/pods',
			'pods is forbidden: User "alice" cannot list resource "pods" in API group "" at the cluster scope',
		],
		[
			'DELETE',
			PODS,
			'pods is forbidden: User "alice" cannot deletecollection resource "pods" in API group "" in the namespace "default"',
		],
		[
			'GET',
			`${PODS}/a`,
			'pods "a" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "default"',
		],
		[
			'PUT',
			`${PODS}/a/status`,
			'pods "a" is forbidden: User "alice" cannot update resource "pods/status" in API group "" in the namespace "default"',
		],
		[
			'POST',
			`${PODS}/a/binding`,
			'pods "a" is forbidden: User "alice" cannot create resource "pods/binding" in API group "" in the namespace "default"',
		],
		[
			'PATCH',
			'/api/v1/nodes/n',
			'nodes "n" is forbidden: User "alice" cannot patch resource "nodes" in API group "" at the cluster scope',
		],
		[
			'DELETE',
			'/api/v1/namespaces/x',
			'namespaces "x" is forbidden: User "alice" cannot delete resource "namespaces" in API group "" in the namespace "x"',
		],
		['GET', '/version', 'forbidden: User "alice" cannot get path "/version"'],
	];
	for (const [method, path, message] of cases) {
		assert.equal(await deniedMessage(server, { method, path, body: jobNamed('j') }), message);
	}
	server.close();
});

test('the reason of the decision follows the message', async () => {
	const { server } = await openTestServer({ authorizer: new DenyUser('alice', 'no rule matches') });
	assert.match(
		await deniedMessage(server, { method: 'GET', path: PODS }),
		/ namespace "default": no rule matches$/,
	);
	server.close();
});

test('watches and streams are authorized too', async () => {
	const authorizer = new DenyUser('alice');
	const { server } = await openTestServer({ authorizer });
	const sink = { events: () => undefined, ended: () => undefined };
	const watch = await refusal(
		server.watch({ method: 'GET', path: PODS, query: { watch: 'true' }, user: ALICE }, sink),
	);
	assert.match(watch.message, /cannot watch resource "pods"/);
	const log = await refusal(server.stream({ method: 'GET', path: `${PODS}/a/log`, user: ALICE }));
	assert.match(log.message, /cannot get resource "pods\/log"/);
	const metrics = await refusal(server.stream({ method: 'GET', path: '/metrics', user: ALICE }));
	assert.match(metrics.message, /cannot get path "\/metrics"/);
	server.close();
});

test('a caller in the process that names no user is the API server', async () => {
	const authorizer = new DenyUser('alice');
	const { server } = await openTestServer({ authorizer });
	await server.request({ method: 'GET', path: PODS });
	assert.deepEqual(authorizer.asked.at(-1)?.user, API_SERVER);
	server.close();
});

test('over HTTPS the token decides who the user is, for watches, streams and answers', async () => {
	const authorizer = new DenyUser('kubernetes-admin');
	const opened = await openTestServer({ authorizer });
	const listener = await listenTo(opened);
	const transport: ApiTransport = transportTo(listener);
	const request: ApiRequest = { method: 'GET', path: PODS, user: API_SERVER };
	const sink = { events: () => undefined, ended: () => undefined };
	for (const act of [
		transport.request(request),
		transport.watch(request, sink),
		transport.stream({ ...request, path: `${PODS}/a/log` }),
	]) {
		assert.match((await refusal(act)).message, /^pods .*User "kubernetes-admin" cannot /);
	}
	await listener.close();
	opened.server.close();
});

test('a two-way stream needs the verb create too, also if it is opened by GET', async () => {
	const asked: string[] = [];
	const authorizer: Authorizer = {
		authorize: ({ user, verb }) => {
			if (user.name === ALICE.name) asked.push(verb);
			return { allowed: user.name !== ALICE.name || verb !== 'create', reason: '' };
		},
	};
	const { server } = await openTestServer({ authorizer });
	for (const subresource of ['exec', 'attach', 'portforward']) {
		const path = `${PODS}/p/${subresource}`;
		const error = await refusal(server.duplex({ method: 'GET', path, user: ALICE }));
		assert.equal(
			error.message,
			`pods "p" is forbidden: User "alice" cannot create resource "pods/${subresource}" in API group "" in the namespace "default"`,
		);
	}
	assert.deepEqual(asked, ['get', 'create', 'get', 'create', 'get', 'create']);
	server.close();
});
