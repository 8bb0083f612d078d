import { jobs as jobResource } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/meta/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { semanticEqual } from '../../api/meta/equality.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import type { Clock } from '../../base/clock.ts';
import { ConcurrencyLimit } from '../../base/concurrency-limit.ts';
import type { Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../../base/reconcile-loop.ts';
import { runTogether } from '../../base/run-together.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOf, splitKey } from '../../client/informer.ts';
import { allSynced, BY_UID, type Informers } from '../../client/informers.ts';
import type { BackoffHistory } from '../../plan/job/backoff.ts';
import { hasEnded, isTracked } from '../../plan/job/classify.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { CONTROLLER_UID_LABEL } from '../../plan/job/identifiers.ts';
import { planJob } from '../../plan/job/plan-job.ts';
import { type ApplyOptions, applyPlan } from './apply-plan.ts';
import { attentionTo, BATCH_MS, isStatusOnly } from './changes.ts';
import { BY_JOB, JOB_INDEXES, POD_INDEXES, SELF_SELECTED } from './job-indexes.ts';
import { JobMetrics } from './job-metrics.ts';
import { JobWriter } from './job-writer.ts';
import { observeJob } from './observe.ts';
import { OrphanPods } from './orphan-pods.ts';

/** What the Job controller is made of. */
export interface JobControllerOptions {
	readonly client: Client;
	/** Asked for Jobs and Pods with the indexes of job-indexes.ts, so this must be the first to ask. */
	readonly informers: Pick<Informers, 'of'>;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Told of each error a pass ended with, before it is tried again; the key names the Job or Pod. */
	readonly onError: (key: string, error: unknown) => void;
}

/** When a thousand Jobs start at once, their Pods come before what tells of them. */
const STARTS_TOLD_AT_ONCE = 4;

/** What a namespace that is going away refuses is asked for again after this long. */
const REFUSED_RETRY_MS = 1000;

/**
 * Runs Jobs: observe, plan, apply. What a Job means is decided in plan/job; here is only when to look,
 * what at, and the carrying out.
 *
 * 1. A key is worked on by one pass at a time, and a pass ends only once the informers show all that it
 *    wrote, and no Pod that turned out to be gone (one that was counted would be counted again). So no
 *    pass ever decides from before its predecessor, and nothing needs to be expected.
 * 2. Where an answer was lost, so that nobody knows whether there is a Pod, the next pass first has the
 *    server tell. So a Pod is not made a second time, however late the informers hear of the first.
 * 3. What is remembered between passes is only a summary of Pods (BackoffHistory) that a new process
 *    makes again from the Pods that are there.
 */
export class JobController {
	readonly #options: JobControllerOptions;
	readonly #jobs: Informer<Job>;
	readonly #pods: Informer<Pod>;
	readonly #loop: ReconcileLoop;
	readonly #orphans: OrphanPods;
	readonly #metrics: JobMetrics;
	readonly #startLimit = new ConcurrencyLimit(STARTS_TOLD_AT_ONCE);
	readonly #backoff = new Map<string, BackoffHistory>();
	/** The keys with a pass under way, whose status changes are our own. */
	readonly #passing = new Set<string>();
	/** The keys whose last pass may have made Pods that nobody was told of. */
	readonly #unclear = new Set<string>();

	constructor(options: JobControllerOptions) {
		const { informers, clock, metrics, client, onError } = options;
		this.#options = options;
		this.#jobs = informers.of(jobResource, JOB_INDEXES);
		this.#pods = informers.of(podResource, POD_INDEXES);
		this.#metrics = new JobMetrics(metrics);
		this.#loop = new ReconcileLoop({
			name: 'job',
			clock,
			metrics,
			// A pass waits for writes most of the time; one that waits must not keep other Jobs from theirs.
			workers: 1024,
			restMs: (_key, tookMs) => tookMs / 2,
			backoff: { baseMs: 1000, capMs: 60_000 },
			reconcile: (key) => this.#pass(key),
			onError,
		});
		const ownerOf = (pod: Pod): Job | undefined => this.#ownerOf(pod);
		this.#orphans = new OrphanPods({ client, clock, metrics, pods: this.#pods, onError, ownerOf });
	}

	/** Works until `signal` aborts, or the informers are stopped, which their maker runs. */
	async run(signal: AbortSignal): Promise<void> {
		if (!(await allSynced([this.#jobs, this.#pods]))) return;
		this.#jobs.subscribe((job, old) => this.#jobChanged(job, old));
		this.#pods.subscribe((pod, old) => this.#podChanged(pod, old));
		await runTogether([(stop) => this.#loop.run(stop), (stop) => this.#orphans.run(stop)], signal);
	}

	async #pass(key: string): Promise<Outcome> {
		const { client, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		if (this.#unclear.has(key) && !(await this.#catchUp(key, namespace))) return DONE;
		const job = this.#jobs.get(namespace, name);
		if (!job || isFinished(job)) return DONE;
		const writer = new JobWriter(job, {
			...{ client, recorder, metrics: this.#metrics, startLimit: this.#startLimit },
		});
		this.#passing.add(key);
		try {
			return await this.#planAndApply(key, job, writer);
		} catch (error) {
			if (isApiError(error, 'NotFound') && !this.#isSame(job)) return DONE;
			// Somebody else changed the Job: with their version in hand there is nothing to wait for.
			if (isApiError(error, 'Conflict') && this.#jobs.get(namespace, name) !== job) return again(0);
			throw error;
		} finally {
			await this.#seen(writer);
			if (writer.mayHaveCreated) this.#unclear.add(key);
			this.#passing.delete(key);
		}
	}

	/** Waits until the informers show all that was written, and none of the Pods that are gone, or end. */
	async #seen({ jobVersion, podVersion, gone }: JobWriter): Promise<void> {
		const left = gone.map((pod) => this.#pods.left(pod));
		await Promise.all([this.#jobs.reached(jobVersion), this.#pods.reached(podVersion), ...left]);
	}

	/** Waits until the informer shows every Pod that the server has now; false if it was stopped before. */
	async #catchUp(key: string, namespace: string): Promise<boolean> {
		const { items } = await this.#options.client.resource(podResource, namespace).list();
		const latest = items.reduce((most, { metadata }) => Math.max(most, Number(metadata.resourceVersion)), 0);
		const isShown = await this.#pods.reached(String(latest));
		if (isShown) this.#unclear.delete(key);
		return isShown;
	}

	async #planAndApply(key: string, job: Job, writer: JobWriter): Promise<Outcome> {
		const { uid = '' } = job.metadata;
		const started = this.#options.clock.now();
		const plan = planJob(observeJob(job, this.#pods, this.#backoff.get(uid), started));
		this.#backoff.set(uid, plan.backoff);
		const cautious = this.#loop.queue.failures(key) > 0;
		const missing = await this.#apply({ job, plan, writer, cautious, metrics: this.#metrics }, started);
		if (plan.lookAgainMs === undefined) return DONE;
		return again(missing > 0 ? Math.max(plan.lookAgainMs, REFUSED_RETRY_MS) : plan.lookAgainMs);
	}

	async #apply(options: ApplyOptions, started: number): Promise<number> {
		const { job, plan } = options;
		let result: 'success' | 'error' = 'error';
		try {
			const missing = await applyPlan(options);
			result = 'success';
			return missing;
		} finally {
			const durationMs = this.#options.clock.now() - started;
			if (plan.action) this.#metrics.synced({ job, action: plan.action, result, durationMs });
		}
	}

	#jobChanged(job: Job | undefined, old: Job | undefined): void {
		if (old && old.metadata.uid !== job?.metadata.uid) this.#letGo(old);
		if (!job) return;
		if (!old) this.#metrics.jobAdded(job);
		if (isFinished(job)) {
			this.#letGo(job);
			this.#jobs.release(job);
			return;
		}
		const key = keyOf(job.metadata.namespace ?? '', job.metadata.name ?? '');
		if (old && this.#passing.has(key) && isStatusOnly(job, old)) return;
		this.#loop.add(key);
	}

	/** The Job will count no more Pods: whichever still wait for that are let go. */
	#letGo({ metadata }: Job): void {
		const { uid = '' } = metadata;
		this.#backoff.delete(uid);
		for (const pod of this.#pods.indexed(BY_JOB, uid)) if (isTracked(pod)) this.#orphans.add(pod);
	}

	#podChanged(pod: Pod | undefined, old: Pod | undefined): void {
		this.#metrics.podChanged(pod, old);
		// No pass asks for it any more; see BY_JOB.
		if (pod && hasEnded(pod) && !isTracked(pod)) this.#pods.release(pod);
		const before = old && controllerOf(old);
		const after = pod && controllerOf(pod);
		if (old && before && before.uid !== after?.uid) this.#wake(this.#ownerOf(old), pod, old);
		if (!pod) return;
		if (!after) {
			if (isTracked(pod)) this.#orphans.add(pod);
			if (!old || before || !semanticEqual(old.metadata.labels, pod.metadata.labels)) this.#offer(pod);
			return;
		}
		const owner = this.#ownerOf(pod);
		if (owner && !isFinished(owner)) this.#wake(owner, pod, old);
		else if (pod.metadata.deletionTimestamp && isTracked(pod)) this.#orphans.add(pod);
	}

	#wake(job: Job | undefined, pod: Pod | undefined, old: Pod | undefined): void {
		const attention = attentionTo(pod, old);
		if (!job || attention === 'never') return;
		const key = keyOf(job.metadata.namespace ?? '', job.metadata.name ?? '');
		if (attention === 'now') this.#loop.add(key);
		else this.#loop.addAfter(key, BATCH_MS);
	}

	/** Wakes the Jobs that might adopt the Pod. */
	#offer(pod: Pod): void {
		const { namespace = '', labels } = pod.metadata;
		const named = this.#jobs.indexed(BY_UID, labels?.[CONTROLLER_UID_LABEL] ?? '');
		for (const job of [...named, ...this.#jobs.indexed(SELF_SELECTED, namespace)]) {
			if (job.metadata.namespace !== namespace || !matches(selectorOf(job.spec.selector), labels)) continue;
			this.#loop.add(keyOf(namespace, job.metadata.name ?? ''));
		}
	}

	/** The Job that controls the Pod, if it is there; a namesake is not. */
	#ownerOf(pod: Pod): Job | undefined {
		const owner = controllerOf(pod);
		if (owner?.kind !== 'Job') return undefined;
		const job = this.#jobs.get(pod.metadata.namespace ?? '', owner.name);
		return job?.metadata.uid === owner.uid ? job : undefined;
	}

	#isSame({ metadata }: Job): boolean {
		return this.#jobs.get(metadata.namespace ?? '', metadata.name ?? '')?.metadata.uid === metadata.uid;
	}
}
