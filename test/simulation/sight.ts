import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
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
	readonly #jobs = new Views<Job>();
	readonly #cronJobs = new Views<CronJob>();
	readonly #endedPods = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** The process is shown an object: by a list or a watch, or because it asked for this very one. */
	see(object: KubeObject, how: 'shown' | 'asked' = 'shown'): void {
		const { uid = '' } = object.metadata;
		const at = this.#clock.now();
		// The kind says what it is.
		if (object.kind === 'Job') this.#jobs.add(uid, { at, how, object: object as unknown as Job });
		else if (object.kind === 'CronJob')
			this.#cronJobs.add(uid, { at, how, object: object as unknown as CronJob });
		else if (object.kind === 'Pod' && hasEnded(object as unknown as Pod) && !this.#endedPods.has(uid))
			this.#endedPods.set(uid, at);
	}

	/** The versions of a Job that a decision made at `since` or later can have been made from. */
	jobSince(uid: string, since: number): readonly Job[] {
		return this.#jobs.since(uid, since);
	}

	/** The same of a CronJob. */
	cronJobSince(uid: string, since: number): readonly CronJob[] {
		return this.#cronJobs.since(uid, since);
	}

	/** When the process was first shown the Job, if it was. */
	sawJob(uid: string): number | undefined {
		return this.#jobs.first(uid);
	}

	/** When the process first saw that the Pod has ended, if it did. */
	sawEndOf(podUid: string): number | undefined {
		return this.#endedPods.get(podUid);
	}
}

/** An object as the process saw it. */
interface View<T> {
	readonly at: number;
	readonly how: 'shown' | 'asked';
	readonly object: T;
}

/** All that was seen of the objects of one kind, by UID and in order. */
class Views<T> {
	readonly #views = new Map<string, View<T>[]>();

	add(uid: string, view: View<T>): void {
		const views = this.#views.get(uid) ?? [];
		views.push(view);
		this.#views.set(uid, views);
	}

	/** What is shown replaces what was shown before; what was asked for may be newer than that, and is not kept. */
	since(uid: string, since: number): readonly T[] {
		const views = this.#views.get(uid) ?? [];
		const kept = views.findLast(({ at, how }) => at < since && how === 'shown');
		const later = views.filter((view) => view === kept || view.at >= since);
		return later.map(({ object }) => object);
	}

	first(uid: string): number | undefined {
		return this.#views.get(uid)?.find(({ how }) => how === 'shown')?.at;
	}
}
