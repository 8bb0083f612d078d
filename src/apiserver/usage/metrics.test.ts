import assert from 'node:assert/strict';
import test from 'node:test';
import type { NodeUse } from '../../api/contract/usage.ts';
import { uidOf } from '../testing/account-tokens.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestServer,
} from '../testing/server-contract-suite.ts';

const METRICS = '/apis/metrics.k8s.io/v1beta1';
const AT = Date.UTC(2026, 0, 1);
const WINDOW = { at: AT, windowMs: 15_000 };

/** A server with the Pod `a` (labels `app: a`) on the node `n`, which uses a tenth of a processor, and the idle Pod `b`. */
async function open(): Promise<TestServer> {
	let uid = '';
	const usage = async (): Promise<NodeUse> => ({
		machine: {
			...{ ...WINDOW, cpuNanoseconds: 1, cpuNanoCores: 1_500_000_000 },
			...{ workingSetBytes: 3 * 2 ** 30, memoryAvailableBytes: 2 ** 30 },
		},
		containers: [
			{
				...{ ...WINDOW, id: 'x', podUid: uid, name: 'main', cpuNanoseconds: 5, cpuNanoCores: 100_000_001 },
				...{ memoryBytes: 9 << 20, workingSetBytes: (5 << 20) + 1, processes: 2, writableLayerBytes: 0 },
			},
		],
	});
	const opened = await openTestServer({ nodeApi: { ...ECHO_NODE, usage } });
	const post = async (path: string, body: object): Promise<unknown> =>
		(await opened.server.request({ method: 'POST', path, body })).object;
	await post('/api/v1/nodes', { kind: 'Node', apiVersion: 'v1', metadata: { name: 'n' } });
	const spec = { ...Object(podNamed('a').spec), nodeName: 'n' };
	uid = uidOf(await post(PODS, { ...podNamed('a'), metadata: { name: 'a', labels: { app: 'a' } }, spec }));
	await post(PODS, { ...podNamed('b'), spec });
	return opened;
}

async function read({ server }: TestServer, path: string, query = {}): Promise<unknown> {
	return (await server.request({ method: 'GET', path: `${METRICS}${path}`, query })).object;
}

const POD_A = {
	kind: 'PodMetrics',
	apiVersion: 'metrics.k8s.io/v1beta1',
	metadata: {
		...{ name: 'a', namespace: 'default', labels: { app: 'a' } },
		creationTimestamp: '2026-01-01T00:00:00Z',
	},
	timestamp: '2026-01-01T00:00:00Z',
	window: '15s',
	containers: [{ name: 'main', usage: { cpu: '100000001n', memory: '5Mi' } }],
};

test('the metrics of Pods are those of their containers, and Pods without metrics are left out', async () => {
	const opened = await open();
	const list = { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items: [POD_A] };
	assert.deepEqual(await read(opened, '/pods'), list);
	assert.deepEqual(await read(opened, '/namespaces/default/pods', { labelSelector: 'app=a' }), list);
	assert.deepEqual(await read(opened, '/namespaces/default/pods/a'), POD_A);
	const none = await read(opened, '/namespaces/default/pods', { labelSelector: 'app=b' });
	assert.deepEqual(none, { ...list, items: [] });
	assert.equal(
		(await refusal(read(opened, '/namespaces/default/pods/b'))).message,
		'podmetrics.metrics.k8s.io "default/b" not found',
	);
});

test('the metrics of a Node are those of the machine', async () => {
	assert.deepEqual(await read(await open(), '/nodes/n'), {
		kind: 'NodeMetrics',
		apiVersion: 'metrics.k8s.io/v1beta1',
		metadata: { name: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
		timestamp: '2026-01-01T00:00:00Z',
		window: '15s',
		usage: { cpu: '1500m', memory: '3Gi' },
	});
});

test('a table has the sum of the containers', async () => {
	const opened = await open();
	const { object } = await opened.server.request({
		...{ method: 'GET', path: `${METRICS}/pods` },
		accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
	});
	const rows = Object(object).rows.map(({ cells }: { cells: unknown }) => cells);
	assert.deepEqual(rows, [['a', '100000001n', '5Mi', '15s']]);
});

test('metrics can only be read', async () => {
	const { server } = await open();
	const path = `${METRICS}/namespaces/default/pods`;
	for (const request of [
		{ method: 'POST', path, body: POD_A },
		{ method: 'DELETE', path: `${path}/a` },
		{ method: 'GET', path, query: { watch: 'true' } },
	] as const)
		assert.equal((await refusal(server.request(request))).code, 405);
});

test('the discovery documents have the group', async () => {
	const { server } = await open();
	const { object } = await server.request({ method: 'GET', path: METRICS });
	assert.deepEqual(
		Object(object).resources.map(({ name, kind, namespaced, verbs }: Record<string, unknown>) => [
			...[name, kind, namespaced, verbs],
		]),
		[
			['nodes', 'NodeMetrics', false, ['get', 'list']],
			['pods', 'PodMetrics', true, ['get', 'list']],
		],
	);
});

test('the summary of a node is that of a kubelet, and no other path of it is served', async () => {
	const { server } = await open();
	const proxy = '/api/v1/nodes/n/proxy';
	const { object } = await server.request({ method: 'GET', path: `${proxy}/stats/summary` });
	const { node, pods } = Object(object);
	assert.equal(node.cpu.usageNanoCores, 1_500_000_000);
	assert.equal(node.memory.availableBytes, 2 ** 30);
	assert.deepEqual(pods[0].podRef.name, 'a');
	assert.equal(pods[0].containers[0].memory.workingSetBytes, (5 << 20) + 1);
	assert.deepEqual(pods[0].process_stats, { process_count: 2 });
	assert.equal((await refusal(server.request({ method: 'GET', path: `${proxy}/pods` }))).code, 404);
});
