import type { KubeObject } from './object-meta.ts';

/**
 * Where an object can be had again. A server in this process keeps each object encoded, in memory or on
 * disk, which takes a third of the memory of the object itself; a reader that holds the source rather
 * than the object gets an equal one each time it asks.
 */
export interface ObjectSource<T extends KubeObject = KubeObject> {
	/** The object, decoded if nothing else in the process has it. Throws if it can no longer be read. */
	readonly object: T;
}

const sources = new WeakMap<KubeObject, ObjectSource>();

/** Records where `object` can be had again. */
export function setSource(object: KubeObject, source: ObjectSource): void {
	sources.set(object, source);
}

/** Where `object` can be had again; undefined for one that came over a connection, or was never stored. */
export function sourceOf<T extends KubeObject>(object: T): ObjectSource<T> | undefined {
	// A source gives objects equal to the one that it was recorded for.
	return sources.get(object) as ObjectSource<T> | undefined;
}
