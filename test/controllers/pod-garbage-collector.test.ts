import assert from 'node:assert/strict';
import test from 'node:test';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { Clock, Timer } from '../../src/base/clock.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { Informer } from '../../src/client/informer.ts';
import { Informers } from '../../src/client/informers.ts';
import { PodGarbageCollector } from '../../src/controllers/pod-gc/pod-garbage-collector.ts';
import { Cluster } from '../job/cluster.ts';
import { conditionsOf } from '../job/job-objects.ts';

/**
 * The Pod garbage collector and a Job controller against the real API server, in virtual time. The periods
 * are upstream's (pkg/controller/podgc): a collection every 20 s, and 40 s of quarantine for Pods of a
 * missing Node.
 */

const LIMIT = { timeout: 10_000 };

/** Counts the timers that are set and have not fired. */
class CountingClock implements Clock {
	readonly #clock: Clock;
	pending = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	now(): number {
		return this.#clock.now();
	}

	monotonic(): number {
		return this.#clock.monotonic();
	}

	setTimer(delayMs: number, fire: () => void): Timer {
		this.pending++;
		return this.#clock.setTimer(delayMs, () => {
			this.pending--;
			fire();
		});
	}
}

interface ClusterOptions {
	readonly endedPodsLimit?: number;
	/** The only node in the collector's cache. */
	readonly shownNode?: string;
}

async function startCluster(t: test.TestContext, options: ClusterOptions = {}): Promise<Cluster> {
	const { shownNode, ...limits } = options;
	const cluster = await Cluster.start(t);
	const { client } = cluster;
	const clock = new CountingClock(cluster.clock);
	t.after(() => assert.equal(clock.pending, 0, 'no timer is left in the end'));
	const stop = new AbortController();
	const onError = (key: string, error: unknown): void => void cluster.errors.push(`${key}: ${error}`);
	const informers = new Informers({ client, clock, random: new SeededRandom(1), onError });
	const narrow = shownNode === undefined ? {} : { fieldSelector: `metadata.name=${shownNode}` };
	const shownNodes = new Informer(client.resource(nodes), { clock, narrow });
	const collector = new PodGarbageCollector({
		...{
			client,
			clock,
			metrics: new Metrics(),
			onError,
			pods: informers.of(pods),
			nodes: shownNodes,
			...limits,
		},
	});
	const parts = [informers, shownNodes, collector];
	const ended = Promise.all(parts.map((part) => part.run(stop.signal)));
	t.after(async () => {
		stop.abort();
		await ended;
		assert.deepEqual(cluster.errors, []);
	});
	await Promise.all([informers.synced(), shownNodes.synced]);
	return cluster;
}

function addNode({ client }: Cluster, name: string): Promise<unknown> {
	const conditions = [{ type: 'Ready', status: 'True' as const }];
	const node = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, status: { conditions } };
	return client.resource(nodes).create(node);
}

async function addPod(
	{ client }: Cluster,
	name: string,
	{ nodeName = '', finalizer = '' } = {},
): Promise<Pod> {
	const metadata = { name, ...(finalizer && { finalizers: [finalizer] }) };
	const spec = { containers: [{ name: 'main', image: 'x' }], ...(nodeName && { nodeName }) };
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
	return client.resource(pods, 'default').create(pod as unknown as Pod);
}

const named = (cluster: Cluster, name: string): Pod | undefined =>
	cluster.pods().find(({ metadata }) => metadata.name === name);

const gone = (cluster: Cluster, name: string): Promise<boolean> =>
	cluster.until(() => named(cluster, name) === undefined);

async function pass(cluster: Cluster, lengthMs: number): Promise<void> {
	await cluster.quiet();
	cluster.clock.advance(lengthMs);
	await cluster.quiet();
}

test(
	'a Pod whose Node is deleted fails after 40 seconds, with a condition, and is deleted',
	LIMIT,
	async (t) => {
		const cluster = await startCluster(t);
		await addNode(cluster, 'here');
		await addNode(cluster, 'lost');
		await addPod(cluster, 'stays', { nodeName: 'here' });
		const orphan = await addPod(cluster, 'orphan', { nodeName: 'lost', finalizer: 'a/b' });
		await cluster.report(orphan, { phase: 'Running' });
		await cluster.client.resource(nodes).delete('lost');
		await pass(cluster, 39_999);
		assert.equal(named(cluster, 'orphan')?.metadata.deletionTimestamp, undefined);
		cluster.clock.advance(1);
		const pod = await cluster.until(() => {
			const found = named(cluster, 'orphan');
			return found?.metadata.deletionTimestamp !== undefined && found;
		});
		assert.equal(pod.status.phase, 'Failed');
		assert.deepEqual(pod.status.conditions, [
			{
				type: 'DisruptionTarget',
				observedGeneration: 1,
				status: 'True',
				lastProbeTime: null,
				lastTransitionTime: '2026-01-01T00:00:40Z',
				reason: 'DeletionByPodGC',
				message: 'PodGC: node no longer exists',
			},
		]);
		assert.equal(pod.metadata.deletionGracePeriodSeconds, 0);
		await cluster.client
			.resource(pods, 'default')
			.patch('orphan', 'merge', { metadata: { finalizers: null } });
		await gone(cluster, 'orphan');
		await pass(cluster, 100_000);
		assert.ok(named(cluster, 'stays'));
	},
);

