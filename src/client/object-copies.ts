import type { KubeObject } from '../api/meta/object-meta.ts';
import { type ObjectSource, sourceOf } from '../api/meta/object-source.ts';

/**
 * The objects of an informer by key. Of a released object only the source and the metadata are kept; the
 * object is decoded from the source when a caller reads it.
 */
export class ObjectCopies<T extends KubeObject> {
	readonly #held = new Map<string, T>();
	readonly #released = new Map<string, ReleasedObject<T>>();

	/** The object at `key`, or undefined. */
	get(key: string): T | undefined {
		return this.#held.get(key) ?? this.#released.get(key)?.source.object;
	}

	/** Kind and metadata of the object at `key`, or undefined. Decodes nothing. */
	metadataOf(key: string): KubeObject | undefined {
		return this.#held.get(key) ?? this.#released.get(key)?.partial;
	}

	/** Sets the object at `key`, and keeps the whole of it. */
	set(key: string, object: T): void {
		this.#held.set(key, object);
		this.#released.delete(key);
	}

	/** Removes the object at `key`. */
	delete(key: string): void {
		this.#held.delete(key);
		this.#released.delete(key);
	}

	/** Keeps only source and metadata of `object`, if it has a source and still is the object at `key`. */
	release(key: string, object: T): void {
		const source = sourceOf(object);
		if (!source || this.#held.get(key) !== object) return;
		const { apiVersion, kind, metadata } = object;
		this.#held.delete(key);
		this.#released.set(key, { source, partial: Object.freeze({ apiVersion, kind, metadata }) });
	}

	/** All keys. */
	*keys(): IterableIterator<string> {
		yield* this.#held.keys();
		yield* this.#released.keys();
	}

	/**
	 * The objects of all keys that exist when the iteration starts. Each key is visited once, with its object at
	 * that moment; an object that has been deleted by then is skipped. Released objects are decoded one by one.
	 *
	 * The keys are copied first, because objects may change between two steps of the iteration. An object that
	 * moves from one Map to the other in the meantime would be visited twice or not at all.
	 */
	*objects(): IterableIterator<T> {
		for (const [, object] of this.entries()) yield object;
	}

	/** The objects of {@link objects}, each with its key. */
	*entries(): IterableIterator<readonly [string, T]> {
		for (const key of [...this.keys()]) {
			const object = this.get(key);
			if (object) yield [key, object];
		}
	}
}

interface ReleasedObject<T extends KubeObject> {
	readonly source: ObjectSource<T>;
	/** The object without spec and status, which is all that most look-ups need. */
	readonly partial: KubeObject;
}
