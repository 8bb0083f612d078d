import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { Finished } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** The life of Pods with real processes and real kubectl: probes, hooks, sidecars, ephemeral containers, resizes. */

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

async function podAt(server: StintServer, name: string): Promise<Pod> {
	return JSON.parse(ok(await server.kubectl('get', 'pod', name, '-o', 'json')));
}

/** Creates a Pod of containers that sleep, with these fields in the first one. */
async function create(
	server: StintServer,
	name: string,
	container: object,
	spec: object = {},
): Promise<void> {
	const containers = [{ name: 'main', image: 'busybox', command: ['sleep', '600'], ...container }];
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...spec } };
	ok(await server.kubectlWith(JSON.stringify(pod), 'create', '-f', '-'));
}

test('the life of Pods', async (t) => {
	const server = await startStint(t);

	await t.test('readiness and liveness follow an HTTP server', async (t) => {
		let status = 500;
		const asked: (string | undefined)[] = [];
		const http = createServer(({ headers }, response) => {
			asked.push(headers['user-agent']);
			response.writeHead(status).end();
		});
		http.listen(0, '127.0.0.1');
		await once(http, 'listening');
		t.after(() => http.close());
		const { port } = http.address() as AddressInfo;
		const httpGet = { port };
		await create(server, 'probed', {
			readinessProbe: { httpGet, periodSeconds: 1 },
			livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 2 },
		});
		ok(
			await server.kubectl(
				...[
					'wait',
					'--for=jsonpath={.status.containerStatuses[0].restartCount}=1',
					'--timeout=60s',
					'pod/probed',
				],
			),
		);
		status = 204;
		ok(await server.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/probed'));
		assert.deepEqual(new Set(asked), new Set(['kube-probe/1.37']));
		const described = ok(await server.kubectl('describe', 'pod', 'probed'));
		assert.match(described, /Liveness probe failed: HTTP probe failed with statuscode: 500/);
		assert.match(described, /Container main failed liveness probe, will be restarted/);
		ok(await server.kubectl('delete', 'pod', 'probed', '--grace-period=1'));
	});

	await t.test('a Pod with a sidecar succeeds when its container has ended', async () => {
		const sidecar = { name: 'proxy', image: 'busybox', command: ['sleep', '600'], restartPolicy: 'Always' };
		const spec = { initContainers: [sidecar], restartPolicy: 'Never' };
		await create(server, 'served', { command: ['sleep', '1'] }, spec);
		ok(
			await server.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s', 'pod/served'),
		);
		const { status } = await podAt(server, 'served');
		assert.equal(status.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 143);
	});

	await t.test('a preStop hook delays the end of a deleted Pod', async () => {
		const lifecycle = { preStop: { sleep: { seconds: 2 } } };
		await create(server, 'drained', { lifecycle });
		ok(await server.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/drained'));
		const start = performance.now();
		ok(await server.kubectl('delete', 'pod', 'drained', '--timeout=60s'));
		assert.ok(performance.now() - start > 2000);
	});

	await t.test('kubectl debug runs an ephemeral container in a running Pod', async () => {
		await create(server, 'running', {});
		ok(await server.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/running'));
		const debug = ['debug', 'running', '--image=busybox', '-c', 'look', '--target=main', '--attach=false'];
		ok(await server.kubectl(...debug, '--', 'sh', '-c', 'ps -A -o args; echo looked; exit 3'));
		const path = '{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}';
		ok(await server.kubectl('wait', `--for=jsonpath=${path}=3`, '--timeout=60s', 'pod/running'));
		assert.match(ok(await server.kubectl('logs', 'running', '-c', 'look')), /^sleep .*looked\n$/ms);
	});

	await t.test('a resize may not change the QoS class, and a status has the user', async () => {
		const patch = { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '100m' } } }] } };
		const args = ['patch', 'pod', 'running', '--subresource=resize', '-p', JSON.stringify(patch)];
		const refused = await server.kubectl(...args);
		assert.match(refused.stderr, /Pod QOS Class may not change as a result of resizing/);
		const [main] = (await podAt(server, 'running')).status.containerStatuses ?? [];
		assert.equal(main?.user?.linux?.uid, process.getuid?.());
		ok(await server.kubectl('delete', 'pod', '--all', '--grace-period=1'));
	});
});
