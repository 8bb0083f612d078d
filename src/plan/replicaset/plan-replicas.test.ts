import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { replicationControllers } from '../../api/core/replicationcontroller/definition.ts';
import { formatTime } from '../../api/meta/time.ts';
import { MOST_AT_ONCE, planReplicas, type ReplicaPlan, withFailure } from './plan-replicas.ts';
import { orderForRemoval } from './removal-order.ts';
import { ownerOfReplicaSet, ownerOfReplicationController } from './replica-owner.ts';
import { replicaPod } from './replica-pod.ts';

const NOW = Date.parse('2026-01-31T08:00:00Z');
const LABELS = { app: 'web' };
const TEMPLATE = {
	metadata: { labels: LABELS, annotations: { a: 'b' }, finalizers: ['acme.io/f'] },
	spec: { containers: [{ name: 'main', image: 'busybox' }] },
};

function setOf(
	spec: object = {},
	metadata: object = {},
	status: ReplicaSet['status'] = { replicas: 0 },
): ReplicaSet {
	return replicaSets.defaults({
		apiVersion: 'apps/v1',
		kind: 'ReplicaSet',
		metadata: { name: 'web', namespace: 'n', uid: 'u', generation: 3, ...metadata },
		spec: { selector: { matchLabels: LABELS }, template: TEMPLATE, ...spec },
		status,
	});
}

/** A Pod; with `readySince` (ms before now) it is ready. */
function podOf(
	name: string,
	{ readySince, ...more }: { readySince?: number; [field: string]: unknown } = {},
): Pod {
	const { metadata = {}, spec = {}, status = {} } = more as Readonly<Record<string, object>>; // `as`: parts of a Pod.
	const lastTransitionTime = formatTime(NOW - (readySince ?? 0));
	const conditions =
		readySince === undefined ? [] : [{ type: 'Ready', status: 'True' as const, lastTransitionTime }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, uid: name, labels: LABELS, creationTimestamp: formatTime(NOW - 60_000), ...metadata },
		spec: { containers: [], nodeName: 'node', ...spec },
		status: { phase: 'Running', conditions, ...status },
	};
}

const DELETED = { metadata: { deletionTimestamp: formatTime(NOW) } };
const FAILED = { status: { phase: 'Failed' } };

function planOf(set: ReplicaSet, pods: readonly Pod[], orphans: readonly Pod[] = []): ReplicaPlan {
	return planReplicas({ owner: ownerOfReplicaSet(set), pods, orphans, related: [], now: NOW });
}

function namesOf(acts: readonly { readonly pod: Pod }[]): readonly (string | undefined)[] {
	return acts.map(({ pod }) => pod.metadata.name);
}

test('missing Pods are created and surplus ones deleted, at most 500 at once', () => {
	const pods = [podOf('a'), podOf('ended', FAILED), podOf('deleted', DELETED)];
	assert.deepEqual(
		[planOf(setOf({ replicas: 3 }), pods).create, planOf(setOf({ replicas: 1 }), pods).create],
		[2, 0],
	);
	assert.deepEqual(namesOf(planOf(setOf({ replicas: 0 }), pods).delete), ['a']);
	assert.equal(planOf(setOf({ replicas: 2000 }), []).create, MOST_AT_ONCE);
	const many = Array.from({ length: 700 }, (_, index) => podOf(`p${index}`));
	assert.equal(planOf(setOf({ replicas: 0 }), many).delete.length, MOST_AT_ONCE);
});

test('active Pods without a controller are adopted, and those that no longer match released', () => {
	const other = { metadata: { labels: { app: 'db' } } };
	const orphans = [podOf('orphan'), podOf('other', other), podOf('ended', FAILED), podOf('deleted', DELETED)];
	const plan = planOf(setOf({ replicas: 2 }), [podOf('own'), podOf('changed', other)], orphans);
	assert.deepEqual([namesOf(plan.adopt), namesOf(plan.release)], [['orphan'], ['changed']]);
	assert.deepEqual([plan.create, plan.delete, plan.status.replicas], [0, [], 2]);
});

