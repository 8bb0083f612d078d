/**
 * The CronJob controller: creates Jobs on a schedule, by observing, planning and applying. plan/cronjob decides
 * when a Job is due, and which Jobs are replaced or deleted; this folder reads the informers, decides when to
 * reconcile, and writes. Upstream: pkg/controller/cronjob/cronjob_controllerv2.go.
 *
 * Read this file, then observe.ts (snapshot), apply-plan.ts (order of writes), cronjob-writer.ts (single
 * writes).
 *
 * 1. At most one reconcile of a key runs at a time. It ends only when the informers show everything that it
 *    wrote, so that the next one does not decide from a stale cache.
 * 2. No state is kept between reconciles: everything is in the CronJob's status and the Jobs it controls.
 */

import { cronjobs as cronJobResource } from '../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { jobs as jobResource } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOf, keyOfObject, splitKey } from '../../client/informer.ts';
import { BY_UID, type Informers } from '../../client/informers.ts';
import { planCronJob, unsupportedZone } from '../../plan/cronjob/plan-cronjob.ts';
import { scheduleOf, untilNextMs } from '../../plan/cronjob/schedule.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { applyCronJobPlan } from './apply-plan.ts';
import { creationSkew } from './cronjob-metrics.ts';
import { CronJobWriter } from './cronjob-writer.ts';
import { observeCronJob } from './observe.ts';

/** The dependencies of the CronJob controller. */
export interface CronJobControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly informers: Pick<Informers, 'of'>;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/**
 * Number of statuses written at the same time. If 1,000 Jobs are due at once, the writes that create them must
 * not queue behind writes that only report their creation.
 */
const STATUSES_AT_ONCE = 4;

/** Reconciles the CronJobs of all namespaces; see the header of this file. */
export class CronJobController {
	readonly #options: CronJobControllerOptions;
	readonly #cronJobs: Informer<CronJob>;
	readonly #jobs: Informer<Job>;
	readonly #controller: Controller;
	readonly #onStarted: (latenessSeconds: number) => void;
	readonly #statusLimit = new ConcurrencyLimit(STATUSES_AT_ONCE);
	/**
	 * The keys that are being reconciled: new Jobs and status changes of these are the controller's own writes.
	 */
	readonly #reconciling = new Set<string>();

	constructor(options: CronJobControllerOptions) {
		const { informers, metrics } = options;
		this.#options = options;
		this.#cronJobs = informers.of(cronJobResource);
		this.#jobs = informers.of(jobResource);
		this.#onStarted = creationSkew(metrics);
		this.#controller = new Controller(
			{
				name: 'cronjob',
				watches: [
					watch(this.#cronJobs, (cronJob, old) => this.#cronJobChanged(cronJob, old)),
					watch(this.#jobs, (job, old) => this.#jobChanged(job, old)),
				],
				// Many CronJobs are due at the same minute, and a reconcile spends most of its time waiting for writes.
				workers: 1024,
				backoff: { baseMs: 5, capMs: 1_000_000 },
				subjects: subjectsIn(this.#cronJobs),
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers, which their owner runs, are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { namespace, name } = splitKey(key);
		const known = this.#cronJobs.get(namespace, name);
		if (!known) return DONE;
		const { client, clock, recorder } = this.#options;
		this.#reconciling.add(key);
		let writer: CronJobWriter | undefined;
		try {
			const seen = await observeCronJob(known, { client, jobs: this.#jobs, now: clock.now() });
			writer = new CronJobWriter(seen.cronJob, {
				client,
				recorder,
				onStarted: this.#onStarted,
				statusLimit: this.#statusLimit,
			});
			const plan = planCronJob(seen);
			await applyCronJobPlan(seen.cronJob, plan, writer);
			return plan.lookAgainMs === undefined ? DONE : again(plan.lookAgainMs);
		} catch (error) {
			if (isApiError(error, 'NotFound') && !this.#cronJobs.get(namespace, name)) return DONE;
			throw error;
		} finally {
			// Both also resolve when the informers are stopped.
			await Promise.all([
				this.#cronJobs.reached(writer?.cronJobVersion),
				this.#jobs.reached(writer?.jobVersion),
			]);
			this.#reconciling.delete(key);
		}
	}

	/**
	 * A CronJob with a new schedule or time zone is reconciled at its next scheduled time. Reconciling it at once
	 * would start Jobs for times that the new schedule has in the past. All other changes are reconciled at once.
	 */
	#cronJobChanged(cronJob: CronJob | undefined, old: CronJob | undefined): Keys {
		if (!cronJob) return NO_KEYS;
		const key = keyOfObject(cronJob);
		if (old && hasNewSchedule(cronJob, old)) return this.#atNextTime(key, cronJob);
		return old && this.#reconciling.has(key) && isStatusOnly(cronJob, old) ? NO_KEYS : [key];
	}

	#atNextTime(key: string, cronJob: CronJob): Keys {
		const { clock, recorder } = this.#options;
		for (const event of unsupportedZone(cronJob)) recorder.event(cronJob, event);
		const parsed = scheduleOf(cronJob.spec);
		if (!parsed.ok) {
			const message = `unparseable schedule for cronjob: ${cronJob.spec.schedule}`;
			recorder.event(cronJob, { type: 'Warning', reason: 'UnParseableCronJobSchedule', message });
			return NO_KEYS;
		}
		const afterMs = untilNextMs(cronJob, parsed.schedule, clock.now());
		return afterMs === undefined ? NO_KEYS : [{ key, afterMs }];
	}

	*#jobChanged(job: Job | undefined, old: Job | undefined): IterableIterator<string> {
		const before = old && this.#controllerOf(old);
		const after = job && this.#controllerOf(job);
		if (before && before !== after) yield before;
		if (!after) return;
		const made = !old && this.#reconciling.has(after);
		if (!made && (!old || before !== after || affectsPlan(job, old))) yield after;
	}

	/**
	 * The key of the CronJob that controls the Job, if it exists. One of that name with another UID does not
	 * count.
	 */
	#controllerOf(job: Job): string | undefined {
		const owner = controllerOf(job);
		if (owner?.kind !== 'CronJob') return undefined;
		const { namespace = '' } = job.metadata;
		const known = this.#cronJobs.indexed(BY_UID, owner.uid)[0];
		return known?.metadata.name === owner.name ? keyOf(namespace, owner.name) : undefined;
	}
}

/** Whether the schedule or its time zone was replaced. */
function hasNewSchedule({ spec }: CronJob, { spec: old }: CronJob): boolean {
	return spec.schedule !== old.schedule || spec.timeZone !== old.timeZone;
}

/**
 * Whether the CronJob changed in nothing that a plan depends on but its status; the generation covers the spec.
 */
function isStatusOnly({ metadata }: CronJob, { metadata: old }: CronJob): boolean {
	return metadata.generation === old.generation && metadata.deletionTimestamp === old.deletionTimestamp;
}

/** Whether a change of a Job can affect the plan of its CronJob. */
function affectsPlan(job: Job, old: Job): boolean {
	return (
		isFinished(job) !== isFinished(old) ||
		job.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		!semanticEqual(job.metadata.annotations, old.metadata.annotations)
	);
}
