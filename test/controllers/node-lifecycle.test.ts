import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { leases } from '../../src/api/coordination/lease/definition.ts';
import { events } from '../../src/api/core/event/definition.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import type { Node } from '../../src/api/core/node/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { FakeRuntime } from '../../src/runtime/fake/fake-runtime.ts';
import { type ControlPlane, passTime, startControlPlane } from '../support/control-plane.ts';
import { fakeAgent } from '../support/fake-node.ts';
import { test } from '../support/transports.ts';

/**
 * Node failures end to end, in virtual time: heartbeats of real node agents, the node lifecycle controller's
 * taints, taint eviction, and the Job controller's replacements. The delays are the sums of upstream's
 * defaults: a grace period of 50 s, and tolerationSeconds 300 for not-ready and unreachable.
 */

const SECOND = 1000;

/** A cluster in virtual time: the whole control plane, and node agents that a test stops and starts. */
class TestCluster {
	readonly clock: VirtualClock;
	readonly plane: ControlPlane;
	readonly #t: TestContext;
	readonly #logFolder: string;
	readonly #stops = new Map<string, () => Promise<void>>();
	readonly #runtimes = new Map<string, FakeRuntime>();

	private constructor(t: TestContext, clock: VirtualClock, plane: ControlPlane) {
		this.#t = t;
		this.clock = clock;
		this.plane = plane;
		this.#logFolder = mkdtempSync(join(tmpdir(), 'stint-nodes-'));
		t.after(async () => {
			for (const name of this.#stops.keys()) await this.silence(name);
			rmSync(this.#logFolder, { recursive: true, force: true });
		});
	}

	static async start(t: TestContext, ...names: readonly string[]): Promise<TestCluster> {
		const clock = new VirtualClock();
		const cluster = new TestCluster(t, clock, await startControlPlane(t, clock));
		for (const name of names) await cluster.wake(name);
		return cluster;
	}

	/** Starts the agent of a node. Its runtime, with the running containers, is that of the previous agent. */
	async wake(name: string): Promise<void> {
		const { clock } = this;
		const runtime = this.#runtimes.get(name) ?? new FakeRuntime({ clock, random: new SeededRandom(1) });
		this.#runtimes.set(name, runtime);
		const logFolder = join(this.#logFolder, name);
		const agent = fakeAgent(this.#t, this.plane, { name, clock, runtime, logFolder });
		const stop = new AbortController();
		const running = agent.run(stop.signal);
		this.#stops.set(name, () => {
			stop.abort();
			return running;
		});
		await agent.registered;
	}

	/** Stops the agent of a node, so that its heartbeats stop. Its containers keep running. */
	async silence(name: string): Promise<void> {
		await this.#stops.get(name)?.();
		this.#stops.delete(name);
	}

	pass(seconds: number): Promise<void> {
		return passTime(this.clock, seconds * SECOND);
	}

	async #cordonOthers(unschedulable: boolean): Promise<void> {
		const target = this.plane.client.resource(nodes);
		for (const { metadata } of (await target.list()).items) {
			if (metadata.name !== 'a')
				await target.patch(metadata.name ?? '', 'merge', { spec: { unschedulable } });
		}
	}

	node(name: string): Promise<Node> {
		return this.plane.client.resource(nodes).get(name);
	}

	async taints(name: string): Promise<readonly string[]> {
		const { spec } = await this.node(name);
		return (spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
	}

	async pods(): Promise<readonly Pod[]> {
		return (await this.plane.client.resource(pods, 'default').list()).items;
	}

	/** The messages of all Events with this reason. */
	async events(reason: string): Promise<readonly string[]> {
		const { items } = await this.plane.client.resource(events).list();
		return items.filter((event) => event.reason === reason).map(({ message = '' }) => message);
	}

	/** Creates a Job and has its Pods bound to the node `a`, by cordoning the others meanwhile. */
	async createJob(name: string, spec: object, podSpec: object = {}): Promise<void> {
		const containers = [{ name: 'main', image: 'busybox', command: ['sleep', '100000'] }];
		const template = { spec: { restartPolicy: 'Never', containers, ...podSpec } };
		// The cast is safe: this is a manifest, which the server decodes and defaults.
		const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template, ...spec } };
		await this.#cordonOthers(true);
		await this.plane.client.resource(jobs, 'default').create(job as unknown as Job);
		await this.pass(2);
		await this.#cordonOthers(false);
		await this.pass(1);
	}
}

