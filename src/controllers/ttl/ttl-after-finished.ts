import { jobs as jobResource } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { exponentialBuckets, type HistogramSeries } from '../../base/metrics.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, NO_KEYS, watch } from '../../client/controller.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { isOvertaken, uidPrecondition } from '../../client/outcomes.ts';
import { expiryOf } from '../../plan/job/time-to-live.ts';

/** The dependencies of the TTL controller. */
export interface TtlAfterFinishedOptions extends ControllerContext {
	readonly client: Client;
	readonly jobs: Informer<Job>;
}

/**
 * The TTL controller: deletes finished Jobs, with their Pods, when their `ttlSecondsAfterFinished` has passed.
 * Upstream: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go. The expiry is computed by
 * plan/job/time-to-live.ts.
 */
export class TtlAfterFinished {
	readonly #options: TtlAfterFinishedOptions;
	readonly #controller: Controller;
	readonly #deletionSeconds: HistogramSeries;

	constructor(options: TtlAfterFinishedOptions) {
		this.#options = options;
		this.#deletionSeconds = options.metrics.histogram(DELETION_SECONDS).with();
		this.#controller = new Controller(
			{
				name: 'ttl_jobs_to_delete',
				// Each Job is queued whenever it changes: the key then waits until the expiry, which the change may have
				// moved.
				watches: [
					watch(options.jobs, (job) => (job && expiryOf(job) !== undefined ? [keyOfObject(job)] : NO_KEYS)),
				],
				workers: 5,
				backoff: { baseMs: 5, capMs: 1_000_000 },
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { client, clock, jobs } = this.#options;
		const { namespace, name } = splitKey(key);
		const known = jobs.get(namespace, name);
		const due = known && expiryOf(known);
		if (due === undefined) return DONE;
		if (due > clock.now()) return again(due - clock.now());
		const target = client.resource(jobResource, namespace);
		try {
			// A user may have extended the TTL just now, so the decision is made from the Job on the API server.
			const live = await target.get(name);
			const expiry = expiryOf(live);
			if (expiry === undefined || live.metadata.uid !== known?.metadata.uid) return DONE;
			if (expiry > clock.now()) return again(expiry - clock.now());
			await target.delete(name, { propagationPolicy: 'Foreground', ...uidPrecondition(live) });
			this.#deletionSeconds.observe((clock.now() - expiry) / 1000);
		} catch (error) {
			// The Job is gone, or another Job has its name and an event of its own.
			if (!isOvertaken(error)) throw error;
		}
		return DONE;
	}
}

/** The metric with upstream's name and buckets. */
const DELETION_SECONDS = {
	name: 'ttl_after_finished_controller_job_deletion_duration_seconds',
	help: 'Time between the expiry of ttlSecondsAfterFinished of a Job and its deletion, in seconds.',
	buckets: exponentialBuckets(0.1, 2, 14),
};