test(
	'a Node that is created again in time keeps its Pods, and a Pod of a Node that never existed is deleted',
	LIMIT,
	async (t) => {
		const cluster = await startCluster(t);
		await addPod(cluster, 'early', { nodeName: 'late' });
		await addPod(cluster, 'astray', { nodeName: 'nowhere' });
		await pass(cluster, 30_000);
		await addNode(cluster, 'late');
		await pass(cluster, 10_000);
		await gone(cluster, 'astray');
		await pass(cluster, 100_000);
		assert.equal(named(cluster, 'early')?.metadata.deletionTimestamp, undefined);
		await cluster.client.resource(nodes).delete('late');
		await pass(cluster, 39_999);
		assert.ok(named(cluster, 'early'), 'the quarantine starts again');
		cluster.clock.advance(1);
		await gone(cluster, 'early');
	},
);

test('the collector reads a Node that its cache lacks before it deletes the Pods', LIMIT, async (t) => {
	const cluster = await startCluster(t, { shownNode: 'other' });
	await addNode(cluster, 'hidden');
	await addPod(cluster, 'safe', { nodeName: 'hidden' });
	await pass(cluster, 100_000);
	assert.equal(named(cluster, 'safe')?.metadata.deletionTimestamp, undefined);
});

test("a Job's Pod that is deleted before it is bound fails at once, and is replaced", LIMIT, async (t) => {
	const cluster = await startCluster(t);
	await cluster.createJob({ podReplacementPolicy: 'Failed' });
	const [pod] = await cluster.until(() => cluster.pods().length === 1 && cluster.pods());
	await cluster.client.resource(pods, 'default').delete(pod?.metadata.name ?? '');
	await gone(cluster, pod?.metadata.name ?? '');
	await cluster.until(() => cluster.job().status.failed === 1);
	await pass(cluster, 10_000);
	await cluster.until(() => cluster.pods('Pending').length === 1);
});

test('a Job that ignores disruptions does not fail when its Node is deleted', LIMIT, async (t) => {
	const cluster = await startCluster(t);
	await addNode(cluster, 'node');
	const onPodConditions = [{ type: 'DisruptionTarget', status: 'True' as const }];
	const podFailurePolicy = { rules: [{ action: 'Ignore', onPodConditions }] } as const;
	await cluster.createJob({ backoffLimit: 0, podFailurePolicy });
	const [pod] = await cluster.until(() => cluster.pods().length === 1 && cluster.pods());
	const name = pod?.metadata.name ?? '';
	const body = { metadata: { name }, target: { name: 'node' } };
	const path = `/api/v1/namespaces/default/pods/${name}/binding`;
	await cluster.client.transport.request({ method: 'POST', path, body });
	await cluster.client.resource(nodes).delete('node');
	await pass(cluster, 40_000);
	await gone(cluster, name);
	await pass(cluster, 10_000);
	await cluster.until(() => cluster.pods('Pending').length === 1);
	assert.equal(cluster.job().status.failed, undefined);
	assert.deepEqual(conditionsOf(cluster.job().status), []);
});

test('the collector deletes terminating Pods on an out-of-service node', LIMIT, async (t) => {
	const cluster = await startCluster(t);
	await addNode(cluster, 'dead');
	for (const name of ['before', 'after', 'stays']) await addPod(cluster, name, { nodeName: 'dead' });
	const target = cluster.client.resource(pods, 'default');
	const node = cluster.client.resource(nodes);
	await target.delete('before');
	const taint = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' };
	await node.patch('dead', 'merge', { spec: { taints: [taint] } });
	await cluster.quiet();
	assert.ok(named(cluster, 'before'), 'the node is still ready');
	await node.patchStatus('dead', 'strategic', {
		status: { conditions: [{ type: 'Ready', status: 'Unknown' }] },
	});
	await gone(cluster, 'before');
	await target.delete('after');
	await gone(cluster, 'after');
	assert.equal(named(cluster, 'stays')?.status.phase, 'Pending');
});

test('the collector deletes ended Pods beyond the limit, the oldest first', LIMIT, async (t) => {
	const cluster = await startCluster(t, { endedPodsLimit: 2 });
	for (const name of ['d', 'c', 'b', 'a']) {
		cluster.clock.advance(1000);
		await cluster.report(await addPod(cluster, name), { phase: 'Succeeded' });
	}
	const names = (): string =>
		cluster
			.pods()
			.map(({ metadata }) => metadata.name)
			.sort()
			.join(' ');
	await cluster.until(() => named(cluster, 'd') === undefined);
	await pass(cluster, 10_000);
	assert.equal(names(), 'a b c', 'the next collection is 20 seconds after the last one');
	await pass(cluster, 10_000);
	await cluster.until(() => names() === 'a b');
	await pass(cluster, 20_000);
});
