import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { runTogether } from '../base/run-together.ts';
import type { Client } from './client.ts';
import { Informer } from './informer.ts';

/** Ways to file objects for look-ups; see {@link Informer.indexed}. */
export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** The index of {@link Informers} that files each object under its own UID. */
export const BY_UID = 'uid';

/** The index of {@link Informers} that files each object under the UIDs of its owners. */
export const BY_OWNER = 'owner';

/** One informer per resource, shared by all components of a process. */
export class Informers {
	readonly #options: InformersOptions;
	readonly #made = new Map<string, Informer<KubeObject>>();

	constructor(options: InformersOptions) {
		this.#options = options;
	}

	/**
	 * The informer of a resource. Whoever asks first may add `indexes` to the two that every informer
	 * has; all must be asked for before {@link run}.
	 */
	of<T extends KubeObject>(definition: ResourceDefinition<T>, indexes: Indexes<T> = {}): Informer<T> {
		const key = `${definition.group}/${definition.resource}`;
		const known = this.#made.get(key);
		// The key names the resource, and each resource has one type of object.
		if (known) return known as unknown as Informer<T>;
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

	/** Runs all of them until `signal` aborts; if one fails, ends all and rejects with its error. */
	async run(signal: AbortSignal): Promise<void> {
		const works = [...this.#made.values()].map((informer) => (stop: AbortSignal) => informer.run(stop));
		await runTogether(works, signal);
	}

	/** Resolves to true once each has its first list, or to false once one of them has been stopped before. */
	synced(): Promise<boolean> {
		return allSynced([...this.#made.values()]);
	}
}

/** What {@link Informers} are made of. */
export interface InformersOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	/** Told which resource's list or watch failed, before it is tried again, or of which a handler threw. */
	readonly onError: (resource: string, error: unknown) => void;
}

/** Resolves to true once all of `informers` have their first list, or to false once one was stopped before. */
export async function allSynced(
	informers: readonly Pick<Informer<KubeObject>, 'synced'>[],
): Promise<boolean> {
	return (await Promise.all(informers.map(({ synced }) => synced))).every((synced) => synced);
}

function uidOf({ metadata }: KubeObject): readonly string[] {
	return metadata.uid ? [metadata.uid] : [];
}

function ownerUidsOf({ metadata }: KubeObject): readonly string[] {
	return metadata.ownerReferences?.map((owner) => owner.uid) ?? [];
}
