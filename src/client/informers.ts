import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { Clock } from '../base/clock.ts';
import { runTogether } from '../base/queue/run-together.ts';
import type { Random } from '../base/random.ts';
import type { Client } from './client.ts';
import { Informer } from './informer.ts';
import type { Indexes } from './object-indexes.ts';

/** The name of the index by the object's own UID, which every informer of {@link Informers} has. */
export const BY_UID = 'uid';

/** The name of the index by the UIDs of the object's owners, which every informer of {@link Informers} has. */
export const BY_OWNER = 'owner';

/**
 * One informer for each resource, shared by all components of a process, as client-go's
 * SharedInformerFactory.
 */
export class Informers {
	readonly #options: InformersOptions;
	readonly #made = new Map<string, Informer<KubeObject>>();

	constructor(options: InformersOptions) {
		this.#options = options;
	}

	/**
	 * The informer of a resource, which has `indexes` in addition to the two that every informer has and those
	 * of the other callers. The first call for a resource creates it, and must precede {@link run}.
	 */
	of<T extends KubeObject>(definition: ResourceDefinition<T>, indexes: Indexes<T> = {}): Informer<T> {
		const key = `${definition.group}/${definition.resource}`;
		const known = this.#made.get(key);
		if (known) {
			// Each resource has one type of object, so the informer of this key has the type T.
			const shared = known as unknown as Informer<T>;
			shared.addIndexes(indexes);
			return shared;
		}
		const { client, clock, random, onError } = this.#options;
		const informer = new Informer<T>(client.resource(definition), {
			clock,
			random,
			indexes: { [BY_UID]: uidOf, [BY_OWNER]: ownerUidsOf, ...indexes },
			onError: (error) => onError(key, error),
		});
		this.#made.set(key, informer as unknown as Informer<KubeObject>);
		return informer;
	}

	/** Runs all informers until `signal` aborts. If one fails, stops the others and rejects with its error. */
	async run(signal: AbortSignal): Promise<void> {
		const works = [...this.#made.values()].map((informer) => (stop: AbortSignal) => informer.run(stop));
		await runTogether(works, signal);
	}

	/** Resolves to true once all informers have their first list, or to false if one stops before that. */
	synced(): Promise<boolean> {
		return allSynced([...this.#made.values()]);
	}
}

/** The dependencies of {@link Informers}. */
export interface InformersOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	/**
	 * Called with `group/resource` and the error of each failed list or watch, and of each handler that throws.
	 */
	readonly onError: (resource: string, error: unknown) => void;
}

/** Resolves to true once all of `informers` have their first list, or to false if one stops before that. */
export async function allSynced(
	informers: readonly { readonly synced: Promise<boolean> }[],
): Promise<boolean> {
	return (await Promise.all(informers.map(({ synced }) => synced))).every((synced) => synced);
}

function uidOf({ metadata }: KubeObject): readonly string[] {
	return metadata.uid ? [metadata.uid] : [];
}

function ownerUidsOf({ metadata }: KubeObject): readonly string[] {
	return metadata.ownerReferences?.map((owner) => owner.uid) ?? [];
}
