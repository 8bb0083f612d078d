/**
 * The representation of objects in the store and in the cache.
 *
 * 1. A stored value is the JSON of the object without `metadata.resourceVersion`, which is the revision that
 *    the store assigns to the write. It starts with the head of its kind:
 *    `{"kind":…,"apiVersion":…,"metadata":{`.
 * 2. To serve bytes, the codec inserts the resourceVersion after that head; the object is not encoded again.
 * 3. The decoded object is defaulted and frozen; all readers in the process share it.
 */

import { apiVersionOf, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { storedDefinition } from '../../api/contract/resource-view.ts';
import type { KubeObject, ObjectMeta } from '../../api/meta/object-meta.ts';
import { type ObjectSource, setSource } from '../../api/meta/object-source.ts';
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/json/freeze.ts';
import { parseJson } from '../../base/json/json-reader.ts';
import { FreshValues, PackedValue } from './value-pages.ts';

/** Prefix of all keys of the server. */
export const REGISTRY_PREFIX = '/registry/';

/** Common prefix of the keys of all objects of a resource; `group` is empty for the core group. */
export function resourcePrefix(group: string, resource: string): string {
	return `${REGISTRY_PREFIX}${group || 'core'}/${resource}/`;
}

/** Keys and encoding of one resource. The keys of a view are those of the stored resource. */
export class ResourceCodec {
	readonly definition: ResourceDefinition;
	readonly apiVersion: string;
	/** Common prefix of the keys of all its objects. */
	readonly keyPrefix: string;
	readonly #head: string;
	readonly #fresh = new FreshValues();

	constructor(definition: ResourceDefinition) {
		this.definition = definition;
		this.apiVersion = apiVersionOf(definition);
		const { group, resource } = storedDefinition(definition);
		this.keyPrefix = resourcePrefix(group, resource);
		this.#head = `{"kind":${JSON.stringify(definition.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},"metadata":{`;
	}

	/** The key of an object; `namespace` is empty for cluster-scoped kinds. */
	key(namespace: string, name: string): string {
		return this.definition.namespaced ? `${this.keyPrefix}${namespace}/${name}` : `${this.keyPrefix}${name}`;
	}

	/** Common prefix of the keys of all objects in a namespace; of all objects if it is empty. */
	keyPrefixOf(namespace: string): string {
		return namespace === '' ? this.keyPrefix : `${this.keyPrefix}${namespace}/`;
	}

	/** Encodes an object to the value to store. */
	encode(object: KubeObject): Uint8Array {
		const { kind: _kind, apiVersion: _version, metadata, ...rest } = object;
		const { resourceVersion: _revision, ...stored } = metadata;
		const text = JSON.stringify(stored);
		const tail = JSON.stringify(rest);
		return this.#fresh.write(`${this.#head}${text.slice(1)}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`);
	}

	/** Decodes a stored value to a defaulted, frozen object. An object that was not written (revision 0) has no version. */
	decode(value: Uint8Array, revision: number): KubeObject {
		// Only `encode` makes stored values, so the type is certain; damaged-objects.ts checks them at the start.
		const parsed = parseJson(textOf(value)) as KubeObject;
		const version = revision === 0 ? {} : { resourceVersion: String(revision) };
		const metadata: ObjectMeta = { ...parsed.metadata, ...version };
		return deepFreeze(this.definition.defaults({ ...parsed, metadata }));
	}

	/** The JSON of the object for clients: the stored value with its resourceVersion. */
	serve(value: Uint8Array, revision: number): Uint8Array {
		if (revision === 0) return value;
		return this.#compose(value, revision, { opening: this.#head, closing: '' });
	}

	/** The same as an item of a list, without kind and apiVersion, which the list has. */
	serveItem(value: Uint8Array, revision: number): Uint8Array {
		return this.#compose(value, revision, { opening: '{"metadata":{', closing: '' });
	}

	/** The same as a watch event: a line of JSON. */
	serveEvent(value: Uint8Array, revision: number, type: string): Uint8Array {
		return this.#compose(value, revision, {
			opening: `{"type":"${type}","object":${this.#head}`,
			closing: '}\n',
		});
	}

	/** Replaces the head of a stored value by `opening` and the resourceVersion, with one copy of the bytes. */
	#compose(
		value: Uint8Array,
		revision: number,
		{ opening, closing }: { readonly opening: string; readonly closing: string },
	): Uint8Array {
		const start = `${opening}"resourceVersion":"${revision}",`;
		const rest = value.subarray(this.#head.length);
		const composed = Buffer.allocUnsafe(start.length + rest.length + closing.length);
		composed.write(start, 'latin1');
		composed.set(rest, start.length);
		composed.write(closing, start.length + rest.length, 'latin1');
		return composed;
	}
}

