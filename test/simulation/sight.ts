import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import type { Clock } from '../../src/base/clock.ts';
import { hasEnded } from '../../src/plan/job/classify.ts';

/**
 * What a process has been shown so far, by lists and by events. A controller can only be held to what it
 * could know: a Job that was scaled down is another Job for it once it has heard of that.
 */
export class Sight {
	readonly #clock: Clock;
	readonly #jobs = new Map<string, { readonly at: number; readonly job: Job }[]>();
	readonly #endedPods = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** The process is shown an object. */
	see(object: KubeObject): void {
		const { uid = '' } = object.metadata;
		const at = this.#clock.now();
		if (object.kind === 'Job') {
			const seen = this.#jobs.get(uid) ?? [];
			// The kind says what it is.
			seen.push({ at, job: object as unknown as Job });
			this.#jobs.set(uid, seen);
		} else if (object.kind === 'Pod' && hasEnded(object as unknown as Pod) && !this.#endedPods.has(uid)) {
			this.#endedPods.set(uid, at);
		}
	}

	/** The versions of a Job that a decision made at `since` or later can have been made from. */
	jobSince(uid: string, since: number): readonly Job[] {
		const seen = this.#jobs.get(uid) ?? [];
		const first = seen.findLastIndex(({ at }) => at < since);
		return seen.slice(Math.max(first, 0)).map(({ job }) => job);
	}

	/** When the process first saw that the Pod has ended, if it did. */
	sawEndOf(podUid: string): number | undefined {
		return this.#endedPods.get(podUid);
	}
}
