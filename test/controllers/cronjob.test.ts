import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { cronjobs } from '../../src/api/batch/cronjob/definition.ts';
import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { events } from '../../src/api/core/event/definition.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { type ControlPlane, passTime, startControlPlane } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';

/**
 * The CronJob controller within the whole control plane. Which Job is due when is decided by plan/cronjob,
 * which has its own tests; here the subject is what the controller reads, writes and records as events.
 */

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 31, 8, 0, 10);

/**
 * A control plane in virtual time with one CronJob. Its Jobs have parallelism 0, so that they run until a
 * test ends them.
 */
class CronWorld {
	readonly clock: VirtualClock;
	readonly plane: ControlPlane;

	constructor(clock: VirtualClock, plane: ControlPlane) {
		this.clock = clock;
		this.plane = plane;
	}

	static async start(t: TestContext, spec: Partial<CronJob['spec']> = {}): Promise<CronWorld> {
		const clock = new VirtualClock(START);
		const world = new CronWorld(clock, await startControlPlane(t, clock));
		await world.cronJobs.create(aCronJob(spec));
		await world.pass(0);
		return world;
	}

	get cronJobs() {
		return this.plane.client.resource(cronjobs, 'default');
	}

	get jobs() {
		return this.plane.client.resource(jobs, 'default');
	}

	pass(lengthMs: number): Promise<void> {
		return passTime(this.clock, lengthMs);
	}

	cronJob(): Promise<CronJob> {
		return this.cronJobs.get('tick');
	}

	async jobNames(): Promise<readonly string[]> {
		const { items } = await this.jobs.list();
		return items.map(({ metadata }) => metadata.name ?? '').toSorted();
	}

	async activeNames(): Promise<readonly string[]> {
		return (await this.cronJob()).status.active?.map(({ name = '' }) => name) ?? [];
	}

	/** The events of the CronJob controller, as `Normal SuccessfulCreate Created job …`. */
	async events(): Promise<readonly string[]> {
		const { items } = await this.plane.client.resource(events, 'default').list();
		return items
			.filter(({ source }) => source?.component === 'cronjob-controller')
			.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
	}

	/** Finishes a Job: a status as the Job controller writes it, or a deadline that has passed. */
	async end(name: string, how: 'Complete' | 'Failed'): Promise<void> {
		const job = await this.jobs.get(name);
		if (how === 'Complete') await this.jobs.update({ ...job, status: this.#completed(job) }, 'status');
		else await this.jobs.update({ ...job, spec: { ...job.spec, activeDeadlineSeconds: 0 } });
		await this.pass(0);
	}

	#completed({ status }: Job): Job['status'] {
		const time = formatTime(this.clock.now());
		const condition = (type: 'SuccessCriteriaMet' | 'Complete') =>
			({ type, status: 'True', lastProbeTime: time, lastTransitionTime: time }) as const;
		const conditions = [condition('SuccessCriteriaMet'), condition('Complete')];
		return { startTime: time, ...status, completionTime: time, conditions };
	}
}

function aCronJob(spec: Partial<CronJob['spec']>): CronJob {
	return {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'tick', namespace: 'default' },
		spec: {
			schedule: '* * * * *',
			jobTemplate: {
				metadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
				spec: {
					parallelism: 0,
					template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] } },
				},
			},
			...spec,
		},
		status: {},
	};
}

/** The name of the Job whose slot is this number of minutes after 8:00. */
function jobAt(minutes: number): string {
	return `tick-${Date.UTC(2026, 0, 31, 8, minutes) / MINUTE}`;
}

