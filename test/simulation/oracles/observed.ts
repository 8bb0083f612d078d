import type { CronJob } from '../../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../../src/api/batch/job/schema.ts';
import type { Lease } from '../../../src/api/coordination/lease/schema.ts';
import type { Node } from '../../../src/api/core/node/schema.ts';
import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import { findCondition } from '../../../src/api/meta/conditions.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import type { Clock } from '../../../src/base/clock.ts';

/**
 * How a process obtained a version of an object. The answer to a direct GET can be newer than the informer's
 * cache: the controller uses it for one decision and does not keep it. The version in the answer to its own
 * write is one that the controller waits for in its cache.
 */
export type ObservedBy = 'list or watch' | 'direct read' | 'own write';

/**
 * Every version of an object that a process has received, through lists, watches and answers. The oracles
 * judge a controller by what it could know: it may act on the old parallelism of a Job until its watch has
 * delivered the new one.
 */
export class Observed {
	readonly #clock: Clock;
	readonly #jobs = new Views<Job>();
	readonly #cronJobs = new Views<CronJob>();
	/** By name: Pods refer to their Node by name, and the oracles ask with that. */
	readonly #nodes = new Views<Node>();
	/** When the process received each distinct heartbeat of a node agent, by the name of the node. */
	readonly #heartbeats = new Map<string, { readonly at: number; readonly sign: string }[]>();
	readonly #knownJobs = new Map<string, number>();
	/** When the process first received an object with an owner, by the UIDs of both. */
	readonly #owned = new Map<string, number>();
	readonly #endedPods = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Records that the process has received this version of an object. */
	add(object: KubeObject, how: ObservedBy = 'list or watch'): void {
		const { uid = '', name = '' } = object.metadata;
		const at = this.#clock.now();
		if (object.kind === 'Job' && how !== 'direct read' && !this.#knownJobs.has(uid))
			this.#knownJobs.set(uid, at);
		for (const owner of how === 'list or watch' ? (object.metadata.ownerReferences ?? []) : []) {
			const key = `${uid} of ${owner.uid}`;
			if (!this.#owned.has(key)) this.#owned.set(key, at);
		}
		// The casts are safe: `kind` determines the type.
		if (object.kind === 'Job') this.#jobs.add(uid, { at, how, object: object as unknown as Job });
		else if (object.kind === 'CronJob')
			this.#cronJobs.add(uid, { at, how, object: object as unknown as CronJob });
		else if (object.kind === 'Node') this.#addNode(name, { at, how, object: object as unknown as Node });
		else if (object.kind === 'Lease')
			this.#addHeartbeat(name, `${(object as unknown as Lease).spec.renewTime}`);
		else if (object.kind === 'Pod' && hasEnded(object as unknown as Pod) && !this.#endedPods.has(uid))
			this.#endedPods.set(uid, at);
	}

	/** The versions of a Job that the process can have used for a decision at `since` or later. */
	jobSince(uid: string, since: number): readonly Job[] {
		return this.#jobs.since(uid, since);
	}

	/** The versions of a CronJob that the process can have used for a decision at `since` or later. */
	cronJobSince(uid: string, since: number): readonly CronJob[] {
		return this.#cronJobs.since(uid, since);
	}

	/** The versions of a Node that the process can have used for a decision at `since` or later. */
	nodeSince(name: string, since: number): readonly Node[] {
		return this.#nodes.since(name, since);
	}

	/** When the process received heartbeats of the node's agent (Lease or Ready condition), in order. */
	heartbeatsOf(nodeName: string): readonly number[] {
		return (this.#heartbeats.get(nodeName) ?? []).map(({ at }) => at);
	}

	/** When the process first received the Job; undefined if it has not. */
	knewJob(uid: string): number | undefined {
		return this.#knownJobs.get(uid);
	}

	/** When the process first received the object with this owner; undefined if it has not. */
	sawOwned(uid: string, ownerUid: string): number | undefined {
		return this.#owned.get(`${uid} of ${ownerUid}`);
	}

	/** When the process first received the Pod in a terminal phase; undefined if it has not. */
	sawEndOf(podUid: string): number | undefined {
		return this.#endedPods.get(podUid);
	}

	#addNode(name: string, view: View<Node>): void {
		this.#nodes.add(name, view);
		const { metadata, status } = view.object;
		const heartbeat = findCondition(status.conditions, 'Ready')?.lastHeartbeatTime;
		this.#addHeartbeat(name, `${metadata.uid} ${heartbeat}`);
	}

	#addHeartbeat(nodeName: string, sign: string): void {
		const heartbeats = this.#heartbeats.get(nodeName) ?? [];
		if (!heartbeats.some((each) => each.sign === sign)) heartbeats.push({ at: this.#clock.now(), sign });
		this.#heartbeats.set(nodeName, heartbeats);
	}
}

/** One version of an object, as the process received it. */
interface View<T> {
	readonly at: number;
	readonly how: ObservedBy;
	readonly object: T;
}

/** All versions of the objects of one kind that the process has received, by UID (of Nodes: by name). */
class Views<T extends KubeObject> {
	readonly #views = new Map<string, View<T>[]>();

	add(uid: string, view: View<T>): void {
		const views = this.#views.get(uid) ?? [];
		views.push(view);
		this.#views.set(uid, views);
	}

	since(uid: string, since: number): readonly T[] {
		const views = this.#views.get(uid) ?? [];
		const before = views.filter(({ at, how }) => at < since && how !== 'direct read');
		const known = before.toSorted((a, b) => versionOf(a) - versionOf(b)).at(-1);
		// The answer to a write can arrive before the watch has delivered the versions before it.
		const later = views.filter((view) => view.at >= since && (!known || versionOf(view) >= versionOf(known)));
		return [...(known ? [known] : []), ...later].map(({ object }) => object);
	}
}

function versionOf({ object }: View<KubeObject>): number {
	return Number(object.metadata.resourceVersion);
}
