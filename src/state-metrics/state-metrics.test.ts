import assert from 'node:assert/strict';
import test from 'node:test';
import type { CronJob } from '../api/batch/cronjob/schema.ts';
import type { Job, JobCondition } from '../api/batch/job/schema.ts';
import { writeStateMetrics } from './state-metrics.ts';

const TEMPLATE = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'x' }] } };
const NOON = '2026-01-31T12:00:00Z';
const NOON_SECONDS = Date.parse(NOON) / 1000;

function makeJob(part: Partial<Job> = {}): Job {
	const metadata = { name: 'pi', namespace: 'default', uid: 'u', creationTimestamp: NOON };
	return {
		...{ apiVersion: 'batch/v1', kind: 'Job', metadata },
		...{ spec: { template: TEMPLATE, parallelism: 1, completions: 1 }, status: {} },
		...part,
	};
}

function makeCronJob(part: { spec?: Partial<CronJob['spec']>; status?: CronJob['status'] } = {}): CronJob {
	return {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'tick', namespace: 'default', creationTimestamp: NOON, resourceVersion: '17' },
		spec: {
			...{ schedule: '0 * * * *', concurrencyPolicy: 'Forbid', suspend: false },
			...{ jobTemplate: { spec: { template: TEMPLATE } } },
			...part.spec,
		},
		status: part.status ?? {},
	};
}

function condition(type: JobCondition['type'], reason = '', status: 'True' | 'False' = 'True'): JobCondition {
	return { type, status, reason, message: '', lastProbeTime: NOON, lastTransitionTime: NOON };
}

function write(jobs: readonly Job[], cronJobs: readonly CronJob[] = []): Promise<readonly string[]> {
	const all = <T>(objects: readonly T[]) => ({
		inTurns: async function* () {
			yield* objects;
		},
	});
	return Array.fromAsync(writeStateMetrics({ jobs: all(jobs), cronJobs: all(cronJobs) }));
}

/** The samples of one metric, without its name and the labels that identify the object. */
async function samples(
	name: string,
	{ job, cronJob }: { job?: Job; cronJob?: CronJob },
): Promise<readonly string[]> {
	return (await write(job ? [job] : [], cronJob ? [cronJob] : []))
		.join('')
		.split('\n')
		.filter((line) => line.startsWith(`${name}{`))
		.map((line) => line.slice(name.length))
		.map((line) => line.replace(/namespace="default",(job_name="pi"|cronjob="tick"),?/, ''));
}

test('a new Job has samples for its spec and its counts, and none for fields it lacks', async () => {
	const lines = (await write([makeJob()]))
		.join('')
		.split('\n')
		.filter((line) => line.startsWith('kube_job'));
	const labels = '{namespace="default",job_name="pi"}';
	assert.deepEqual(lines, [
		`kube_job_info${labels} 1`,
		`kube_job_created${labels} ${NOON_SECONDS}`,
		`kube_job_spec_parallelism${labels} 1`,
		`kube_job_spec_completions${labels} 1`,
		`kube_job_status_succeeded${labels} 0`,
		`kube_job_status_failed${labels} 0`,
		`kube_job_status_active${labels} 0`,
		`kube_job_status_ready${labels} 0`,
		'kube_job_owner{namespace="default",job_name="pi",owner_kind="",owner_name="",owner_is_controller=""} 1',
	]);
});

test('a Job that succeeded has the samples of its Complete condition and its times', async () => {
	const conditions = [condition('SuccessCriteriaMet'), condition('Complete', 'CompletionsReached')];
	const job = makeJob({
		status: { conditions, startTime: NOON, completionTime: NOON, succeeded: 1, ready: 0 },
	});
	assert.deepEqual(await samples('kube_job_complete', { job }), [
		'{condition="true"} 1',
		'{condition="false"} 0',
		'{condition="unknown"} 0',
	]);
	assert.deepEqual(await samples('kube_job_failed', { job }), []);
	assert.deepEqual(await samples('kube_job_status_succeeded', { job }), ['{} 1']);
	assert.deepEqual(await samples('kube_job_status_start_time', { job }), [`{} ${NOON_SECONDS}`]);
	assert.deepEqual(await samples('kube_job_status_completion_time', { job }), [`{} ${NOON_SECONDS}`]);
	assert.deepEqual(await samples('kube_job_status_suspended', { job }), []);
});

test('a failed Job reports its reason if that is one of the listed ones, otherwise its number of failed Pods', async () => {
	const failed = (reason: string): Job =>
		makeJob({ status: { conditions: [condition('Failed', reason)], failed: 7 } });
	assert.deepEqual(await samples('kube_job_status_failed', { job: failed('DeadlineExceeded') }), [
		'{reason="BackoffLimitExceeded"} 0',
		'{reason="DeadlineExceeded"} 1',
		'{reason="Evicted"} 0',
	]);
	assert.deepEqual(await samples('kube_job_status_failed', { job: failed('PodFailurePolicy') }), [
		'{reason="BackoffLimitExceeded"} 0',
		'{reason="DeadlineExceeded"} 0',
		'{reason="Evicted"} 0',
		'{reason=""} 7',
	]);
	assert.deepEqual(await samples('kube_job_status_failed', { job: makeJob({ status: { failed: 2 } }) }), [
		'{reason=""} 2',
	]);
	assert.equal((await samples('kube_job_failed', { job: failed('x') }))[0], '{condition="true"} 1');
});

