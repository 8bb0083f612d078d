import type { KubeObject } from '../api/meta/object-meta.ts';
import { type ObjectSource, sourceOf } from '../api/meta/object-source.ts';

/**
 * The objects of an informer by key. One that was released is held by its source and its metadata alone,
 * and is decoded when the whole of it is asked for.
 */
export class ObjectCopies<T extends KubeObject> {
	readonly #held = new Map<string, T>();
	readonly #released = new Map<string, ReleasedObject<T>>();

	/** The object at `key`, or undefined. */
	get(key: string): T | undefined {
		return this.#held.get(key) ?? this.#released.get(key)?.source.object;
	}

	/** The object at `key` as far as its kind and metadata go, or undefined. Decodes nothing. */
	metadataOf(key: string): KubeObject | undefined {
		return this.#held.get(key) ?? this.#released.get(key)?.partial;
	}

	/** Sets the object at `key`; it is held whole. */
	set(key: string, object: T): void {
		this.#held.set(key, object);
		this.#released.delete(key);
	}

	/** Removes the object at `key`. */
	delete(key: string): void {
		this.#held.delete(key);
		this.#released.delete(key);
	}

	/** Holds `object` by its source, if it has one and still is the object at `key`. */
	release(key: string, object: T): void {
		const source = sourceOf(object);
		if (!source || this.#held.get(key) !== object) return;
		const { apiVersion, kind, metadata } = object;
		this.#held.delete(key);
		this.#released.set(key, { source, partial: Object.freeze({ apiVersion, kind, metadata }) });
	}

	/** Every key. */
	*keys(): IterableIterator<string> {
		yield* this.#held.keys();
		yield* this.#released.keys();
	}

	/**
	 * The object of every key that there is when the caller takes the first: each once, as it is when the caller
	 * takes it; one deleted before is left out. Those that were released are decoded one by one.
	 *
	 * The keys are copied because the caller may let changes happen in between. Whatever moves from one Map to
	 * the other meanwhile would be met twice or not at all by a walk over the two.
	 */
	*objects(): IterableIterator<T> {
		for (const key of [...this.keys()]) {
			const object = this.get(key);
			if (object) yield object;
		}
	}
}

interface ReleasedObject<T extends KubeObject> {
	readonly source: ObjectSource<T>;
	/** Without spec and status: what most look-ups are about. */
	readonly partial: KubeObject;
}
