/**
 * The passes of a controller that end with a Conflict: their decision came from a version of the object that was
 * no longer the newest. A retry from the same version would meet the same Conflict, so the next pass waits until
 * the informer shows another version. The backoff limits the wait, because a Conflict may be about another object
 * than the key's, and the informer may have lost its connection.
 *
 * 1. If the informer shows another version already, the pass is repeated at once.
 * 2. The first Conflict of a version is not an error: two writers have met. A second one of the same version, after
 *    the backoff, is reported.
 */

import { isApiError } from '../api/errors/api-error.ts';
import { isSameVersion, type KubeObject } from '../api/meta/object-meta.ts';
import { again, BACKOFF, type Outcome } from '../base/queue/reconcile-loop.ts';
import { type Informer, keyOfObject, splitKey } from './informer.ts';

/** The cache with the objects that a controller's keys stand for. */
export interface Subjects {
	/** Resolves as {@link Informer.synced} does. */
	readonly synced: Promise<boolean>;
	/** Kind and metadata of the object of `key` in the cache; undefined if it has none. */
	find(key: string): KubeObject | undefined;
	/** Calls `changed` for each change, with a function that returns the key of the object. */
	subscribe(changed: (key: () => string) => void): void;
}

/** How {@link subjectsIn} finds the object of a key, if the key is not its namespace and name. */
export interface SubjectKeys {
	keyOf(object: KubeObject): string;
	find(key: string): KubeObject | undefined;
}

/** The objects of `informer`; `keys` by default are those of {@link keyOfObject}. */
export function subjectsIn<T extends KubeObject>(
	informer: Pick<Informer<T>, 'synced' | 'subscribe' | 'metadataOf'>,
	keys: SubjectKeys = {
		keyOf: keyOfObject,
		find: (key) => {
			const { namespace, name } = splitKey(key);
			return informer.metadataOf(namespace, name);
		},
	},
): Subjects {
	return {
		synced: informer.synced,
		find: (key) => keys.find(key),
		subscribe: (changed) =>
			informer.subscribe((object, old) => {
				const one = object ?? old;
				if (one) changed(() => keys.keyOf(one));
			}),
	};
}

/** See the header of this file. */
export class Conflicts {
	readonly #subjects: Subjects;
	/** The keys whose last pass ended with a Conflict, each with the version that it began with. */
	readonly #versions = new Map<string, KubeObject>();

	constructor(subjects: Subjects) {
		this.#subjects = subjects;
	}

	/** Calls `add` with each key whose object changes after a Conflict. */
	subscribe(add: (key: string) => void): void {
		this.#subjects.subscribe((keyOf) => {
			// Nearly always: the key of every change would be made for nothing.
			if (this.#versions.size === 0) return;
			const key = keyOf();
			const version = this.#versions.get(key);
			if (version && !isSameVersion(this.#subjects.find(key), version)) add(key);
		});
	}

	/** Runs a pass over `key`. Resolves and rejects as it does, except for a Conflict: see the header of this file. */
	async pass(key: string, reconcile: (key: string) => Promise<Outcome>): Promise<Outcome> {
		const earlier = this.#versions.get(key);
		const version = this.#subjects.find(key);
		this.#versions.delete(key);
		try {
			return await reconcile(key);
		} catch (error) {
			if (!version || !isApiError(error, 'Conflict')) throw error;
			if (!isSameVersion(this.#subjects.find(key), version)) return again(0);
			this.#versions.set(key, version);
			if (earlier && isSameVersion(earlier, version)) throw error;
			return BACKOFF;
		}
	}
}