test('a suspended Job of a CronJob reports its owners, its deadline and its suspension', async () => {
	const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'tick', uid: 'c', controller: true };
	const job = makeJob({
		metadata: {
			...makeJob().metadata,
			ownerReferences: [owner, { ...owner, name: 'b"\\', controller: false }],
		},
		spec: { template: TEMPLATE, activeDeadlineSeconds: 30, suspend: true },
		status: { conditions: [condition('Suspended', 'JobSuspended')] },
	});
	assert.deepEqual(await samples('kube_job_owner', { job }), [
		'{owner_kind="CronJob",owner_name="tick",owner_is_controller="true"} 1',
		'{owner_kind="CronJob",owner_name="b\\"\\\\",owner_is_controller="false"} 1',
	]);
	assert.deepEqual(await samples('kube_job_spec_active_deadline_seconds', { job }), ['{} 30']);
	assert.deepEqual(await samples('kube_job_spec_completions', { job }), []);
	assert.deepEqual(await samples('kube_job_status_suspended', { job }), ['{} 1']);
	const resumed = makeJob({ status: { conditions: [condition('Suspended', 'JobResumed', 'False')] } });
	assert.deepEqual(await samples('kube_job_status_suspended', { job: resumed }), ['{} 0']);
});

test('a new CronJob has samples for its spec and its next scheduled time', async () => {
	const cronJob = makeCronJob({
		spec: { startingDeadlineSeconds: 60, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
	});
	const lines = (await write([], [cronJob]))
		.join('')
		.split('\n')
		.filter((line) => line.startsWith('kube_cronjob'));
	const names = 'namespace="default",cronjob="tick"';
	assert.deepEqual(lines, [
		`kube_cronjob_info{${names},schedule="0 * * * *",concurrency_policy="Forbid",timezone="local"} 1`,
		`kube_cronjob_created{${names}} ${NOON_SECONDS}`,
		`kube_cronjob_status_active{${names}} 0`,
		`kube_cronjob_spec_suspend{${names}} 0`,
		`kube_cronjob_spec_starting_deadline_seconds{${names}} 60`,
		`kube_cronjob_next_schedule_time{${names}} ${NOON_SECONDS + 3600}`,
		`kube_cronjob_metadata_resource_version{${names}} 17`,
		`kube_cronjob_spec_successful_job_history_limit{${names}} 3`,
		`kube_cronjob_spec_failed_job_history_limit{${names}} 1`,
	]);
});

test("the next scheduled time follows the last one in the CronJob's time zone; a suspended CronJob has none", async () => {
	const status = {
		active: [{ name: 'a' }, { name: 'b' }],
		lastScheduleTime: '2026-01-31T13:30:00Z',
		lastSuccessfulTime: NOON,
	};
	const spec = { schedule: '0 0 * * *', timeZone: 'Asia/Kolkata' };
	const cronJob = makeCronJob({ spec, status });
	const midnight = Date.parse('2026-01-31T18:30:00Z') / 1000;
	assert.deepEqual(await samples('kube_cronjob_next_schedule_time', { cronJob }), [`{} ${midnight}`]);
	assert.deepEqual(await samples('kube_cronjob_status_active', { cronJob }), ['{} 2']);
	assert.deepEqual(await samples('kube_cronjob_status_last_schedule_time', { cronJob }), [
		`{} ${NOON_SECONDS + 5400}`,
	]);
	assert.deepEqual(await samples('kube_cronjob_status_last_successful_time', { cronJob }), [
		`{} ${NOON_SECONDS}`,
	]);
	const suspended = makeCronJob({ spec: { ...spec, suspend: true }, status });
	assert.deepEqual(await samples('kube_cronjob_next_schedule_time', { cronJob: suspended }), []);
	assert.deepEqual(await samples('kube_cronjob_spec_suspend', { cronJob: suspended }), ['{} 1']);
});

test('a schedule that cannot be parsed is reported and affects no other CronJob', async () => {
	for (const spec of [{ schedule: 'often' }, { timeZone: 'Nowhere/Here' }]) {
		const cronJob = makeCronJob({ spec });
		assert.deepEqual(await samples('kube_cronjob_schedule_invalid', { cronJob }), ['{} 1']);
		assert.deepEqual(await samples('kube_cronjob_next_schedule_time', { cronJob }), []);
	}
	assert.deepEqual(await samples('kube_cronjob_schedule_invalid', { cronJob: makeCronJob() }), []);
});

test('the samples of a metric follow its TYPE line without interruption, in chunks of whole lines', async () => {
	const jobs = Array.from({ length: 3000 }, (_, index) =>
		makeJob({ metadata: { name: `job-${index}`, namespace: 'default' } }),
	);
	const pieces = await write(jobs);
	for (const piece of pieces) {
		assert.match(piece, /\n$/);
		assert.ok(piece.length < 80_000);
	}
	const blocks = pieces.join('').split('# HELP ').slice(1);
	for (const block of blocks) {
		const [head = '', type, ...lines] = block.trimEnd().split('\n');
		const name = head.split(' ')[0] ?? '';
		assert.equal(type, `# TYPE ${name} gauge`);
		assert.ok(lines.every((line) => line.startsWith(`${name}{`)));
	}
	assert.equal(new Set(blocks.map((block) => block.split(' ')[0])).size, blocks.length);
});
