import { jobs } from '../../api/batch/job/definition.ts';
import type { Job, JobCondition } from '../../api/batch/job/schema.ts';
import { events } from '../../api/core/event/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { humanDuration } from '../../api/meta/duration.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { ResourceClient } from '../../client/client.ts';
import { Informer } from '../../client/informer.ts';
import { terminalCondition } from '../../plan/job/conditions.ts';
import { nextAttempt } from '../../plan/job/next-attempt.ts';
import { type NeverStarted, neverStarts } from '../../plan/pod/never-starts.ts';
import { failuresOf, failuresText } from './failures.ts';
import { FollowedPods } from './followed-pods.ts';
import { type Follower, type FollowerOptions, type RunOutcome, stuckOutcome } from './follower.ts';

import { ImagePulls } from './notices/image-pulls.ts';
import { FAILED_CREATE, jobNoticeOf } from './notices/job-notices.ts';

/**
 * Follows a Job with three watches: of the Job, of its Pods, and of the Events about Pods that could not be
 * created.
 */
export class JobFollower implements Follower {
	readonly title: string;
	readonly ended: Promise<RunOutcome>;
	readonly #options: FollowerOptions;
	readonly #source: ResourceClient<Pod>;
	readonly #selector: string;
	readonly #informer: Informer<Pod>;
	readonly #followedPods: FollowedPods;
	/** Undefined without a status line. */
	readonly #pulls: ImagePulls | undefined;
	#job: Job;
	#finished = Promise.withResolvers<Job | undefined>();
	#over = false;
	/** Why the Job cannot succeed. */
	#stuck: NeverStarted | undefined;
	/** The keys of the notices that were printed. */
	readonly #reported = new Set<string>();
	#changed = Promise.withResolvers<void>();

	/** Starts following at once. `job` is the object that the server returned for the create or patch. */
	constructor(job: Job, options: FollowerOptions) {
		const { connection, clock, created, signal, onError } = options;
		const { name = '', namespace, uid, resourceVersion = '' } = job.metadata;
		this.title = `job/${name}`;
		this.#options = options;
		this.#job = job;
		this.#followedPods = new FollowedPods({ ...options, afterFailure: () => this.#afterFailure() });
		// For a Job created by this run the watches start at the revision of its creation, without a list: every
		// Pod and Event of the Job is newer, so none is missed and no request is wasted.
		const own = connection.client.resource(jobs, namespace);
		const jobInformer = new Informer(own, {
			clock,
			onError,
			narrow: { fieldSelector: `metadata.name=${name}` },
			...(created && { from: { resourceVersion, objects: [job] } }),
		});
		jobInformer.subscribe((now) => this.#observeJob(now?.metadata.uid === uid ? now : undefined));
		// A list that is empty calls no handler: the Job was deleted before it was first seen.
		void jobInformer.synced.then((isSynced) => {
			if (isSynced && jobInformer.get(namespace ?? '', name)?.metadata.uid !== uid)
				this.#observeJob(undefined);
		});
		this.#source = connection.client.resource(pods, namespace);
		this.#selector = labelSelectorText(job.spec.selector);
		this.#informer = new Informer(this.#source, {
			clock,
			onError,
			narrow: { labelSelector: this.#selector },
			...(created && { from: { resourceVersion, objects: [] } }),
		});
		this.#informer.subscribe((pod) => this.#observePod(pod));
		void jobInformer.run(signal);
		void this.#informer.run(signal);
		this.#followRefusals();
		if (options.screen.hasStatus)
			this.#pulls = new ImagePulls({ ...options, metadata: job.metadata, onChange: options.onProgress });
		this.ended = this.#awaitOutcome();
	}