/**
 * An object at a revision. Its value is decoded on first use, unless the object was made in this process. The
 * decoded object is held weakly: components that use it share it, and an object that no component holds (most
 * Events, finished Jobs and their Pods) stays in memory only as bytes. This is registered as the source of
 * the object (setSource).
 */
export class StoredObject implements ObjectSource {
	readonly codec: ResourceCodec;
	readonly key: string;
	/** The revision; 0 for an object that was not written (the result of a dry run). */
	readonly revision: number;
	#value: Uint8Array | PackedValue;
	#object: WeakRef<KubeObject> | undefined;
	#metadata: WeakRef<ObjectMeta> | undefined;

	constructor(codec: ResourceCodec, at: StoredAt<Uint8Array | PackedValue>, object?: KubeObject) {
		this.codec = codec;
		this.key = at.key;
		this.revision = at.revision;
		this.#value = at.value;
		if (object) this.#hold(object);
	}

	/** The stored value (rule 1 above), expanded if it is packed. */
	get value(): Uint8Array {
		return this.#value instanceof PackedValue ? this.#value.bytes : this.#value;
	}

	/** The length of the value in bytes. */
	get size(): number {
		return this.#value.length;
	}

	/** True if the value is in a page that need not be packed again. */
	get isPacked(): boolean {
		return this.#value instanceof PackedValue && !this.#value.isInSparsePage;
	}

	/** Replaces the value by the same value in a page. */
	pack(value: PackedValue): void {
		this.release();
		this.#value = value;
	}

	/** Tells the page of the value, if it is in one, that the object is no longer live. */
	release(): void {
		if (this.#value instanceof PackedValue) this.#value.release();
	}

	/** The frozen object with its resourceVersion; decoded if necessary. */
	get object(): KubeObject {
		const held = this.#object?.deref();
		if (held) return held;
		const decoded = this.codec.decode(this.value, this.revision);
		this.#hold(decoded);
		return decoded;
	}

	/** The metadata of {@link object}. It needs no decoding while an informer holds it. */
	get metadata(): ObjectMeta {
		return this.#metadata?.deref() ?? this.object.metadata;
	}

	#hold(object: KubeObject): void {
		this.#object = new WeakRef(object);
		// If an informer still holds the metadata of an earlier decoding, keep sharing it.
		if (!this.#metadata?.deref()) this.#metadata = new WeakRef(object.metadata);
		// The object of a dry run is not stored, so it could not be decoded again later.
		if (this.revision > 0) setSource(object, this);
	}

	/** The JSON for clients. */
	get bytes(): Uint8Array {
		return this.codec.serve(this.value, this.revision);
	}

	/** The JSON for clients, as an item of a list. */
	get itemBytes(): Uint8Array {
		return this.codec.serveItem(this.value, this.revision);
	}

	/** The JSON line of a watch event with the object. */
	eventBytes(type: string): Uint8Array {
		return this.codec.serveEvent(this.value, this.revision, type);
	}

	/** The same object in another representation: that of a view. */
	as(codec: ResourceCodec): StoredObject {
		const { key, revision } = this;
		return new StoredObject(codec, { key, value: this.#value, revision });
	}

	/** The same object with another revision: that of its deletion. */
	at(revision: number): StoredObject {
		const { key } = this;
		const held = this.#object?.deref();
		const object = held && withRevision(held, revision);
		return new StoredObject(this.codec, { key, value: this.#value, revision }, object);
	}
}

/** Key, revision and value of a stored object. */
export interface StoredAt<Value = Uint8Array> {
	readonly key: string;
	readonly revision: number;
	readonly value: Value;
}

/**
 * Attachment of a write in the store: carries the object beside its bytes, so that it need not be decoded.
 * When the store reports the change, the cache sets `stored`, which the writer then returns.
 */
export class PendingWrite {
	/** The object to store; frozen. */
	readonly object: KubeObject;
	stored: StoredObject | undefined;

	/** `object` must be defaulted; the constructor freezes it. */
	constructor(object: KubeObject) {
		this.object = deepFreeze(object);
	}
}

/**
 * A copy of the object with another resourceVersion, which shares everything else. `object` must be frozen.
 */
export function withRevision(object: KubeObject, revision: number): KubeObject {
	assert(Object.isFrozen(object), 'an object was changed after it was stored');
	const metadata = Object.freeze({ ...object.metadata, resourceVersion: String(revision) });
	return Object.freeze({ ...object, metadata });
}

function textOf(value: Uint8Array): string {
	return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}
