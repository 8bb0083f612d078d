import assert from 'node:assert/strict';
import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { approximate } from '../../src/base/json/json.ts';
import { dueTimeOf } from '../../src/plan/cronjob/job-of.ts';
import type { JobStart } from '../../src/plan/cronjob/plan.ts';
import { planCronJob } from '../../src/plan/cronjob/plan-cronjob.ts';
import { nextDue, scheduleOf } from '../../src/plan/cronjob/schedule.ts';
import { isActive, withoutActive, withStarted } from '../../src/plan/cronjob/status.ts';
import { aCronJob, aJob } from '../../src/plan/cronjob/testing/cronjob-world.ts';
import { isFinished } from '../../src/plan/job/conditions.ts';

/** Thrown by the write at which the controller crashes. */
class Crash extends Error {}

/**
 * A CronJob, its Jobs and a controller that may crash before any write. The world asserts these invariants:
 *
 * 1. The controller creates a Job only for a slot that is due, after lastScheduleTime and within the starting
 *    deadline, and never while the CronJob is suspended.
 * 2. No slot gets two Jobs.
 * 3. Under Forbid the controller creates no Job while another of its Jobs runs; under Replace it has deleted
 *    that one before.
 * 4. lastScheduleTime never goes back.
 */
export class CronJobWorld {
	now: number;
	cronJob: CronJob;
	readonly #jobs = new Map<string, Job>();
	readonly #startedSlots = new Set<number>();
	#writesLeft = Number.POSITIVE_INFINITY;

	constructor(startMs: number, spec: Partial<CronJob['spec']>) {
		this.now = startMs;
		this.cronJob = aCronJob({ createdMs: startMs, spec });
	}

	get jobs(): readonly Job[] {
		return [...this.#jobs.values()];
	}

	/** The running Jobs that the controller has created. */
	get running(): readonly Job[] {
		return this.jobs.filter((job) => !isFinished(job) && dueTimeOf(this.cronJob, job) !== undefined);
	}

	/** A user updates the spec. */
	change(spec: Partial<CronJob['spec']>): void {
		this.cronJob = { ...this.cronJob, spec: { ...this.cronJob.spec, ...spec } };
	}

	/** A Job finishes. */
	end({ metadata }: Job, how: 'Complete' | 'Failed'): void {
		const { name = '', annotations } = metadata;
		const traits = { ended: how, startMs: this.now, endMs: this.now, ...(annotations && { annotations }) };
		this.#jobs.set(name, aJob(name, traits));
	}

	/** A user creates a Job from the template, as `kubectl create job --from` does. */
	createByHand(name: string): void {
		if (!this.#jobs.has(name)) this.#jobs.set(name, aJob(name));
	}

	/**
	 * A user deletes a Job. Jobs that the status does not name yet are left out: after their deletion the
	 * controller cannot know that they existed, so it would rightly create them again.
	 */
	delete(job: Job): void {
		const due = dueTimeOf(this.cronJob, job) ?? Number.NEGATIVE_INFINITY;
		const last = timeOf(this.cronJob.status.lastScheduleTime) ?? Number.NEGATIVE_INFINITY;
		if (due <= last) this.#jobs.delete(job.metadata.name ?? '');
	}

	/** Reconciles until no immediate retry is requested. The controller crashes before write number `crashAt`. */
	reconcile(crashAt = Number.POSITIVE_INFINITY): void {
		this.#writesLeft = crashAt;
		try {
			while (this.#reconcileOnce());
		} catch (error) {
			if (!(error instanceof Crash)) throw error;
		}
	}

	/** Reconciles once; returns whether the plan requests another reconcile at once. */
	#reconcileOnce(): boolean {
		const { cronJob, now } = this;
		const missing = new Set<string>();
		for (const { name = '', uid = '' } of cronJob.status.active ?? []) {
			if (!this.#jobs.has(name)) missing.add(uid);
		}
		const plan = planCronJob({ cronJob, children: this.jobs, missing, now });
		for (const { job } of plan.cleanUp) this.#write(() => this.#jobs.delete(job.metadata.name ?? ''));
		const status = plan.start ? this.#start(plan.status, plan.start) : plan.status;
		if (status !== cronJob.status) this.#write(() => this.#store(status));
		return plan.lookAgainMs === 0;
	}

	#start(before: CronJob['status'], { replace, create, dueMs }: JobStart): CronJob['status'] {
		for (const { name = '' } of replace) this.#write(() => this.#jobs.delete(name));
		const status = withoutActive(before, new Set(replace.map(({ uid }) => uid)));
		const { name = '', annotations } = create.metadata;
		const known = this.#jobs.get(name);
		const job = known ?? aJob(name, annotations ? { annotations } : {});
		if (!known) {
			this.#write(() => {
				this.#check(dueMs, status);
				this.#startedSlots.add(dueMs);
				this.#jobs.set(name, job);
			});
		}
		return isActive(status, job.metadata.uid) ? status : withStarted(status, job, dueMs);
	}

	#check(dueMs: number, status: CronJob['status']): void {
		const { spec } = this.cronJob;
		const parsed = scheduleOf(spec);
		assert.ok(parsed.ok);
		if (!spec.schedule.startsWith('@every')) assert.equal(nextDue(parsed.schedule, dueMs - 1), dueMs);
		assert.ok(dueMs <= this.now, 'created before its time');
		assert.ok(dueMs > (timeOf(status.lastScheduleTime) ?? 0), 'created for a slot that had its Job');
		assert.ok(
			dueMs + approximate(spec.startingDeadlineSeconds ?? 1e9) * 1000 >= this.now,
			'created after the deadline',
		);
		assert.ok(!spec.suspend, 'created while suspended');
		assert.ok(!this.#startedSlots.has(dueMs), 'created twice');
		if (spec.concurrencyPolicy !== 'Allow') assert.deepEqual(this.running, [], 'created beside another');
	}

	#store(status: CronJob['status']): void {
		const before = timeOf(this.cronJob.status.lastScheduleTime) ?? 0;
		assert.ok((timeOf(status.lastScheduleTime) ?? 0) >= before, 'lastScheduleTime went back');
		this.cronJob = { ...this.cronJob, status };
	}

	#write(act: () => void): void {
		if (this.#writesLeft <= 0) throw new Crash();
		this.#writesLeft -= 1;
		act();
	}
}
