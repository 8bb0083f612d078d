import { cronjobs as cronJobResource } from '../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { jobs as jobResource } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { isApiError } from '../../api/meta/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { semanticEqual } from '../../api/meta/equality.ts';
import type { Clock } from '../../base/clock.ts';
import { ConcurrencyLimit } from '../../base/concurrency-limit.ts';
import type { Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOf, splitKey } from '../../client/informer.ts';
import { allSynced, BY_UID, type Informers } from '../../client/informers.ts';
import { planCronJob, unsupportedZone } from '../../plan/cronjob/plan-cronjob.ts';
import { scheduleOf, untilNextMs } from '../../plan/cronjob/schedule.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { applyPlan } from './apply-plan.ts';
import { creationSkew } from './cronjob-metrics.ts';
import { CronJobWriter } from './cronjob-writer.ts';
import { observeCronJob } from './observe.ts';

/** What the CronJob controller is made of. */
export interface CronJobControllerOptions {
	readonly client: Client;
	readonly informers: Pick<Informers, 'of'>;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Told of each error a pass ended with, before it is tried again. */
	readonly onError: (key: string, error: unknown) => void;
}

/** When a thousand Jobs are due at once, what starts them comes before what tells of it. */
const STATUSES_AT_ONCE = 4;

/**
 * Makes Jobs by schedules: observe, plan, apply. When a Job is due, and what is seen to before, is decided
 * in plan/cronjob.
 *
 * A pass ends only once the informers show all that it wrote, so that the next one does not decide from
 * before it; nothing is remembered between passes.
 */
export class CronJobController {
	readonly #options: CronJobControllerOptions;
	readonly #cronJobs: Informer<CronJob>;
	readonly #jobs: Informer<Job>;
	readonly #loop: ReconcileLoop;
	readonly #onStarted: (latenessSeconds: number) => void;
	readonly #statusLimit = new ConcurrencyLimit(STATUSES_AT_ONCE);
	/** The keys with a pass under way, which makes Jobs and changes the status itself. */
	readonly #passing = new Set<string>();

	constructor(options: CronJobControllerOptions) {
		const { informers, clock, metrics, onError } = options;
		this.#options = options;
		this.#cronJobs = informers.of(cronJobResource);
		this.#jobs = informers.of(jobResource);
		this.#onStarted = creationSkew(metrics);
		this.#loop = new ReconcileLoop({
			name: 'cronjob',
			clock,
			metrics,
			// Many are due at the same minute, and a pass waits for writes most of the time.
			workers: 1024,
			backoff: { baseMs: 5, capMs: 1_000_000 },
			reconcile: (key) => this.#pass(key),
			onError,
		});
	}

	/** Works until `signal` aborts, or the informers are stopped, which their maker runs. */
	async run(signal: AbortSignal): Promise<void> {
		if (!(await allSynced([this.#cronJobs, this.#jobs]))) return;
		this.#cronJobs.subscribe((cronJob, old) => this.#cronJobChanged(cronJob, old));
		this.#jobs.subscribe((job, old) => this.#jobChanged(job, old));
		await this.#loop.run(signal);
	}

	async #pass(key: string): Promise<Outcome> {
		const { namespace, name } = splitKey(key);
		const known = this.#cronJobs.get(namespace, name);
		if (!known) return DONE;
		const { client, clock, recorder } = this.#options;
		this.#passing.add(key);
		let writer: CronJobWriter | undefined;
		try {
			const seen = await observeCronJob(known, { client, jobs: this.#jobs, now: clock.now() });
			writer = new CronJobWriter(seen.cronJob, {
				...{ client, recorder, onStarted: this.#onStarted, statusLimit: this.#statusLimit },
			});
			const plan = planCronJob(seen);
			await applyPlan(seen.cronJob, plan, writer);
			return plan.lookAgainMs === undefined ? DONE : again(plan.lookAgainMs);
		} catch (error) {
			const current = this.#cronJobs.get(namespace, name);
			if (isApiError(error, 'NotFound') && !current) return DONE;
			// Somebody else changed the CronJob: with their version in hand there is nothing to wait for.
			if (isApiError(error, 'Conflict') && current !== known) return again(0);
			throw error;
		} finally {
			// Both also settle when the informers are stopped.
			await Promise.all([
				this.#cronJobs.reached(writer?.cronJobVersion),
				this.#jobs.reached(writer?.jobVersion),
			]);
			this.#passing.delete(key);
		}
	}

	/**
	 * Another schedule counts from its next time on; to look at once would start what it would have had
	 * due already. All else is looked at now.
	 */
	#cronJobChanged(cronJob: CronJob | undefined, old: CronJob | undefined): void {
		if (!cronJob) return;
		const key = keyOf(cronJob.metadata.namespace ?? '', cronJob.metadata.name ?? '');
		if (old && isReplaced(cronJob, old)) this.#startAnew(key, cronJob);
		else if (!old || !this.#passing.has(key) || !isStatusOnly(cronJob, old)) this.#loop.add(key);
	}

	#startAnew(key: string, cronJob: CronJob): void {
		const { clock, recorder } = this.#options;
		for (const event of unsupportedZone(cronJob)) recorder.event(cronJob, event);
		const parsed = scheduleOf(cronJob.spec);
		if (!parsed.ok) {
			const message = `unparseable schedule for cronjob: ${cronJob.spec.schedule}`;
			recorder.event(cronJob, { type: 'Warning', reason: 'UnParseableCronJobSchedule', message });
			return;
		}
		const afterMs = untilNextMs(cronJob, parsed.schedule, clock.now());
		if (afterMs !== undefined) this.#loop.queue.addAfter(key, afterMs);
	}

	#jobChanged(job: Job | undefined, old: Job | undefined): void {
		const before = old && this.#controllerOf(old);
		const after = job && this.#controllerOf(job);
		if (before && before !== after) this.#loop.add(before);
		if (!after) return;
		const made = !old && this.#passing.has(after);
		if (!made && (!old || before !== after || matters(job, old))) this.#loop.add(after);
	}

	/** The key of the CronJob that controls the Job, if it is there; a namesake is not. */
	#controllerOf(job: Job): string | undefined {
		const owner = controllerOf(job);
		if (owner?.kind !== 'CronJob') return undefined;
		const { namespace = '' } = job.metadata;
		const known = this.#cronJobs.indexed(BY_UID, owner.uid)[0];
		return known?.metadata.name === owner.name ? keyOf(namespace, owner.name) : undefined;
	}
}

function isReplaced({ spec }: CronJob, { spec: old }: CronJob): boolean {
	return spec.schedule !== old.schedule || spec.timeZone !== old.timeZone;
}

function isStatusOnly({ metadata }: CronJob, { metadata: old }: CronJob): boolean {
	return metadata.generation === old.generation && metadata.deletionTimestamp === old.deletionTimestamp;
}

/** Whether a change of a Job can change what its CronJob has to do. */
function matters(job: Job, old: Job): boolean {
	return (
		isFinished(job) !== isFinished(old) ||
		job.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		!semanticEqual(job.metadata.annotations, old.metadata.annotations)
	);
}