	/** `job/pi: 1/3 succeeded, 2 active  5s, pulling nginx`, from the status that the Job controller writes. */
	progress(): string | undefined {
		if (this.#over) return undefined;
		const { spec, status } = this.#job;
		if (spec.suspend) return `${this.title} is suspended`;
		const { active = 0, succeeded = 0, failed = 0 } = status;
		const wanted = spec.completions === undefined ? '' : `/${spec.completions}`;
		const parts = [`${succeeded}${wanted} succeeded`, `${active} active`];
		if (failed > 0) parts.push(`${failed} failed`);
		const started = timeOf(status.startTime);
		const elapsed =
			started === undefined ? '' : `  ${humanDuration(Math.max(this.#options.clock.now() - started, 0))}`;
		return `${this.title}: ${parts.join(', ')}${elapsed}${this.#pulls?.textFor(this.pods()) ?? ''}`;
	}

	/** All Pods that were seen, also those that were deleted since: their failures are part of the outcome. */
	pods(): readonly Pod[] {
		return this.#followedPods.all();
	}

	/** Compares the informer with a list: an empty informer alone does not prove that no Pod exists. */
	async podsGone(): Promise<void> {
		for (;;) {
			while ([...this.#informer.all()].length > 0) {
				this.#changed = Promise.withResolvers<void>();
				await this.#changed.promise;
			}
			// The Job controller may have created a Pod that the watch has not delivered yet.
			const { items, metadata } = await this.#source.list({ labelSelector: this.#selector });
			if (items.length === 0) return;
			if (!(await this.#informer.reached(metadata.resourceVersion))) return;
		}
	}

	/**
	 * What the Job does after a failure. Undefined for the failure that ends the Job, which the outcome reports.
	 */
	#afterFailure(): string | undefined {
		const now = this.#options.clock.now();
		const next = nextAttempt(this.#job, this.pods(), now);
		if (next.type === 'ends') return undefined;
		if (next.type === 'continues') return 'the Job continues with its other Pods';
		return next.ms === 0
			? 'the Job retries now'
			: `the Job retries in ${humanDuration(Math.ceil(next.ms / 1000) * 1000)}`;
	}

	/**
	 * Reports why the Job gets no Pods. Only Events contain the cause, since a rejected Pod does not exist and
	 * the Job's status does not name it. Errors of this watch are ignored: a user may not be allowed to read
	 * Events, and the two other watches report a server that cannot be reached.
	 */
	#followRefusals(): void {
		const { connection, clock, created, signal, screen } = this.#options;
		const { namespace, uid, resourceVersion = '' } = this.#job.metadata;
		const informer = new Informer(connection.client.resource(events, namespace), {
			clock,
			onError: () => undefined,
			narrow: { fieldSelector: `involvedObject.uid=${uid},reason=${FAILED_CREATE}` },
			...(created && { from: { resourceVersion, objects: [] } }),
		});
		informer.subscribe((event) => {
			if (!event) return;
			const { key, text } = jobNoticeOf(event);
			if (this.#reported.has(key)) return;
			this.#reported.add(key);
			screen.report(text);
		});
		void informer.run(signal);
	}

	/** A deleted Pod only wakes podsGone: its last state was observed before. */
	#observePod(pod: Pod | undefined): void {
		if (pod) this.#followedPods.observe(pod);
		// A deadline ends the Job.
		if (pod && this.#job.spec.activeDeadlineSeconds === undefined) this.#stuck ??= neverStarts(pod);
		if (this.#stuck) this.#finished.resolve(this.#job);
		this.#changed.resolve();
	}

	/** `job` is undefined if the Job was deleted, or replaced by another one of the same name. */
	#observeJob(job: Job | undefined): void {
		if (job) {
			this.#job = job;
			this.#reportFailureTarget(job);
		}
		if (!job || terminalCondition(job)) this.#finished.resolve(job);
		this.#options.onProgress();
	}

	/** The controller has decided that the Job fails, and waits until its Pods have ended: that may take their grace period. */
	#reportFailureTarget({ status }: Job): void {
		const target = findCondition(status.conditions, 'FailureTarget');
		const isWaiting = (status.active ?? 0) + (status.terminating ?? 0) > 0;
		if (target?.status !== 'True' || !isWaiting || this.#reported.has(target.type)) return;
		this.#reported.add(target.type);
		const { reason = '', message = '' } = target;
		this.#options.screen.report(
			`${this.title}: ${reason}${message && `: ${message}`}; waiting until its Pods have ended`,
		);
	}

	/** Waits for the end of the Job, then for the logs of its Pods, so that the outcome is printed below them. */
	async #awaitOutcome(): Promise<RunOutcome> {
		const job = await this.#finished.promise;
		// The watch of the Pods may be behind that of the Job, so list the Pods once more before the outcome.
		const last = await this.#source.list({ labelSelector: this.#selector }).catch(() => undefined);
		for (const pod of last?.items ?? []) this.#followedPods.observe(pod);
		// The logs of its other containers may never end.
		if (!this.#stuck) await this.#followedPods.drained();
		this.#over = true;
		this.#options.onProgress();
		return this.#outcome(job ?? this.#job);
	}

	/** A deleted Job is judged by its last observed conditions: it may have finished just before its deletion. */
	#outcome(job: Job): RunOutcome {
		const condition = terminalCondition(job);
		if (!condition && this.#stuck) return stuckOutcome(this.title, this.#stuck);
		if (!condition) return { verdict: 'deleted', text: `${this.title} was deleted`, exitCode: 1 };
		const took = durationText(job, condition);
		if (condition.type === 'Complete')
			return { verdict: 'complete', text: `${this.title} complete${took}`, exitCode: 0 };
		const failures = failuresOf(this.pods());
		const { reason, message } = condition;
		const digest = failuresText(failures, (failure) => this.#followedPods.lastLines(failure));
		return {
			verdict: 'failed',
			text: `${this.title} failed${took}: ${reason}${message ? `: ${message}` : ''}\n${digest}`.trimEnd(),
			exitCode: exitCodeOf(failures[0]?.exitCode),
		};
	}
}

/**
 * The exit code of `run` for a container that failed with `code`: that code if a process can exit with it,
 * else 1.
 */
export function exitCodeOf(code: number | undefined): number {
	return code !== undefined && code >= 1 && code <= 255 ? code : 1;
}

/** ` after 5s`. A failed Job has no completionTime, so the time of its condition is used. */
function durationText({ status }: Job, condition: JobCondition): string {
	const started = timeOf(status.startTime);
	const ended = timeOf(status.completionTime ?? condition.lastTransitionTime);
	return started === undefined || ended === undefined ? '' : ` after ${humanDuration(ended - started)}`;
}
