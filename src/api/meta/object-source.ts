import type { KubeObject } from './object-meta.ts';

/**
 * A handle by which an object can be read again. A server in this process keeps each object encoded, in
 * memory or on disk, which takes a third of the memory of the object itself. A reader that keeps the handle
 * instead of the object gets an equal object from each read.
 */
export interface ObjectSource<T extends KubeObject = KubeObject> {
	/** The object. Decoded again, unless it is still in memory. Throws if the store can no longer read it. */
	readonly object: T;
}

/** Weak, so that recording a source does not keep the object in memory. */
const sources = new WeakMap<KubeObject, ObjectSource>();

/** Records the handle by which `object` can be read again. */
export function setSource(object: KubeObject, source: ObjectSource): void {
	sources.set(object, source);
}

/** The handle of `object`; undefined if it came over a connection or was never stored. */
export function sourceOf<T extends KubeObject>(object: T): ObjectSource<T> | undefined {
	// `as`: a source returns objects equal to the one for which it was recorded.
	return sources.get(object) as ObjectSource<T> | undefined;
}
