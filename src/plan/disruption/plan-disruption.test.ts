import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { PodDisruptionBudget } from '../../api/policy/poddisruptionbudget/schema.ts';
import { ignoresBudgets, isFreeToEvict, takeDisruption } from './eviction-budget.ts';
import {
	type DisruptionContext,
	notDeletedEvent,
	planDisruption,
	staleDisruptionAt,
	staleDisruptionPatch,
} from './plan-disruption.ts';

const NOW = Date.parse('2026-01-31T08:00:00Z');
/** No controller of the Pods exists. */
const AT_NOW: DisruptionContext = { now: NOW, find: () => undefined };
const SELECTOR = { matchLabels: { app: 'x' } };

function pod(name: string, shape: { ready?: boolean; metadata?: object; status?: object } = {}): Pod {
	const { ready = true, metadata = {}, status = {} } = shape;
	const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, namespace: 'n', labels: { app: 'x' }, ...metadata },
		spec: { containers: [] },
		status: { phase: 'Running', conditions, ...status },
	} as Pod;
}

function budget(
	spec: object,
	status: Partial<PodDisruptionBudget['status']> = {},
	generation = 1,
): PodDisruptionBudget {
	const none = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
	const metadata = { name: 'b', namespace: 'n', generation };
	return {
		apiVersion: 'policy/v1',
		kind: 'PodDisruptionBudget',
		metadata,
		spec: { selector: SELECTOR, ...spec },
		status: { ...none, ...status },
	};
}

const counts = (status: PodDisruptionBudget['status'] | undefined): readonly unknown[] => [
	...[status?.expectedPods, status?.currentHealthy, status?.desiredHealthy, status?.disruptionsAllowed],
];

test('minAvailable as a number counts the Pods that are ready', () => {
	const pods = [pod('a'), pod('b'), pod('c', { ready: false })];
	const { status } = planDisruption(budget({ minAvailable: 1 }), pods, AT_NOW);
	assert.deepEqual(counts(status), [3, 2, 1, 1]);
	assert.deepEqual(
		status?.conditions?.map(({ type, status: is, reason }) => [type, is, reason]),
		[['DisruptionAllowed', 'True', 'SufficientPods']],
	);
	const again = planDisruption({ ...budget({ minAvailable: 1 }), status: status as never }, pods, {
		...AT_NOW,
		now: NOW + 5000,
	});
	assert.equal(again.status, undefined);
});

test('Pods of a Job have no scale, so that maxUnavailable and percentages allow nothing', () => {
	const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true };
	const pods = [pod('a', { metadata: { ownerReferences: [owner] } })];
	for (const spec of [{ maxUnavailable: 1 }, { minAvailable: '50%' }]) {
		const { status, events } = planDisruption(budget(spec, { disruptionsAllowed: 3 }), pods, AT_NOW);
		assert.equal(status?.disruptionsAllowed, 0);
		assert.equal(status?.conditions?.[0]?.reason, 'SyncFailed');
		assert.equal(
			events[0]?.message,
			'Failed to calculate the number of expected pods: jobs.batch does not implement the scale subresource',
		);
	}
});