function conditionOf({ status }: Pod, type: string): string | undefined {
	return findCondition(status.conditions, type)?.status;
}

test('an agent renews its Lease, which is deleted with the Node', async (t) => {
	const cluster = await TestCluster.start(t, 'a');
	await cluster.pass(35);
	const target = cluster.plane.client.resource(leases, 'kube-node-lease');
	const { spec, metadata } = await target.get('a');
	assert.equal(spec.holderIdentity, 'a');
	assert.equal(spec.leaseDurationSeconds, 40);
	assert.ok(cluster.clock.now() - (timeOf(spec.renewTime) ?? 0) <= 10 * SECOND);
	assert.deepEqual(
		metadata.ownerReferences?.map(({ kind, name }) => [kind, name]),
		[['Node', 'a']],
	);
	assert.deepEqual(await cluster.events('RegisteredNode'), ['Node a event: Registered Node a in Controller']);
	await cluster.silence('a');
	await cluster.plane.client.resource(nodes).delete('a');
	await cluster.pass(1);
	assert.deepEqual((await target.list()).items, []);
	assert.deepEqual(await cluster.events('RemovingNode'), ['Node a event: Removing Node a from Controller']);
});

test('an agent whose Node is deleted registers it again within ten seconds', async (t) => {
	const cluster = await TestCluster.start(t, 'a');
	await cluster.createJob('continues', {});
	const before = await cluster.node('a');
	await cluster.plane.client.resource(nodes).delete('a');
	await cluster.pass(10);
	const after = await cluster.node('a');
	assert.notEqual(after.metadata.uid, before.metadata.uid);
	await cluster.pass(100);
	const [pod] = await cluster.pods();
	assert.equal(pod?.status.phase, 'Running');
});

test('the Pods of a lost node become not ready, are evicted, and are replaced on another node by policy', async (t) => {
	const cluster = await TestCluster.start(t, 'a', 'b');
	const toleration = { key: 'node.kubernetes.io/unreachable', operator: 'Exists' };
	await cluster.createJob('at-once', {});
	await cluster.createJob('in-the-end', { backoffLimit: 0, podFailurePolicy: IGNORE_DISRUPTION });
	await cluster.createJob('tolerant', {}, { tolerations: [toleration] });
	assert.deepEqual(new Set((await cluster.pods()).map(({ spec }) => spec.nodeName)), new Set(['a']));

	await cluster.silence('a');
	await cluster.pass(61);
	assert.equal((await cluster.node('a')).status.conditions?.at(-1)?.status, 'Unknown');
	assert.deepEqual(await cluster.taints('a'), [
		'node.kubernetes.io/unreachable:NoSchedule',
		'node.kubernetes.io/unreachable:NoExecute',
	]);
	for (const pod of await cluster.pods()) assert.equal(conditionOf(pod, 'Ready'), 'False');
	assert.deepEqual(await cluster.events('NodeNotReady'), [
		'Node a status is now: NodeNotReady',
		...Array.from({ length: 3 }, () => 'Node is not ready'),
	]);

	await cluster.pass(275);
	assert.equal((await cluster.pods()).length, 3);
	await cluster.pass(40);
	const evicted = (await cluster.pods()).filter(({ metadata }) => metadata.deletionTimestamp);
	assert.deepEqual(evicted.map(({ metadata }) => metadata.labels?.['job-name']).sort(), [
		'at-once',
		'in-the-end',
	]);
	for (const pod of evicted) assert.equal(conditionOf(pod, 'DisruptionTarget'), 'True');
	const alive = (await cluster.pods()).filter(({ metadata }) => !metadata.deletionTimestamp);
	assert.deepEqual(
		alive.map(({ metadata, spec }) => `${metadata.labels?.['job-name']} on ${spec.nodeName}`).sort(),
		['at-once on b', 'tolerant on a'],
	);

	await cluster.wake('a');
	await cluster.pass(45);
	assert.deepEqual(await cluster.taints('a'), []);
	const last = await cluster.pods();
	assert.deepEqual(
		last.map(({ metadata, status }) => `${metadata.labels?.['job-name']} ${status.phase}`).sort(),
		['at-once Running', 'in-the-end Running', 'tolerant Running'],
	);
	for (const pod of last) assert.equal(conditionOf(pod, 'Ready'), 'True');
});

