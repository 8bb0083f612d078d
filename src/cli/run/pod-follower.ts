import { pods } from '../../api/core/pod/definition.ts';
import { hasEnded, isFinalPhase } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { Informer } from '../../client/informer.ts';
import { neverStarts } from '../../plan/pod/never-starts.ts';
import { failuresOf, failuresText } from './failures.ts';
import { FollowedPods } from './followed-pods.ts';
import { type Follower, type FollowerOptions, type RunOutcome, stuckOutcome } from './follower.ts';
import { exitCodeOf } from './job-follower.ts';
import { ImagePulls } from './notices/image-pulls.ts';

/** Follows a Pod without a Job until it has succeeded or failed, or is deleted. */
export class PodFollower implements Follower {
	readonly title: string;
	readonly ended: Promise<RunOutcome>;
	readonly #followed: FollowedPods;
	readonly #onProgress: () => void;
	/** Undefined without a status line. */
	readonly #pulls: ImagePulls | undefined;
	#pod: Pod;
	#finished = Promise.withResolvers<Pod | undefined>();
	#gone = Promise.withResolvers<void>();

	/** Starts following at once. `pod` is the object that the server returned for the create or patch. */
	constructor(pod: Pod, options: FollowerOptions) {
		const { connection, clock, created, signal, onError, onProgress } = options;
		const { name = '', namespace, uid, resourceVersion = '' } = pod.metadata;
		this.title = `pod/${name}`;
		this.#pod = pod;
		this.#onProgress = onProgress;
		// The outcome reports the failure that ended the Pod.
		this.#followed = new FollowedPods({ ...options, afterFailure: () => undefined });
		// A Pod that this run created is followed from its creation: it may be deleted before a first list.
		const informer = new Informer(connection.client.resource(pods, namespace), {
			clock,
			onError,
			narrow: { fieldSelector: `metadata.name=${name}` },
			...(created && { from: { resourceVersion, objects: [pod] } }),
		});
		informer.subscribe((now) => this.#observe(now?.metadata.uid === uid ? now : undefined));
		// A list that is empty calls no handler: the Pod was deleted before it was first seen.
		void informer.synced.then((isSynced) => {
			if (isSynced && informer.get(namespace ?? '', name)?.metadata.uid !== uid) this.#observe(undefined);
		});
		void informer.run(signal);
		if (options.screen.hasStatus)
			this.#pulls = new ImagePulls({ ...options, metadata: pod.metadata, onChange: onProgress });
		this.ended = this.#awaitOutcome();
	}

	/** `pod/x: Pending, pulling nginx`. */
	progress(): string | undefined {
		const { phase = 'Pending' } = this.#pod.status;
		if (isFinalPhase(phase)) return undefined;
		return `${this.title}: ${phase}${this.#pulls?.textFor([this.#pod]) ?? ''}`;
	}

	/** Every version of the Pod is the same Pod: a Pod without a controller is never replaced. */
	pods(): readonly Pod[] {
		return this.#followed.all();
	}

	/** The Pod itself; no list is needed, as nothing creates it again. */
	podsGone(): Promise<void> {
		return this.#gone.promise;
	}

	/** `pod` is undefined if the Pod was deleted, or replaced by another one of the same name. */
	#observe(pod: Pod | undefined): void {
		if (pod) {
			this.#pod = pod;
			this.#followed.observe(pod);
			if (hasEnded(pod) || neverStarts(pod)) this.#finished.resolve(pod);
		} else {
			this.#finished.resolve(undefined);
			this.#gone.resolve();
		}
		this.#onProgress();
	}

	/** Waits for the end of the Pod, then for its logs, so that the outcome is printed below them. */
	async #awaitOutcome(): Promise<RunOutcome> {
		const pod = await this.#finished.promise;
		const stuck = pod && !hasEnded(pod) ? neverStarts(pod) : undefined;
		// The logs of its other containers may never end.
		if (stuck) return stuckOutcome(this.title, stuck);
		await this.#followed.drained();
		if (!pod) return { verdict: 'deleted', text: `${this.title} was deleted`, exitCode: 1 };
		if (pod.status.phase === 'Succeeded')
			return { verdict: 'complete', text: `${this.title} succeeded`, exitCode: 0 };
		// The first line of the text already has the reason of a Pod that failed without a failed container.
		const failures = failuresOf([pod]).filter(({ container }) => container !== undefined);
		const { reason, message } = pod.status;
		const why = reason ? `: ${reason}${message ? `: ${message}` : ''}` : '';
		const digest = failuresText(failures, (failure) => this.#followed.lastLines(failure));
		return {
			verdict: 'failed',
			text: `${this.title} failed${why}\n${digest}`.trimEnd(),
			exitCode: exitCodeOf(failures[0]?.exitCode),
		};
	}
}
