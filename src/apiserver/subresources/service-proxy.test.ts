import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { bindPod } from '../testing/exec-contract-suite.ts';
import { jsonOf, textOf } from '../testing/https-test-client.ts';
import { mirror, type ProxyWorld, proxyWorld } from '../testing/proxy-world.ts';
import { PODS } from '../testing/server-contract-suite.ts';

const NAMESPACE = '/api/v1/namespaces/default';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

interface World extends ProxyWorld {
	/** Writes the only slice of the Service. */
	readonly slice: (endpoints: readonly object[]) => Promise<void>;
	/** What a request to the proxy of the Service with this name and port gets. */
	readonly answer: (id: string) => Promise<string>;
}

/** A server with the Service `web`: port 80 leads to port 8080 of its endpoints, and 443 to 443. */
async function world(t: TestContext): Promise<World> {
	const made = await proxyWorld(t, ({ url }, response) => void response.end(`Pod ${url}`));
	const { server } = made.opened;
	const ports = [
		{ name: 'http', port: 80, targetPort: 8080 },
		{ name: 'https', port: 443 },
		{ name: 'closed', port: 81 },
	];
	const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports } };
	await server.request({ method: 'POST', path: `${NAMESPACE}/services`, body: service });
	return {
		...made,
		slice: async (endpoints) => {
			await server.request({ method: 'DELETE', path: SLICES });
			const body = {
				...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', endpoints },
				metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
				ports: ports.map(({ name, port, targetPort = port }) => ({ name, port: targetPort })),
			};
			await server.request({ method: 'POST', path: SLICES, body });
		},
		answer: async (id) => {
			const response = await made.send('GET', `services/${id}/proxy/x`);
			if (response.statusCode === 200) return textOf(response);
			const { code, message } = await jsonOf(response);
			return `${code} ${message}`;
		},
	};
}

const endpointOf = (name: string, address: string, more: object = {}): object => ({
	addresses: [address],
	targetRef: { kind: 'Pod', namespace: 'default', name },
	...more,
});

test('a request reaches the port of a ready Pod of the Service', async (t) => {
	const { slice, answer, send } = await world(t);
	const unready = endpointOf('gone', '10.0.0.8', { conditions: { ready: false } });
	await slice([unready, endpointOf('p', '10.0.0.7')]);
	assert.equal(await answer('web:80'), 'Pod /x');
	assert.equal(await answer('http:web:http'), 'Pod /x');
	assert.equal(await answer('https:web:https'), 'Pod /x');
	const redirect = await send('GET', 'services/web:80/proxy');
	assert.equal(redirect.headers.location, `${NAMESPACE}/services/web:80/proxy/`);
});

test('a Pod must have the address of its endpoint, and is looked for among all', async (t) => {
	const { slice, answer } = await world(t);
	await slice([endpointOf('p', '10.9.9.9'), endpointOf('gone', '10.0.0.7')]);
	const none = '503 no endpoints available for service "web:80"';
	assert.equal(await answer('web:80'), `${none}: none of them is a Pod of the namespace`);
	await slice([endpointOf('p', '10.9.9.9'), endpointOf('gone', '10.0.0.7'), endpointOf('p', '10.0.0.7')]);
	for (let count = 0; count < 5; count += 1) assert.equal(await answer('web:80'), 'Pod /x');
});

test('refusals have the texts of upstream', async (t) => {
	const { slice, answer, opened } = await world(t);
	const none = '503 no endpoints available for service';
	assert.equal(await answer('web:80'), `${none} "web"`);
	assert.equal(await answer('none:80'), '404 services "none" not found');
	assert.equal(await answer('web:82'), '503 no service port 82 found for service "web"');
	assert.equal(await answer('web:x'), '503 no service port "x" found for service "web"');
	assert.equal(await answer('a:b:c:d'), '400 invalid service request "a:b:c:d"');
	await slice([endpointOf('p', '10.0.0.7')]);
	assert.equal(await answer('web'), `${none} "web"`);
	const refused = 'dial tcp 10.0.0.7:81: connect: connection refused';
	assert.equal(await answer('web:closed'), `503 error trying to reach service: ${refused}`);
	await slice([{ addresses: ['10.0.0.7'] }]);
	assert.equal(await answer('web:80'), `${none} "web:80": none of them is a Pod of the namespace`);
	await bindPod(opened, 'q');
	await assert.rejects(opened.server.request({ method: 'GET', path: `${PODS}/q/proxy/` }), /method/);
});

test('Services without slices have Endpoints', async (t) => {
	const { opened, answer } = await world(t);
	const targetRef = { kind: 'Pod', namespace: 'default', name: 'p' };
	const subsets = [{ addresses: [{ ip: '10.0.0.7', targetRef }], ports: [{ name: 'http', port: 8080 }] }];
	const body = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web' }, subsets };
	await opened.server.request({ method: 'POST', path: `${NAMESPACE}/endpoints`, body });
	assert.equal(await answer('web:80'), 'Pod /x');
});

test('every method reaches a Service', async (t) => {
	const { opened, send } = await proxyWorld(t, mirror);
	const ports = [{ port: 80 }];
	const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' }, spec: { ports } };
	await opened.server.request({ method: 'POST', path: `${NAMESPACE}/services`, body: service });
	const body = {
		...{
			apiVersion: 'discovery.k8s.io/v1',
			kind: 'EndpointSlice',
			addressType: 'IPv4',
			ports: [{ port: 80 }],
		},
		metadata: { name: 'one-1', labels: { 'kubernetes.io/service-name': 'one' } },
		endpoints: [endpointOf('p', '10.0.0.7')],
	};
	await opened.server.request({ method: 'POST', path: SLICES, body });
	for (const method of ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']) {
		const response = await send(method, `services/one/proxy/some/path/with/${method}`);
		assert.deepEqual([response.statusCode, response.headers['x-method']], [200, method]);
		response.resume();
	}
});
