import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { ApiError } from '../../src/api/errors/api-error.ts';
import { podDisruptionBudgets } from '../../src/api/policy/poddisruptionbudget/definition.ts';
import type { PodDisruptionBudget } from '../../src/api/policy/poddisruptionbudget/schema.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';

async function start(t: TestContext) {
	const plane = await startControlPlane(t);
	await plane.addNode('here', 4);
	return plane;
}

/** A Pod that runs and is ready, as a node agent would report it. */
async function runPod(plane: ControlPlane, name: string, spec: object = {}): Promise<void> {
	const target = plane.client.resource(pods, 'default');
	const base = { containers: [{ name: 'main', image: 'busybox' }], ...spec };
	const metadata = { name, labels: { app: 'x' } };
	await target.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: base, status: {} } as unknown as Pod);
	await plane.until(pods, name, (pod) => pod?.spec.nodeName !== undefined);
	const conditions = [{ type: 'Ready', status: 'True' }];
	await target.patchStatus(name, 'strategic', { status: { phase: 'Running', conditions } });
}

async function protect(plane: ControlPlane, name: string, spec: object): Promise<void> {
	const budget = { metadata: { name }, spec: { selector: { matchLabels: { app: 'x' } }, ...spec } };
	const target = plane.client.resource(podDisruptionBudgets, 'default');
	await target.create(budget as unknown as PodDisruptionBudget);
}

const allows =
	(count: number) =>
	(budget: PodDisruptionBudget | undefined): boolean =>
		budget?.status.observedGeneration !== undefined && budget.status.disruptionsAllowed === count;

async function evict(
	plane: ControlPlane,
	name: string,
	query: Record<string, string> = {},
): Promise<unknown> {
	const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } };
	const path = `/api/v1/namespaces/default/pods/${name}/eviction`;
	return plane.client.transport.request({ method: 'POST', path, body, query });
}

async function refusal(act: Promise<unknown>): Promise<ApiError> {
	try {
		await act;
	} catch (error) {
		if (error instanceof ApiError) return error;
		throw error;
	}
	return assert.fail('the request was not refused');
}

test('an eviction that would violate a budget is answered with 429 and the cause of upstream', async (t) => {
	const plane = await start(t);
	await runPod(plane, 'a');
	await runPod(plane, 'b');
	await protect(plane, 'budget', { minAvailable: 1 });
	await plane.until(podDisruptionBudgets, 'budget', allows(1));
	await evict(plane, 'a', { dryRun: 'All' });
	assert.equal(
		(await plane.client.resource(podDisruptionBudgets, 'default').get('budget')).status.disruptionsAllowed,
		1,
	);
	await evict(plane, 'a');
	await plane.until(podDisruptionBudgets, 'budget', (found) => found?.status.currentHealthy === 1);
	const error = await refusal(evict(plane, 'b'));
	assert.equal(error.code, 429);
	const { message, reason, details } = error.status;
	assert.equal(message, "Cannot evict pod as it would violate the pod's disruption budget.");
	assert.equal(reason, 'TooManyRequests');
	assert.deepEqual(details, {
		causes: [
			{
				reason: 'DisruptionBudget',
				message: 'The disruption budget budget needs 1 healthy pods and has 1 currently',
			},
		],
	});
});

test('a Pod that two budgets cover cannot be evicted', async (t) => {
	const plane = await start(t);
	await runPod(plane, 'a');
	await protect(plane, 'one', { minAvailable: 0 });
	await protect(plane, 'two', { minAvailable: 0 });
	const error = await refusal(evict(plane, 'a'));
	assert.equal(error.code, 500);
	assert.match(error.message, /^This pod has more than one PodDisruptionBudget/);
});

test('preemption spares the Pod that a budget protects', async (t) => {
	const plane = await start(t);
	const requests = { containers: [{ name: 'main', image: 'x', resources: { requests: { cpu: '2' } } }] };
	await runPod(plane, 'protected', requests);
	await protect(plane, 'budget', { minAvailable: 1 });
	await plane.until(podDisruptionBudgets, 'budget', allows(0));
	const target = plane.client.resource(pods, 'default');
	const other = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'other' }, spec: requests, status: {} };
	await target.create(other as unknown as Pod);
	await plane.until(pods, 'other', (pod) => pod?.spec.nodeName !== undefined);
	const important = { ...requests, priorityClassName: 'system-node-critical' };
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'important' }, spec: important, status: {} };
	await target.create(pod as unknown as Pod);
	await plane.until(
		pods,
		'important',
		(found) => found?.status.nominatedNodeName === 'here' || found?.spec.nodeName === 'here',
	);
	const spared = await target.get('protected');
	assert.equal(spared.metadata.deletionTimestamp, undefined);
});
