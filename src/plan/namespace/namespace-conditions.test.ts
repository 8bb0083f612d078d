import assert from 'node:assert/strict';
import test from 'node:test';
import type { NamespaceCondition, RemainingContent } from './namespace-conditions.ts';
import { namespaceConditionsAfter } from './namespace-conditions.ts';

const NOW = Date.UTC(2026, 0, 31, 8);
const LATER = NOW + 60_000;

function left(resource: string, count: number, finalizers: Record<string, number> = {}): RemainingContent {
	const group = resource === 'jobs' ? 'batch' : '';
	return { group, resource, count, finalizers: new Map(Object.entries(finalizers)) };
}

function after(
	pass: { remaining?: readonly RemainingContent[]; errors?: readonly string[] },
	conditions: readonly NamespaceCondition[] = [],
	now = NOW,
): readonly NamespaceCondition[] | undefined {
	return namespaceConditionsAfter({ status: { conditions } }, { remaining: [], errors: [], ...pass }, now);
}

function texts(conditions: readonly NamespaceCondition[] = []): readonly string[] {
	return conditions.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`);
}

test('an empty namespace has five conditions with the status False', () => {
	assert.deepEqual(texts(after({})), [
		'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered: All resources successfully discovered',
		'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions: All legacy kube types successfully parsed',
		'NamespaceDeletionContentFailure=False ContentDeleted: All content successfully deleted, may be waiting on finalization',
		'NamespaceContentRemaining=False ContentRemoved: All content successfully removed',
		'NamespaceFinalizersRemaining=False ContentRemoved: All content successfully removed',
	]);
});

test('remaining objects are counted by resource, and finalizers over all resources', () => {
	const remaining = [
		left('pods', 2, { 'batch.kubernetes.io/job-tracking': 1, 'acme.io/keep': 1 }),
		left('jobs', 1, { 'acme.io/keep': 1 }),
		left('cronjobs', 0),
	];
	assert.deepEqual(texts(after({ remaining }))?.slice(3), [
		'NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: jobs.batch has 1 resource instances, pods. has 2 resource instances',
		'NamespaceFinalizersRemaining=True SomeFinalizerRemain: Some finalizers are remaining: acme.io/keep in 2 resource instances, batch.kubernetes.io/job-tracking in 1 resource instances',
	]);
});

test('failures are counted and listed in order', () => {
	const [, , failure] = texts(after({ errors: ['pods: no', 'jobs: no'] }));
	assert.equal(
		failure,
		'NamespaceDeletionContentFailure=True ContentDeletionFailed: Failed to delete all resource types, 2 remaining: jobs: no, pods: no',
	);
});

test('unchanged conditions need no write, and a condition with the same status keeps its transition time', () => {
	const first = after({ remaining: [left('pods', 2)] });
	assert.equal(after({ remaining: [left('pods', 2)] }, first, LATER), undefined);
	const second = after({ remaining: [left('pods', 1)] }, first, LATER);
	assert.deepEqual(
		second?.map(({ lastTransitionTime }) => lastTransitionTime),
		first?.map(({ lastTransitionTime }) => lastTransitionTime),
	);
	const third = after({}, second, LATER);
	assert.deepEqual(
		third?.map(({ lastTransitionTime }) => lastTransitionTime === '2026-01-31T08:01:00Z'),
		[false, false, false, true, false],
	);
});

test('conditions of other types are kept', () => {
	const foreign = { type: 'acme.io/Backup', status: 'True' };
	assert.deepEqual(after({}, [foreign])?.[0], foreign);
});
