/**
 * The Job controller: maps changes of Jobs and Pods to keys of Jobs, and reconciles each key by observing,
 * planning and applying. All decisions about a Job are made by the pure functions of plan/job; this folder
 * decides when to reconcile, reads the informers, and writes.
 *
 * Read this file, then observe.ts (snapshot), apply-plan.ts (order of writes), job-writer.ts (single writes),
 * changes.ts (which changes matter), orphan-pods.ts (finalizers of Pods without a Job), job-indexes.ts,
 * job-metrics.ts.
 *
 * 1. At most one reconcile of a key runs at a time. It ends only when the informers show everything that it
 *    wrote, and no longer show any Pod that a write found to be gone (a counted Pod would be counted twice). So
 *    a reconcile never decides from a cache older than its predecessor's writes. Upstream tracks the creations
 *    that it expects to see (controller expectations) instead; these time out after 5 minutes, this does not.
 * 2. If the response to a Pod creation was lost, the Pod may exist or not. The next reconcile of the Job first
 *    lists the Pods of the namespace and waits until the informer has reached that resourceVersion. So no Pod
 *    is created twice, however far the informer lags.
 * 3. The only state kept between reconciles is a BackoffHistory per Job, a summary that a new process rebuilds
 *    from the existing Pods.
 */

import { jobs as jobResource } from '../../api/batch/job/definition.ts';
import { CONTROLLER_UID_LABEL } from '../../api/batch/job/labels.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import { nextTurn } from '../../base/turn.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import {
	Controller,
	type ControllerContext,
	type KeyRequest,
	type Keys,
	NO_KEYS,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { BY_UID, type Informers } from '../../client/informers.ts';
import type { BackoffHistory } from '../../plan/job/backoff.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { planJob } from '../../plan/job/plan-job.ts';
import { isTracked } from '../../plan/job/pods/classify.ts';
import { type ApplyOptions, applyJobPlan } from './apply-plan.ts';
import { attentionTo, BATCH_MS, isStatusOnly } from './changes.ts';
import { BY_JOB, BY_MANUAL_SELECTOR, JOB_INDEXES, POD_INDEXES } from './job-indexes.ts';
import { JobMetrics } from './job-metrics.ts';
import { JobWriter } from './job-writer.ts';
import { observeJob } from './observe.ts';
import { OrphanPods } from './orphan-pods.ts';

/** The dependencies of the Job controller. */
export interface JobControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly informers: Pick<Informers, 'of'>;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/**
 * Number of reconciles that may write the first status of a Job at the same time. If 1,000 Jobs are created at
 * once, the writes that create their Pods must not queue behind writes that only report the start.
 */
const START_STATUSES_AT_ONCE = 4;

/** Delay before the controller retries to create Pods that a namespace under deletion has rejected. */
const REFUSED_RETRY_MS = 1000;

/** Reconciles the Jobs of all namespaces; see the header of this file. */
export class JobController {
	readonly #options: JobControllerOptions;
	readonly #jobs: Informer<Job>;
	readonly #pods: Informer<Pod>;
	readonly #controller: Controller;
	readonly #orphans: OrphanPods;
	readonly #metrics: JobMetrics;
	readonly #startLimit = new ConcurrencyLimit(START_STATUSES_AT_ONCE);
	readonly #backoff = new Map<string, BackoffHistory>();
	/** The keys that are being reconciled. Status changes of these Jobs are the controller's own writes. */
	readonly #reconciling = new Set<string>();
	/** The keys whose last reconcile may have created Pods without receiving the response. */
	readonly #uncertain = new Set<string>();

	constructor(options: JobControllerOptions) {
		const { informers, clock, metrics, client, onError } = options;
		this.#options = options;
		this.#jobs = informers.of(jobResource, JOB_INDEXES);
		this.#pods = informers.of(podResource, POD_INDEXES);
		this.#metrics = new JobMetrics(metrics);
		this.#controller = new Controller(
			{
				name: 'job',
				watches: [
					watch(this.#jobs, (job, old) => {
						this.#noteJob(job, old);
						return this.#keysAfterJob(job, old);
					}),
					watch(this.#pods, (pod, old) => {
						this.#notePod(pod, old);
						return this.#keysAfterPod(pod, old);
					}),
				],
				// A reconcile spends most of its time waiting for writes. With few workers, waiting ones would block
				// other Jobs.
				workers: 1024,
				restMs: (_key, tookMs) => tookMs / 2,
				backoff: { baseMs: 1000, capMs: 60_000 },
				subjects: subjectsIn(this.#jobs),
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
		const ownerOf = (pod: Pod): Job | undefined => this.#ownerOf(pod);
		this.#orphans = new OrphanPods({ client, clock, metrics, pods: this.#pods, onError, ownerOf });
	}

	/** Runs until `signal` aborts or the informers, which their owner runs, are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		await runTogether([(stop) => this.#controller.run(stop), (stop) => this.#orphans.run(stop)], signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { client, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		if (this.#uncertain.has(key) && !(await this.#waitForAllPods(key, namespace))) return DONE;
		if (hasLongIndexes(this.#jobs.get(namespace, name))) await nextTurn();
		const job = this.#jobs.get(namespace, name);
		// For a Job that has finished since planJob plans nothing, but a history of its failures would stay in memory.
		if (!job || isFinished(job)) return DONE;
		const writer = new JobWriter(job, {
			client,
			recorder,
			metrics: this.#metrics,
			startLimit: this.#startLimit,
		});
		this.#reconciling.add(key);
		try {
			return await this.#planAndApply(key, job, writer);
		} catch (error) {
			if (isApiError(error, 'NotFound') && !this.#isSame(job)) return DONE;
			throw error;
		} finally {
			await this.#waitForInformers(writer);
			if (writer.mayHaveCreated) this.#uncertain.add(key);
			this.#reconciling.delete(key);
		}
	}

	/**
	 * Resolves when the informers show all writes and none of the Pods found to be gone, or when they are
	 * stopped.
	 */
	async #waitForInformers({ jobVersion, podVersion, gone }: JobWriter): Promise<void> {
		const left = gone.map((pod) => this.#pods.left(pod));
		await Promise.all([this.#jobs.reached(jobVersion), this.#pods.reached(podVersion), ...left]);
	}

	/**
	 * Waits until the informer shows every Pod that the API server has now; false if it was stopped before that.
	 */
	async #waitForAllPods(key: string, namespace: string): Promise<boolean> {
		const { items } = await this.#options.client.resource(podResource, namespace).list();
		const latest = items.reduce((most, { metadata }) => Math.max(most, Number(metadata.resourceVersion)), 0);
		const isShown = await this.#pods.reached(String(latest));
		if (isShown) this.#uncertain.delete(key);
		return isShown;
	}

	async #planAndApply(key: string, job: Job, writer: JobWriter): Promise<Outcome> {
		const { uid = '' } = job.metadata;
		const started = this.#options.clock.now();
		const plan = planJob(observeJob(job, this.#pods, { remembered: this.#backoff.get(uid), now: started }));
		this.#backoff.set(uid, plan.backoff);
		if (hasLongIndexes(job)) await nextTurn();
		const cautious = this.#controller.failures(key) > 0;
		const missing = await this.#apply({ job, plan, writer, cautious, metrics: this.#metrics }, started);
		if (plan.lookAgainMs === undefined) return DONE;
		return again(missing > 0 ? Math.max(plan.lookAgainMs, REFUSED_RETRY_MS) : plan.lookAgainMs);
	}

	async #apply(options: ApplyOptions, started: number): Promise<number> {
		const { job, plan } = options;
		let result: 'success' | 'error' = 'error';
		try {
			const missing = await applyJobPlan(options);
			result = 'success';
			return missing;
		} finally {
			const durationMs = this.#options.clock.now() - started;
			if (plan.action) this.#metrics.synced({ job, action: plan.action, result, durationMs });
		}
	}

	/** Counts a new Job, and gives up what is kept for a finished or deleted one. */
	#noteJob(job: Job | undefined, old: Job | undefined): void {
		if (old && old.metadata.uid !== job?.metadata.uid) this.#releasePodsOf(old);
		if (!job) return;
		if (!old) this.#metrics.jobAdded(job);
		if (!isFinished(job)) return;
		this.#releasePodsOf(job);
		this.#jobs.release(job);
	}

	#keysAfterJob(job: Job | undefined, old: Job | undefined): Keys {
		if (!job || isFinished(job)) return NO_KEYS;
		const key = keyOfObject(job);
		return old && this.#reconciling.has(key) && isStatusOnly(job, old) ? NO_KEYS : [key];
	}

	/**
	 * Hands the Pods that still have the tracking finalizer to OrphanPods: the Job is gone or finished and counts
	 * no more.
	 */
	#releasePodsOf({ metadata }: Job): void {
		const { uid = '' } = metadata;
		this.#backoff.delete(uid);
		for (const pod of this.#pods.indexed(BY_JOB, uid)) if (isTracked(pod)) this.#orphans.add(pod);
	}

	/** Counts the change, and hands a Pod that no Job will count to OrphanPods. */
	#notePod(pod: Pod | undefined, old: Pod | undefined): void {
		this.#metrics.podChanged(pod, old);
		if (!pod) return;
		if (isTracked(pod)) {
			if (this.#mayBeOrphan(pod)) this.#orphans.add(pod);
			return;
		}
		// No reconcile reads the Pod again (see BY_JOB), so the informer need not keep it decoded.
		if (hasEnded(pod)) this.#pods.release(pod);
	}

	/** Whether the Pod has no controller, or is being deleted after its Job was deleted or has finished. */
	#mayBeOrphan(pod: Pod): boolean {
		if (!controllerOf(pod)) return true;
		if (!pod.metadata.deletionTimestamp) return false;
		const owner = this.#ownerOf(pod);
		return !owner || isFinished(owner);
	}

	*#keysAfterPod(pod: Pod | undefined, old: Pod | undefined): IterableIterator<KeyRequest> {
		const before = old && controllerOf(old);
		const after = pod && controllerOf(pod);
		if (old && before && before.uid !== after?.uid) yield* keyAfter(this.#ownerOf(old), pod, old);
		if (!pod) return;
		if (!after) {
			if (!old || before || !semanticEqual(old.metadata.labels, pod.metadata.labels))
				yield* this.#adoptersOf(pod);
			return;
		}
		const owner = this.#ownerOf(pod);
		if (owner && !isFinished(owner)) yield* keyAfter(owner, pod, old);
	}

	/** The keys of the Jobs whose selector matches a Pod without a controller: one of them may adopt it. */
	#adoptersOf(pod: Pod): readonly string[] {
		const { namespace = '', labels } = pod.metadata;
		const named = this.#jobs.indexed(BY_UID, labels?.[CONTROLLER_UID_LABEL] ?? '');
		return [...named, ...this.#jobs.indexed(BY_MANUAL_SELECTOR, namespace)]
			.filter((job) => job.metadata.namespace === namespace && matches(selectorOf(job.spec.selector), labels))
			.map(keyOfObject);
	}

	/** The Job that controls the Pod, if it exists. A Job of that name with another UID is not its controller. */
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

/** The key of the Pod's Job, with the time after which a change of the Pod needs a reconcile. */
function keyAfter(job: Job | undefined, pod: Pod | undefined, old: Pod | undefined): readonly KeyRequest[] {
	const attention = attentionTo(pod, old);
	if (!job || attention === 'never') return [];
	const key = keyOfObject(job);
	return [attention === 'now' ? key : { key, afterMs: BATCH_MS }];
}

/**
 * Characters of index lists from which a reconcile takes turns with other work. Parsing and writing a list takes up to
 * 20 ms per million, and within the process the controller would do it in the turn of the request that changed the
 * Job. Shorter lists stay in one turn, so that they cost no latency and the order of a simulation is reproducible.
 */
const LONG_INDEXES = 100_000;

function hasLongIndexes(job: Job | undefined): boolean {
	const { completedIndexes = '', failedIndexes = '' } = job?.status ?? {};
	return completedIndexes.length + failedIndexes.length > LONG_INDEXES;
}