test('the controller creates a Job from the template when it is due', async (t) => {
	const world = await CronWorld.start(t, { timeZone: 'Europe/Berlin' });
	assert.deepEqual(await world.jobNames(), []);
	await world.pass(50_000);
	assert.deepEqual(await world.jobNames(), [jobAt(1)]);
	const { metadata, spec } = await world.jobs.get(jobAt(1));
	assert.equal(metadata.creationTimestamp, '2026-01-31T08:01:00Z');
	assert.equal(metadata.labels?.team, 'a');
	assert.deepEqual(metadata.annotations, {
		note: 'b',
		'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-31T09:01:00+01:00',
	});
	const cronJob = await world.cronJob();
	assert.deepEqual(metadata.ownerReferences, [
		{
			apiVersion: 'batch/v1',
			kind: 'CronJob',
			name: 'tick',
			uid: cronJob.metadata.uid,
			controller: true,
			blockOwnerDeletion: true,
		},
	]);
	assert.equal(spec.backoffLimit, 6);
	assert.equal(cronJob.status.lastScheduleTime, '2026-01-31T08:01:00Z');
	const { resourceVersion, ...reference } = cronJob.status.active?.[0] ?? {};
	assert.deepEqual(reference, {
		apiVersion: 'batch/v1',
		kind: 'Job',
		namespace: 'default',
		name: jobAt(1),
		uid: metadata.uid,
	});
	assert.match(resourceVersion ?? '', /^\d+$/);
	await world.pass(2 * MINUTE);
	assert.deepEqual(await world.activeNames(), [jobAt(1), jobAt(2), jobAt(3)]);
	assert.deepEqual(
		await world.events(),
		[1, 2, 3].map((minute) => `Normal SuccessfulCreate Created job ${jobAt(minute)}`),
	);
});

test('a finished Job leaves the active list, and is deleted by the history limits', async (t) => {
	const world = await CronWorld.start(t, { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 });
	await world.pass(2 * MINUTE);
	await world.end(jobAt(1), 'Complete');
	assert.deepEqual(await world.activeNames(), [jobAt(2)]);
	const { lastSuccessfulTime } = (await world.cronJob()).status;
	assert.equal(lastSuccessfulTime, '2026-01-31T08:02:10Z');
	await world.pass(30_000);
	await world.end(jobAt(2), 'Complete');
	assert.deepEqual(await world.jobNames(), [jobAt(2)]);
	await world.pass(30_000);
	await world.end(jobAt(3), 'Failed');
	assert.deepEqual(await world.jobNames(), [jobAt(2)]);
	assert.deepEqual((await world.events()).filter((text) => !text.includes('SuccessfulCreate')).toSorted(), [
		`Normal SawCompletedJob Saw completed job: ${jobAt(1)}, condition: Complete`,
		`Normal SawCompletedJob Saw completed job: ${jobAt(2)}, condition: Complete`,
		`Normal SuccessfulDelete Deleted job ${jobAt(1)}`,
		`Normal SuccessfulDelete Deleted job ${jobAt(3)}`,
	]);
});

test('under Forbid the controller waits for the running Job, and then starts the latest missed slot', async (t) => {
	const world = await CronWorld.start(t, { concurrencyPolicy: 'Forbid' });
	await world.pass(3 * MINUTE);
	assert.deepEqual(await world.jobNames(), [jobAt(1)]);
	await world.end(jobAt(1), 'Complete');
	assert.deepEqual(await world.activeNames(), [jobAt(3)]);
	const forbidden = (await world.events()).filter((text) => text.includes('JobAlreadyActive'));
	assert.deepEqual(forbidden, [
		'Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid',
	]);
});

test('under Replace the controller deletes the running Job', async (t) => {
	const world = await CronWorld.start(t, { concurrencyPolicy: 'Replace' });
	await world.pass(3 * MINUTE);
	assert.deepEqual(await world.jobNames(), [jobAt(3)]);
	assert.deepEqual(await world.activeNames(), [jobAt(3)]);
	assert.ok((await world.events()).includes(`Normal SuccessfulDelete Deleted job ${jobAt(2)}`));
});