test('an owner that is being deleted does nothing but count', () => {
	const set = setOf({ replicas: 3 }, { deletionTimestamp: formatTime(NOW) });
	const plan = planOf(set, [podOf('a', { readySince: 0 })], [podOf('orphan')]);
	assert.deepEqual([plan.adopt, plan.release, plan.create, plan.delete], [[], [], 0, []]);
	assert.deepEqual([plan.status.replicas, plan.status.readyReplicas], [1, 1]);
});

test('the status counts Pods by labels, readiness, availability and deletion', () => {
	const template = { ...TEMPLATE, metadata: { labels: { ...LABELS, v: '2' } } };
	const pods = [
		podOf('new', { metadata: { labels: { ...LABELS, v: '2' } }, readySince: 2000 }),
		podOf('old', { readySince: 9000 }),
		podOf('unready'),
		podOf('deleted', DELETED),
		podOf('ended', { ...DELETED, ...FAILED }),
	];
	const plan = planOf(setOf({ replicas: 3, minReadySeconds: 5, template }), pods);
	assert.deepEqual(plan.status, {
		replicas: 3,
		fullyLabeledReplicas: 1,
		readyReplicas: 2,
		availableReplicas: 1,
		terminatingReplicas: 1,
		observedGeneration: 3,
	});
	assert.equal(plan.recheckAfterMs, 3000);
	assert.equal(planOf(setOf({ replicas: 3 }), pods).recheckAfterMs, undefined);
});

test('the status of a ReplicationController has no count of terminating Pods', () => {
	const object = replicationControllers.defaults({
		apiVersion: 'v1',
		kind: 'ReplicationController',
		metadata: { name: 'web', namespace: 'n', uid: 'u' },
		spec: { replicas: 2, template: TEMPLATE },
		status: { replicas: 0 },
	});
	const owner = ownerOfReplicationController(object);
	const plan = planReplicas({ owner, pods: [podOf('a')], orphans: [], related: [], now: NOW });
	assert.deepEqual([plan.create, plan.status], [1, { replicas: 1, fullyLabeledReplicas: 1 }]);
});

test('a failure is a condition, which stays as it was until a pass succeeds', () => {
	const set = setOf({ replicas: 1 });
	const failure = { message: 'no quota', now: NOW };
	const created = withFailure(planOf(set, []), ownerOfReplicaSet(set), failure);
	const condition = { type: 'ReplicaFailure', status: 'True', lastTransitionTime: formatTime(NOW) };
	assert.deepEqual(created.conditions, [{ ...condition, reason: 'FailedCreate', message: 'no quota' }]);
	const deleted = withFailure(planOf(set, [podOf('a'), podOf('b')]), ownerOfReplicaSet(set), failure);
	assert.equal(deleted.conditions?.[0]?.reason, 'FailedDelete');
	const again = setOf({ replicas: 1 }, {}, created);
	const later = withFailure(planOf(again, []), ownerOfReplicaSet(again), {
		message: 'other',
		now: NOW + 9000,
	});
	assert.deepEqual(later.conditions, created.conditions);
	assert.equal(planOf(again, []).status.conditions, undefined);
});

test('a Pod has the metadata and spec of the template, and the owner as its controller', () => {
	const pod = replicaPod(ownerOfReplicaSet(setOf()));
	assert.deepEqual(pod?.metadata, {
		...{
			generateName: 'web-',
			namespace: 'n',
			labels: LABELS,
			annotations: { a: 'b' },
			finalizers: ['acme.io/f'],
		},
		ownerReferences: [
			{
				apiVersion: 'apps/v1',
				kind: 'ReplicaSet',
				name: 'web',
				uid: 'u',
				controller: true,
				blockOwnerDeletion: true,
			},
		],
	});
	assert.equal(pod.spec.restartPolicy, 'Always');
});

