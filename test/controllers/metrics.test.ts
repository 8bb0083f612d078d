import assert from 'node:assert/strict';
import { cronjobs } from '../../src/api/batch/cronjob/definition.ts';
import { jobs } from '../../src/api/batch/job/definition.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { passTime, startControlPlane } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';

/**
 * The metrics of a whole control plane by upstream's names, so that dashboards and alerts for
 * kube-state-metrics and kube-controller-manager work.
 */

const START = Date.UTC(2026, 0, 31, 8, 0, 10);
const TEMPLATE = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'x' }] } };

test('the metrics of a control plane show its objects and the work of its controllers', async (t) => {
	const clock = new VirtualClock(START);
	const { client, metrics } = await startControlPlane(t, clock);
	const lines = async (pattern: RegExp): Promise<readonly string[]> =>
		(await metrics.text()).split('\n').filter((line) => pattern.test(line));
	await client.resource(cronjobs, 'default').create({
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'tick' },
		spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { parallelism: 0, template: TEMPLATE } } },
		status: {},
	});
	await client.resource(jobs, 'default').create({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'short' },
		spec: { completions: 0, ttlSecondsAfterFinished: 30, template: TEMPLATE },
		status: {},
	});
	await passTime(clock, 1000);
	assert.deepEqual(await lines(/^kube_job_(complete|owner)/), [
		'kube_job_complete{namespace="default",job_name="short",condition="true"} 1',
		'kube_job_complete{namespace="default",job_name="short",condition="false"} 0',
		'kube_job_complete{namespace="default",job_name="short",condition="unknown"} 0',
		'kube_job_owner{namespace="default",job_name="short",owner_kind="",owner_name="",owner_is_controller=""} 1',
	]);
	await passTime(clock, 5 * 60_000);
	const tick = 'namespace="default",cronjob="tick"';
	const due = START / 1000 - 10 + 300;
	assert.deepEqual(await lines(/^kube_cronjob_(status|next)/), [
		`kube_cronjob_status_active{${tick}} 1`,
		`kube_cronjob_status_last_schedule_time{${tick}} ${due}`,
		`kube_cronjob_next_schedule_time{${tick}} ${due + 300}`,
	]);
	const job = `namespace="default",job_name="tick-${due / 60}"`;
	assert.deepEqual(await lines(/^kube_job_(info|owner|spec_parallelism)/), [
		`kube_job_info{${job}} 1`,
		`kube_job_spec_parallelism{${job}} 0`,
		`kube_job_owner{${job},owner_kind="CronJob",owner_name="tick",owner_is_controller="true"} 1`,
	]);
	assert.deepEqual(await lines(/^(cronjob|ttl)_.*(le="1"|le="0.1"|_sum|_count)/), [
		'cronjob_controller_job_creation_skew_duration_seconds_bucket{le="1"} 1',
		'cronjob_controller_job_creation_skew_duration_seconds_sum 0',
		'cronjob_controller_job_creation_skew_duration_seconds_count 1',
		'ttl_after_finished_controller_job_deletion_duration_seconds_bucket{le="0.1"} 1',
		'ttl_after_finished_controller_job_deletion_duration_seconds_sum 0',
		'ttl_after_finished_controller_job_deletion_duration_seconds_count 1',
	]);
});