test('a node that is ready again before the tolerations expire keeps its Pods', async (t) => {
	const cluster = await TestCluster.start(t, 'a', 'b');
	await cluster.createJob('stays', {});
	await cluster.silence('a');
	await cluster.pass(200);
	await cluster.wake('a');
	await cluster.pass(400);
	const [pod] = await cluster.pods();
	assert.equal(pod?.status.phase, 'Running');
	assert.equal(conditionOf(pod, 'Ready'), 'True');
	assert.deepEqual(await cluster.events('TaintManagerEviction'), [
		`Cancelling deletion of Pod default/${pod.metadata.name}`,
	]);
});

test('the controller evicts no Pods from the only node', async (t) => {
	const cluster = await TestCluster.start(t, 'a');
	// Upstream's full disruption mode: if no node is ready, the fault is likely on the control plane's side.
	await cluster.createJob('stays', {});
	await cluster.silence('a');
	await cluster.pass(3600);
	assert.deepEqual(await cluster.taints('a'), ['node.kubernetes.io/unreachable:NoSchedule']);
	const [pod] = await cluster.pods();
	assert.equal(pod?.metadata.deletionTimestamp, undefined);
	await cluster.wake('a');
	await cluster.pass(20);
	const [same] = await cluster.pods();
	assert.equal(same?.metadata.uid, pod?.metadata.uid);
	assert.equal(conditionOf(same as Pod, 'Ready'), 'True');
});

test('the controller does not take the sleep of its own machine for missing heartbeats', async (t) => {
	const cluster = await TestCluster.start(t, 'a');
	await cluster.pass(40);
	// The clock jumps, as after a suspend to RAM: in these hours neither heartbeats nor checks have run.
	cluster.clock.advance(8 * 3600 * SECOND);
	await cluster.pass(60);
	assert.deepEqual(await cluster.events('NodeNotReady'), []);
	assert.deepEqual(await cluster.taints('a'), []);
});

test('a NoExecute taint of a user evicts each Pod after its tolerationSeconds', async (t) => {
	const cluster = await TestCluster.start(t, 'a', 'b');
	const tolerations = [{ key: 'repair', effect: 'NoExecute', operator: 'Exists', tolerationSeconds: 20 }];
	await cluster.createJob('patient', {}, { tolerations });
	await cluster.createJob('plain', {});
	const taints = [{ key: 'repair', effect: 'NoExecute' }];
	await cluster.plane.client.resource(nodes).patch('a', 'merge', { spec: { taints } });
	const placed = async (): Promise<readonly string[]> =>
		(await cluster.pods())
			.filter(({ metadata }) => !metadata.deletionTimestamp)
			.map(({ metadata, spec }) => `${metadata.labels?.['job-name']} on ${spec.nodeName}`)
			.sort();
	await cluster.pass(19);
	assert.deepEqual(await placed(), ['patient on a', 'plain on b']);
	await cluster.pass(2);
	const gone = await cluster.events('TaintManagerEviction');
	assert.equal(gone.filter((text) => text.startsWith('Marking for deletion Pod default/')).length, 2);
});

const IGNORE_DISRUPTION = {
	rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
};