const COST = 'controller.kubernetes.io/pod-deletion-cost';
const restarts = (count: number): Readonly<Record<string, unknown>> => ({
	containerStatuses: [{ name: 'c', ready: true, restartCount: count, image: '', imageID: '' }],
});
const sidecar = (count: number): Readonly<Record<string, unknown>> => ({
	spec: { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
	status: {
		initContainerStatuses: [{ name: 's', ready: true, restartCount: count, image: '', imageID: '' }],
	},
});

test('a scale-down deletes Pods in the order of upstream', () => {
	const ready = { readySince: 40_000 };
	const aged = (ms: number): Readonly<Record<string, unknown>> => ({
		metadata: { creationTimestamp: formatTime(NOW - ms) },
		...ready,
	});
	const rows: readonly (readonly [Pod, Pod])[] = [
		[podOf('a', { spec: { nodeName: undefined }, ...ready }), podOf('b', { status: { phase: 'Pending' } })],
		[podOf('a', { status: { phase: 'Pending' } }), podOf('b', { status: { phase: 'Unknown' } })],
		[podOf('a', { status: { phase: 'Unknown' } }), podOf('b')],
		[
			podOf('a', { metadata: { annotations: { [COST]: '9' } } }),
			podOf('b', { ...ready, metadata: { annotations: { [COST]: '-9' } } }),
		],
		[podOf('a', { ...ready, metadata: { annotations: { [COST]: '-1' } } }), podOf('b', ready)],
		[podOf('a', ready), podOf('b', { ...ready, metadata: { annotations: { [COST]: '2' } } })],
		[podOf('b', { ...ready, spec: { nodeName: 'full' } }), podOf('a', ready)],
		[podOf('b', { readySince: 1000 }), podOf('a', ready)],
		[podOf('a', { readySince: 39_000 }), podOf('b', ready)],
		[podOf('b', { status: restarts(5) }), podOf('a', { status: restarts(1) })],
		[podOf('b', sidecar(5)), podOf('a', sidecar(1))],
		[podOf('b', aged(1000)), podOf('a', aged(900_000))],
	];
	const related = ['x', 'y'].map((name) => podOf(name, { spec: { nodeName: 'full' } }));
	for (const [index, [first, second]] of rows.entries()) {
		for (const pods of [
			[first, second],
			[second, first],
		]) {
			const order = orderForRemoval(pods, { related, now: NOW });
			assert.deepEqual(order, [first, second], `row ${index}`);
		}
	}
});

test('from any state, passes reach the desired number and never act against it', () => {
	const states = fc.constantFrom({}, { readySince: 0 }, DELETED, FAILED, { metadata: { labels: {} } });
	fc.assert(
		fc.property(
			fc.nat(12),
			fc.array(states, { maxLength: 12 }),
			fc.array(states, { maxLength: 5 }),
			(replicas, own, free) => {
				let pods = own.map((state, index) => podOf(`own${index}`, state));
				let orphans = free.map((state, index) => podOf(`free${index}`, state));
				const set = setOf({ replicas });
				for (let pass = 0; pass < 3; pass++) {
					const plan = planOf(set, pods, orphans);
					assert.ok(plan.create === 0 || plan.delete.length === 0);
					assert.equal(plan.active + plan.create - plan.delete.length, replicas);
					const gone = new Set([...plan.delete, ...plan.release].map(({ pod }) => pod));
					pods = [...pods.filter((pod) => !gone.has(pod)), ...plan.adopt.map(({ pod }) => pod)];
					orphans = orphans.filter((pod) => !plan.adopt.some((act) => act.pod === pod));
					for (let made = 0; made < plan.create; made++) pods.push(podOf(`new${pass}-${made}`));
				}
				const last = planOf(set, pods, orphans);
				assert.deepEqual([last.adopt, last.release, last.create, last.delete], [[], [], 0, []]);
				assert.equal(last.status.replicas, replicas);
			},
		),
		{ numRuns: 200 },
	);
});
