import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Lease } from '../../src/api/coordination/lease/schema.ts';
import type { Node } from '../../src/api/core/node/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import type { Clock } from '../../src/base/clock.ts';
import { hasEnded } from '../../src/plan/job/classify.ts';

/**
 * How a process came to see an object. What it asked for may be newer than what it is shown; it decides
 * from that and forgets it. What it is told to have written it waits for.
 */
export type SeenBy = 'list or watch' | 'question' | 'own write';

/**
 * What a process has been shown so far, by lists and by events. A controller can only be held to what it
 * could know: a Job that was scaled down is another Job for it once it has heard of that.
 */
export class Sight {
	readonly #clock: Clock;
	readonly #jobs = new Views<Job>();
	readonly #cronJobs = new Views<CronJob>();
	/** By name: who knows a Node knows its name. */
	readonly #nodes = new Views<Node>();
	/** When the agents of nodes were heard of, by the name of the node. */
	readonly #heard = new Map<string, { readonly at: number; readonly sign: string }[]>();
	readonly #knownJobs = new Map<string, number>();
	/** When an object was first shown with an owner, by the UIDs of both. */
	readonly #owned = new Map<string, number>();
	readonly #endedPods = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** The process is shown an object. */
	see(object: KubeObject, how: SeenBy = 'list or watch'): void {
		const { uid = '', name = '' } = object.metadata;
		const at = this.#clock.now();
		if (object.kind === 'Job' && how !== 'question' && !this.#knownJobs.has(uid))
			this.#knownJobs.set(uid, at);
		for (const owner of how === 'list or watch' ? (object.metadata.ownerReferences ?? []) : []) {
			const key = `${uid} of ${owner.uid}`;
			if (!this.#owned.has(key)) this.#owned.set(key, at);
		}
		// The kind says what it is.
		if (object.kind === 'Job') this.#jobs.add(uid, { at, how, object: object as unknown as Job });
		else if (object.kind === 'CronJob')
			this.#cronJobs.add(uid, { at, how, object: object as unknown as CronJob });
		else if (object.kind === 'Node') this.#seeNode(name, { at, how, object: object as unknown as Node });
		else if (object.kind === 'Lease') this.#hear(name, `${(object as unknown as Lease).spec.renewTime}`);
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

	/** The same of a Node. */
	nodeSince(name: string, since: number): readonly Node[] {
		return this.#nodes.since(name, since);
	}

	/** When the process was shown a sign of life of the node's agent, in order. */
	heardOf(nodeName: string): readonly number[] {
		return (this.#heard.get(nodeName) ?? []).map(({ at }) => at);
	}

	/** Since when the process knows the Job, if it does. */
	knewJob(uid: string): number | undefined {
		return this.#knownJobs.get(uid);
	}

	/** When the process was first shown the object with this owner, if it was. */
	sawOwned(uid: string, ownerUid: string): number | undefined {
		return this.#owned.get(`${uid} of ${ownerUid}`);
	}

	/** When the process first saw that the Pod has ended, if it did. */
	sawEndOf(podUid: string): number | undefined {
		return this.#endedPods.get(podUid);
	}

	#seeNode(name: string, view: View<Node>): void {
		this.#nodes.add(name, view);
		const { metadata, status } = view.object;
		const heartbeat = status.conditions?.find(({ type }) => type === 'Ready')?.lastHeartbeatTime;
		this.#hear(name, `${metadata.uid} ${heartbeat}`);
	}

	#hear(nodeName: string, sign: string): void {
		const heard = this.#heard.get(nodeName) ?? [];
		if (!heard.some((each) => each.sign === sign)) heard.push({ at: this.#clock.now(), sign });
		this.#heard.set(nodeName, heard);
	}
}

/** An object as the process saw it. */
interface View<T> {
	readonly at: number;
	readonly how: SeenBy;
	readonly object: T;
}

/** All that was seen of the objects of one kind, by UID. */
class Views<T extends KubeObject> {
	readonly #views = new Map<string, View<T>[]>();

	add(uid: string, view: View<T>): void {
		const views = this.#views.get(uid) ?? [];
		views.push(view);
		this.#views.set(uid, views);
	}

	since(uid: string, since: number): readonly T[] {
		const views = this.#views.get(uid) ?? [];
		const before = views.filter(({ at, how }) => at < since && how !== 'question');
		const known = before.toSorted((a, b) => versionOf(a) - versionOf(b)).at(-1);
		// An answer to a write may come before the watch tells of the versions up to it.
		const later = views.filter((view) => view.at >= since && (!known || versionOf(view) >= versionOf(known)));
		return [...(known ? [known] : []), ...later].map(({ object }) => object);
	}
}

function versionOf({ object }: View<KubeObject>): number {
	return Number(object.metadata.resourceVersion);
}