test('a suspended CronJob creates no Jobs, and after its resumption only the latest slot within the deadline', async (t) => {
	const world = await CronWorld.start(t, { suspend: true, schedule: '*/10 * * * *' });
	await world.pass(25 * MINUTE);
	assert.deepEqual(await world.jobNames(), []);
	await world.cronJobs.patch('tick', 'merge', { spec: { suspend: false, startingDeadlineSeconds: 60 } });
	await world.pass(0);
	assert.deepEqual(await world.jobNames(), []);
	await world.cronJobs.patch('tick', 'merge', { spec: { startingDeadlineSeconds: null } });
	await world.pass(0);
	assert.deepEqual(await world.jobNames(), [jobAt(20)]);
});

test('a changed schedule takes effect from its next slot on', async (t) => {
	const world = await CronWorld.start(t, { schedule: '0 9 * * *' });
	await world.pass(30 * MINUTE);
	await world.cronJobs.patch('tick', 'merge', { spec: { schedule: '*/20 * * * *' } });
	await world.pass(5 * MINUTE);
	assert.deepEqual(await world.jobNames(), []);
	await world.pass(5 * MINUTE);
	assert.deepEqual(await world.jobNames(), [jobAt(40)]);
});

test('a Job that a user creates from the CronJob gets a Warning, is not active, and counts in the history', async (t) => {
	const world = await CronWorld.start(t, { schedule: '0 9 * * *', successfulJobsHistoryLimit: 0 });
	const { apiVersion, kind, metadata, spec } = await world.cronJob();
	const { name = '', uid = '' } = metadata;
	await world.jobs.create({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: {
			name: 'by-hand',
			annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
			ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
		},
		spec: spec.jobTemplate.spec,
		status: {},
	});
	await world.pass(0);
	assert.deepEqual(await world.events(), [
		'Warning UnexpectedJob Saw a job that the controller did not create or forgot: by-hand',
	]);
	assert.deepEqual(await world.activeNames(), []);
	await world.end('by-hand', 'Complete');
	assert.deepEqual(await world.jobNames(), []);
	assert.equal((await world.cronJob()).status.lastSuccessfulTime, '2026-01-31T08:00:10Z');
});

test('a Job that a user deletes leaves the active list, and the Jobs of a deleted CronJob are deleted', async (t) => {
	const world = await CronWorld.start(t);
	await world.pass(2 * MINUTE);
	await world.jobs.delete(jobAt(1));
	await world.pass(0);
	assert.deepEqual(await world.activeNames(), [jobAt(2)]);
	assert.ok((await world.events()).includes(`Normal MissingJob Active job went missing: ${jobAt(1)}`));
	await world.cronJobs.delete('tick');
	await world.pass(1000);
	assert.deepEqual(await world.jobNames(), []);
});

test('the controller skips a slot whose Job name belongs to another owner', async (t) => {
	const world = await CronWorld.start(t);
	const { spec } = await world.cronJob();
	const metadata = { name: jobAt(1) };
	await world.jobs.create({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata,
		spec: spec.jobTemplate.spec,
		status: {},
	});
	await world.pass(2 * MINUTE);
	assert.deepEqual(await world.activeNames(), [jobAt(2)]);
});

test('the controller records an event for a refused Job, and retries', async (t) => {
	const world = await CronWorld.start(t);
	const { spec } = await world.cronJob();
	const labels = { 'controller-uid': 'not-mine' };
	const jobTemplate = {
		spec: { ...spec.jobTemplate.spec, template: { ...spec.jobTemplate.spec.template, metadata: { labels } } },
	};
	await world.cronJobs.patch('tick', 'merge', { spec: { jobTemplate } });
	await world.pass(2 * MINUTE);
	assert.deepEqual(await world.jobNames(), []);
	const failed = (await world.events()).find((text) => text.startsWith('Warning FailedCreate'));
	assert.match(failed ?? '', /Error creating job: Job\.batch "tick-\d+" is invalid/);
	assert.equal((await world.cronJob()).status.lastScheduleTime, undefined);
});
