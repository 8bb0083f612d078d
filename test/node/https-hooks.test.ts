import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { makeAuthority, makeServerCertificate } from '../../src/apiserver/http/certificates.ts';
import { SystemClock } from '../../src/base/clock.ts';
import { test } from '../support/transports.ts';
import { eventAbout, pod, startNode } from './test-node.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	return (server.address() as AddressInfo).port;
}

function podWith(container: object): Pod {
	const made = pod('p', ['sleep', 'infinity']);
	return {
		...made,
		spec: { ...made.spec, containers: [{ ...made.spec.containers[0], ...container }] },
	} as Pod;
}

test('a probe and a hook by HTTPS do not verify the certificate', async (t) => {
	const now = new SystemClock().now();
	const { certificatePem: cert, keyPem: key } = makeServerCertificate(makeAuthority(now), now);
	const agents = new Set<string>();
	const server = createServer({ cert, key }, (request, response) => {
		agents.add(request.headers['user-agent'] ?? '');
		response.writeHead(request.url === '/start' ? 500 : 200).end();
	});
	const port = await listen(t, server);
	const { plane } = await startNode(t);
	const get = (path: string) => ({ httpGet: { scheme: 'HTTPS', port, path } });
	await plane.client
		.resource(pods, 'default')
		.create(podWith({ readinessProbe: get('/ready'), lifecycle: { postStart: get('/start') } }));
	await plane.until(pods, 'p', (object) => object?.status.containerStatuses?.[0]?.ready === true);
	assert.deepEqual(agents, new Set(['kube-lifecycle/1.37', 'kube-probe/1.37']));
});

test('a hook by HTTPS that is answered by HTTP is repeated by HTTP, with an event', async (t) => {
	const received: unknown[] = [];
	const server = createHttpServer(({ headers: { authorization } }, response) => {
		received.push(authorization);
		response.end();
	});
	const port = await listen(t, server);
	const node = await startNode(t);
	const httpHeaders = [{ name: 'Authorization', value: 'secret' }];
	const postStart = { httpGet: { scheme: 'HTTPS', port, httpHeaders } };
	await node.plane.client.resource(pods, 'default').create(podWith({ lifecycle: { postStart } }));
	await node.plane.until(pods, 'p', (object) => object?.status.containerStatuses?.[0]?.ready === true);
	assert.equal(
		(await eventAbout(node, 'p', 'LifecycleHTTPFallback')).message,
		`request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
	);
	assert.deepEqual(received, [undefined]);
});
