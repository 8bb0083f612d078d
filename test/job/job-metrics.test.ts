import assert from 'node:assert/strict';
import { forbidden } from '../../src/api/errors/api-error.ts';
import { test } from '../support/transports.ts';
import { Cluster } from './cluster.ts';

/** The metrics of the Job controller. They have upstream's names and labels, so that its dashboards work. */

const LIMIT = { timeout: 10_000 };

/** The series of a metric with their values. `name` lacks the common prefix `job_controller_`. */
async function series(cluster: Cluster, name: string): Promise<Readonly<Record<string, number>>> {
	const found: Record<string, number> = {};
	for (const line of (await cluster.metrics.text()).split('\n')) {
		const match = /^job_controller_(\w+)\{(.*)\} (\S+)$/.exec(line);
		if (match?.[1] === name) found[(match[2] ?? '').replaceAll('"', '')] = Number(match[3]);
	}
	return found;
}

async function finishAll(cluster: Cluster, count: number, exitCode = 0): Promise<void> {
	await cluster.until(() => cluster.pods().length >= count);
	for (const pod of cluster.pods()) if (!pod.status.phase?.match(/ed$/)) await cluster.finish(pod, exitCode);
}

test('the metrics of a Job that succeeds', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ completions: 2, parallelism: 2 });
	await finishAll(cluster, 2);
	await cluster.until(() => cluster.job().status.completionTime);
	await cluster.quiet();
	assert.deepEqual(await series(cluster, 'jobs_finished_total'), {
		'completion_mode=NonIndexed,result=succeeded,reason=CompletionsReached': 1,
	});
	assert.deepEqual(await series(cluster, 'job_pods_finished_total'), {
		'completion_mode=NonIndexed,result=succeeded': 2,
		'completion_mode=NonIndexed,result=failed': 0,
	});
	assert.deepEqual(await series(cluster, 'job_pods_creation_total'), { 'reason=new,status=succeeded': 2 });
	assert.deepEqual(await series(cluster, 'terminated_pods_tracking_finalizer_total'), {
		'event=add': 2,
		'event=delete': 2,
	});
	assert.deepEqual(await series(cluster, 'job_finished_indexes_total'), {});
	const syncs = await series(cluster, 'job_syncs_total');
	assert.equal(syncs['completion_mode=NonIndexed,result=success,action=pods_created'], 1);
	assert.ok((syncs['completion_mode=NonIndexed,result=success,action=tracking'] ?? 0) >= 1);
	const timed = await series(cluster, 'job_sync_duration_seconds_count');
	assert.deepEqual(timed, syncs);
});

test('the metrics of a Job that fails, with replacements of failed Pods', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ backoffLimit: 1 });
	await finishAll(cluster, 1, 1);
	await cluster.until(() => cluster.job().status.failed === 1);
	await cluster.quiet();
	cluster.clock.advance(10_000);
	await finishAll(cluster, 2, 1);
	await cluster.until(() => cluster.job().status.conditions?.some(({ type }) => type === 'Failed'));
	await cluster.quiet();
	assert.deepEqual(await series(cluster, 'jobs_finished_total'), {
		'completion_mode=NonIndexed,result=failed,reason=BackoffLimitExceeded': 1,
	});
	assert.equal(
		(await series(cluster, 'job_pods_finished_total'))['completion_mode=NonIndexed,result=failed'],
		2,
	);
	assert.deepEqual(await series(cluster, 'job_pods_creation_total'), {
		'reason=new,status=succeeded': 1,
		'reason=recreate_terminating_or_failed,status=succeeded': 1,
	});
});

test('the metrics of an Indexed Job with backoffLimitPerIndex and a pod failure policy', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'x' }] } };
	await cluster.createJob({
		completionMode: 'Indexed',
		completions: 3,
		parallelism: 3,
		backoffLimitPerIndex: 0,
		podFailurePolicy: {
			rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In' as const, values: [42] } }],
		},
		template,
	});
	await cluster.until(() => cluster.pods().length === 3);
	for (const [turn, pod] of cluster.pods().entries()) await cluster.finish(pod, turn === 0 ? 42 : 0);
	await cluster.until(() => cluster.job().status.conditions?.some(({ type }) => type === 'Failed'));
	await cluster.quiet();
	assert.deepEqual(await series(cluster, 'job_finished_indexes_total'), {
		'status=succeeded,backoffLimit=perIndex': 2,
		'status=failed,backoffLimit=perIndex': 1,
	});
	assert.deepEqual(await series(cluster, 'pod_failures_handled_by_failure_policy_total'), {
		'action=FailIndex': 1,
	});
	assert.deepEqual(await series(cluster, 'jobs_finished_total'), {
		'completion_mode=Indexed,result=failed,reason=FailedIndexes': 1,
	});
	assert.deepEqual(await series(cluster, 'job_pods_finished_total'), {
		'completion_mode=Indexed,result=succeeded': 2,
		'completion_mode=Indexed,result=failed': 1,
	});
});

test('the metrics of a failed Pod creation and of its reconcile', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	cluster.intercept = ({ method, path }) => {
		if (method === 'POST' && path.endsWith('/pods'))
			throw forbidden({ group: '', resource: 'pods', name: '' }, 'quota');
	};
	await cluster.createJob();
	await cluster.until(() => cluster.errors.length === 1);
	await cluster.quiet();
	assert.deepEqual(await series(cluster, 'job_pods_creation_total'), { 'reason=new,status=failed': 1 });
	assert.deepEqual(await series(cluster, 'job_syncs_total'), {
		'completion_mode=NonIndexed,result=error,action=pods_created': 1,
	});
});

test('a suspension counts as pods_deleted, an ending Job as reconciling', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ suspend: true });
	await cluster.until(() => cluster.job().status.conditions);
	await cluster.quiet();
	assert.deepEqual(await series(cluster, 'job_syncs_total'), {
		'completion_mode=NonIndexed,result=success,action=pods_deleted': 1,
	});
	await cluster.patchJob({ spec: { suspend: false } });
	await cluster.until(() => cluster.job().status.active === 1);
	await cluster.patchJob({ spec: { activeDeadlineSeconds: 1 } });
	await cluster.quiet();
	cluster.clock.advance(20_000);
	await cluster.until(() => cluster.job().status.conditions?.some(({ type }) => type === 'Failed'));
	await cluster.quiet();
	const syncs = await series(cluster, 'job_syncs_total');
	assert.ok((syncs['completion_mode=NonIndexed,result=success,action=reconciling'] ?? 0) >= 1);
});

test('a Job of another controller (managedBy) is counted once and never synced', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ managedBy: 'example.com/other' });
	await cluster.patchJob({ metadata: { labels: { touched: 'yes' } } });
	await cluster.quiet();
	assert.deepEqual(await series(cluster, 'jobs_by_external_controller_total'), {
		'controller_name=example.com/other': 1,
	});
	assert.deepEqual(await series(cluster, 'job_syncs_total'), {});
});
