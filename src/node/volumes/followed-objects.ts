/**
 * Local copies of the objects of one resource that the Pods of a node name, each kept up to date by a watch of that object
 * alone, after the kubelet's watch-based manager (pkg/kubelet/util/manager). A node must not read all Secrets of a
 * namespace to know one.
 *
 * 1. An object is watched from the first Pod that names it until the last one is forgotten; all of them share the watch.
 * 2. `changed` is called for each of these Pods after the copy has changed, for a deletion and a creation too.
 */
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import { Informer, keyOf } from '../../client/informer.ts';

/** The name of one object. `namespace` is empty for a cluster-scoped object. */
export interface ObjectName {
	readonly namespace: string;
	readonly name: string;
}

/** The components of {@link FollowedObjects}. */
export interface FollowedObjectsOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	/** Called with the UID of a Pod that named an object, after that has changed. */
	changed(podUid: string): void;
	readonly onError: (about: string, error: unknown) => void;
}

interface Entry<T extends KubeObject> {
	readonly informer: Informer<T>;
	readonly stop: AbortController;
	readonly podUids: Set<string>;
	/** Whether the first list has arrived: what it brings is no change, unless a read has not waited for it. */
	isSynced: boolean;
	hasLateRead: boolean;
	/** The reads that wait for it. */
	readonly waits: Set<(isSynced: boolean) => void>;
}

/** How long a read waits for the first list, as upstream's. */
const SYNC_TIMEOUT_MS = 1000;

/** See the header of this file. */
export class FollowedObjects<T extends KubeObject> {
	readonly #definition: ResourceDefinition<T>;
	readonly #options: FollowedObjectsOptions;
	readonly #entries = new Map<string, Entry<T>>();
	/** By Pod UID, the keys of its objects. */
	readonly #ofPods = new Map<string, Set<string>>();

	constructor(definition: ResourceDefinition<T>, options: FollowedObjectsOptions) {
		this.#definition = definition;
		this.#options = options;
	}

	/** Follows the object for the Pod until {@link forget}. */
	follow(podUid: string, object: ObjectName): void {
		const key = keyOf(object.namespace, object.name);
		const keys = this.#ofPods.get(podUid) ?? new Set<string>();
		this.#ofPods.set(podUid, keys.add(key));
		const entry = this.#entries.get(key) ?? this.#start(key, object);
		entry.podUids.add(podUid);
	}

	/** Ends the watches that only this Pod needed. */
	forget(podUid: string): void {
		for (const key of this.#ofPods.get(podUid) ?? []) {
			const entry = this.#entries.get(key);
			entry?.podUids.delete(podUid);
			if (!entry || entry.podUids.size > 0) continue;
			this.#entries.delete(key);
			entry.stop.abort();
		}
		this.#ofPods.delete(podUid);
	}

	/**
	 * The object, which a Pod must follow; undefined if it does not exist. Rejects with upstream's message if the API
	 * server does not answer in time.
	 */
	async read({ namespace, name }: ObjectName): Promise<T | undefined> {
		const entry = this.#entries.get(keyOf(namespace, name));
		assert(entry, `${this.#definition.resource} ${keyOf(namespace, name)} is not followed`);
		if (!entry.isSynced && !(await this.#isSynced(entry))) {
			entry.hasLateRead = true;
			const kind = this.#definition.singular;
			throw new Error(`failed to sync ${kind} cache: timed out waiting for the condition`);
		}
		return entry.informer.get(namespace, name);
	}

	/** Ends all watches. */
	stop(): void {
		for (const podUid of [...this.#ofPods.keys()]) this.forget(podUid);
	}

	#start(key: string, { namespace, name }: ObjectName): Entry<T> {
		const { client, clock, random, onError } = this.#options;
		const report = (error: unknown): void => onError(`${this.#definition.resource} ${key}`, error);
		const informer = new Informer<T>(client.resource(this.#definition, namespace), {
			clock,
			random,
			narrow: { fieldSelector: `metadata.name=${escaped(name)}` },
			onError: report,
		});
		const entry: Entry<T> = {
			informer,
			stop: new AbortController(),
			podUids: new Set(),
			isSynced: false,
			hasLateRead: false,
			waits: new Set(),
		};
		this.#entries.set(key, entry);
		const tell = (): void => {
			for (const podUid of [...entry.podUids]) this.#options.changed(podUid);
		};
		informer.subscribe(() => {
			if (entry.isSynced) tell();
		});
		void informer.synced.then((isSynced) => {
			entry.isSynced = isSynced;
			for (const settle of [...entry.waits]) settle(isSynced);
			if (isSynced && entry.hasLateRead) tell();
		});
		informer.run(entry.stop.signal).catch(report);
		return entry;
	}

	/** Resolves to true once the first list has arrived, or to false after a time. */
	#isSynced({ waits }: Entry<T>): Promise<boolean> {
		return new Promise((resolve) => {
			const settle = (isSynced: boolean): void => {
				timer.cancel();
				waits.delete(settle);
				resolve(isSynced);
			};
			const timer = this.#options.clock.setTimer(SYNC_TIMEOUT_MS, () => settle(false));
			waits.add(settle);
		});
	}
}

/** The value in a field selector: a volume may name an object by a text that is no valid name. */
function escaped(value: string): string {
	return value.replace(/[\\,=]/g, '\\$&');
}
