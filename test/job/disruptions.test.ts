import assert from 'node:assert/strict';
import type { PodFailurePolicy } from '../../src/api/batch/job/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { pathOf } from '../../src/client/client.ts';
import { test } from '../support/transports.ts';
import { Cluster } from './cluster.ts';
import { conditionsOf } from './job-objects.ts';

/** How the Job controller handles evicted Pods, against the real API server. The test acts as the node. */

const LIMIT = { timeout: 10_000 };

const IGNORES_DISRUPTIONS: PodFailurePolicy = {
	rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
};

function post(cluster: Cluster, { metadata }: Pod, subresource: string, body: object): Promise<unknown> {
	const { name } = metadata;
	const path = `${pathOf(pods, 'default')}/${name}/${subresource}`;
	return cluster.client.transport.request({ method: 'POST', path, body: { metadata: { name }, ...body } });
}

/** Waits for the Job's Pod, binds it to a node and reports it as running. */
async function running(cluster: Cluster): Promise<Pod> {
	const [pod] = await cluster.until(() => cluster.pods('Pending').length === 1 && cluster.pods('Pending'));
	assert.ok(pod);
	await post(cluster, pod, 'binding', { target: { name: 'node' } });
	await cluster.report(pod, { phase: 'Running' });
	return pod;
}

test(
	'the controller replaces an evicted Pod that an Ignore rule matches, and does not count it',
	LIMIT,
	async (t) => {
		const cluster = await Cluster.start(t);
		await cluster.createJob({ backoffLimit: 0, podFailurePolicy: IGNORES_DISRUPTIONS });
		const pod = await running(cluster);
		await post(cluster, pod, 'eviction', {});
		await cluster.until(() => cluster.job().status.terminating === 1);
		assert.equal(cluster.job().status.failed, undefined);
		await cluster.finish(pod, 143);
		await cluster.client.resource(pods, 'default').delete(pod.metadata.name ?? '', { gracePeriodSeconds: 0 });
		await cluster.until(() => cluster.pods().length === 0);
		await cluster.quiet();
		cluster.clock.advance(10_000);
		const next = await running(cluster);
		await cluster.finish(next);
		await cluster.until(() => cluster.job().status.completionTime);
		const { succeeded, failed } = cluster.job().status;
		assert.deepEqual([succeeded, failed], [1, undefined]);
		assert.deepEqual(cluster.errors, []);
	},
);

test('an evicted Pod that no rule matches counts as failed', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ backoffLimit: 0 });
	await post(cluster, await running(cluster), 'eviction', {});
	await cluster.until(() => cluster.job().status.failed === 1);
	assert.deepEqual(conditionsOf(cluster.job().status), ['FailureTarget BackoffLimitExceeded']);
});

test('a FailJob rule can match a disruption, and the condition names the Pod', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	const onPodConditions = [{ type: 'DisruptionTarget', status: 'True' as const }];
	await cluster.createJob({ podFailurePolicy: { rules: [{ action: 'FailJob', onPodConditions }] } });
	const pod = await running(cluster);
	await post(cluster, pod, 'eviction', {});
	await cluster.finish(pod, 143);
	await cluster.until(() => conditionsOf(cluster.job().status).includes('Failed PodFailurePolicy'));
	assert.equal(
		cluster.job().status.conditions?.at(-1)?.message,
		`Pod default/${pod.metadata.name} has condition DisruptionTarget matching FailJob rule at index 0`,
	);
});