test('controllers count once with their replicas, a ReplicaSet with those of its Deployment', () => {
	const reference = (kind: string, name: string): object => ({
		...{
			apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
			kind,
			name,
			uid: name,
			controller: true,
		},
	});
	const object = (kind: string, name: string, replicas: number, owner?: object): KubeObject =>
		({
			...{ apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1', kind },
			metadata: { name, namespace: 'n', uid: name, ...(owner && { ownerReferences: [owner] }) },
			spec: { replicas },
		}) as KubeObject;
	const objects = [
		object('Deployment', 'web', 10),
		object('ReplicaSet', 'web-1', 3, reference('Deployment', 'web')),
		object('ReplicaSet', 'web-2', 8, reference('Deployment', 'web')),
		object('ReplicaSet', 'alone', 4),
		object('ReplicaSet', 'lost', 2, reference('Deployment', 'gone')),
		object('ReplicationController', 'old', 5),
	];
	const find: DisruptionContext['find'] = ({ kind }, { name }) =>
		objects.find((each) => each.kind === kind && each.metadata.name === name);
	const owned = (kind: string, name: string): Pod =>
		pod(`${name}-p`, { metadata: { ownerReferences: [reference(kind, name)] } });
	const sets = ['web-1', 'web-2', 'alone', 'lost'].map((name) => owned('ReplicaSet', name));
	const pods = [...sets, ...sets, owned('ReplicationController', 'old')];
	const plan = planDisruption(budget({ maxUnavailable: '10%' }), pods, { now: NOW, find });
	// 10 of the Deployment, 4 and 2 of the other sets, and 5: of 21 Pods 3 may be unavailable.
	assert.deepEqual(counts(plan.status), [21, 9, 18, 0]);
	const unknown = planDisruption(budget({ maxUnavailable: 1 }), [owned('ReplicaSet', 'none')], {
		now: NOW,
		find,
	});
	assert.match(unknown.events[0]?.message ?? '', /found no controllers for pod "none-p"$/);
});

test('Pods without a controller are not counted by maxUnavailable, with an event', () => {
	const { status, events } = planDisruption(budget({ maxUnavailable: 1 }), [pod('a')], AT_NOW);
	assert.deepEqual(counts(status), [0, 1, 0, 0]);
	assert.equal(events[0]?.reason, 'UnmanagedPods');
});

test('an eviction that was granted counts as done until its time is over', () => {
	const disruptedPods = { a: formatTime(NOW - 1000), b: formatTime(NOW - 180_000), gone: formatTime(NOW) };
	const given = budget({ minAvailable: 1 }, { disruptedPods });
	const plan = planDisruption(given, [pod('a'), pod('b'), pod('c')], AT_NOW);
	assert.deepEqual(counts(plan.status), [3, 2, 1, 1]);
	assert.deepEqual(plan.status?.disruptedPods, { a: disruptedPods.a });
	assert.equal(plan.recheckAt, NOW - 1000 + 120_000);
	assert.deepEqual(
		plan.notDeleted.map(({ metadata }) => metadata.name),
		['b'],
	);
	assert.equal(notDeletedEvent(given).message, "Pod was expected by PDB n/b to be deleted but it wasn't");
});

test('the condition of a Pod that was not deleted is taken back for this version of the Pod only', () => {
	const metadata = { uid: 'u', resourceVersion: '7' };
	const condition = { type: 'DisruptionTarget', status: 'False', reason: null, message: null };
	assert.deepEqual(staleDisruptionPatch(pod('a', { metadata }), NOW), {
		metadata,
		status: { conditions: [{ ...condition, lastTransitionTime: '2026-01-31T08:00:00Z' }] },
	});
});

test('no sequence of evictions leaves fewer than minAvailable Pods', () => {
	const property = fc.property(fc.nat(8), fc.nat(8), (ready, minAvailable) => {
		const pods = Array.from({ length: ready }, (_, index) => pod(`p${index}`));
		let current = budget({ minAvailable });
		current = { ...current, status: planDisruption(current, pods, AT_NOW).status ?? current.status };
		let evicted = 0;
		for (const { metadata } of pods) {
			const allowance = takeDisruption(current, metadata.name ?? '', NOW);
			if (allowance.kind !== 'grant') continue;
			evicted++;
			current = { ...current, status: allowance.status };
			// The controller may compute the status anew after each eviction, before the Pod is deleted.
			current = { ...current, status: planDisruption(current, pods, AT_NOW).status ?? current.status };
		}
		return evicted === Math.max(ready - minAvailable, 0);
	});
	fc.assert(property);
});

test('a refusal tells upstream’s cause', () => {
	const cause = (status: Partial<PodDisruptionBudget['status']>, generation = 1): unknown => {
		const result = takeDisruption(budget({}, { observedGeneration: 1, ...status }, generation), 'a', NOW);
		return result.kind === 'grant' ? 'granted' : result.cause;
	};
	assert.equal(cause({}, 2), 'The disruption budget b is still being processed by the server.');
	assert.equal(
		cause({ currentHealthy: 1, desiredHealthy: 1 }),
		'The disruption budget b needs 1 healthy pods and has 1 currently',
	);
	const failed = {
		type: 'DisruptionAllowed',
		status: 'False',
		reason: 'SyncFailed',
		message: 'why',
	} as const;
	assert.equal(
		cause({ conditions: [{ ...failed, lastTransitionTime: null }] }),
		'The disruption budget b does not allow evicting pods currently because it failed sync: why',
	);
	assert.match(String(cause({ disruptionsAllowed: -1 })), /pdb disruptions allowed is negative$/);
	assert.equal(cause({ disruptionsAllowed: 1 }), 'granted');
});

test('budgets do not matter for Pods that do not run, nor for unready ones as the policy says', () => {
	assert.ok(ignoresBudgets(pod('a', { status: { phase: 'Pending' } })));
	assert.ok(ignoresBudgets(pod('a', { metadata: { deletionTimestamp: 'x' } })));
	assert.ok(!ignoresBudgets(pod('a')));
	const unready = pod('a', { ready: false });
	assert.ok(isFreeToEvict(unready, budget({ unhealthyPodEvictionPolicy: 'AlwaysAllow' })));
	assert.ok(!isFreeToEvict(unready, budget({}, { desiredHealthy: 1 })));
	assert.ok(isFreeToEvict(unready, budget({}, { desiredHealthy: 1, currentHealthy: 1 })));
	assert.ok(!isFreeToEvict(pod('a'), budget({ unhealthyPodEvictionPolicy: 'AlwaysAllow' })));
});

test('DisruptionTarget of a Pod that was not deleted is stale after two minutes', () => {
	const target = { type: 'DisruptionTarget', status: 'True', lastTransitionTime: formatTime(NOW) };
	const marked = (fields: object, metadata = {}): Pod =>
		pod('a', { status: { conditions: [{ ...target, ...fields }] }, metadata });
	assert.equal(staleDisruptionAt(marked({})), NOW + 120_000);
	assert.equal(staleDisruptionAt(marked({ status: 'False' })), undefined);
	assert.equal(staleDisruptionAt(marked({ reason: 'TerminationByKubelet' })), undefined);
	assert.equal(staleDisruptionAt(marked({}, { deletionTimestamp: 'x' })), undefined);
});
