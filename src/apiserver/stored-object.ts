import type { KubeObject, ObjectMeta } from '../api/meta/object-meta.ts';
import { type ObjectSource, setSource } from '../api/meta/object-source.ts';
import { apiVersionOf, type ResourceDefinition } from '../api/meta/resource.ts';
import { assert } from '../base/assert.ts';
import { deepFreeze } from '../base/freeze.ts';
import { parseJson } from '../base/json-reader.ts';
import { FreshValues, PackedValue } from './value-pages.ts';

/**
 * Objects as the store and the server hold them.
 *
 * 1. A stored value is the object's JSON without `metadata.resourceVersion`, which is the revision that
 *    the store gives to the write. It begins with the kind's head: `{"kind":…,"apiVersion":…,"metadata":{`.
 * 2. Whoever serves bytes puts the resourceVersion behind that head; nothing is encoded twice.
 * 3. The decoded object is defaulted and frozen; all readers in the process share it.
 */

const KEY_ROOT = '/registry/';

/** Where every key of the server is. */
export const REGISTRY_PREFIX = KEY_ROOT;

/** The bytes and keys of one resource. */
export class ResourceCodec {
	readonly definition: ResourceDefinition;
	readonly apiVersion: string;
	/** What the keys of all its objects start with. */
	readonly keyPrefix: string;
	readonly #head: string;
	readonly #fresh = new FreshValues();

	constructor(definition: ResourceDefinition) {
		this.definition = definition;
		this.apiVersion = apiVersionOf(definition);
		this.keyPrefix = `${KEY_ROOT}${definition.group || 'core'}/${definition.resource}/`;
		this.#head = `{"kind":${JSON.stringify(definition.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},"metadata":{`;
	}

	/** The key of an object; `namespace` is empty for what has none. */
	key(namespace: string, name: string): string {
		return this.definition.namespaced ? `${this.keyPrefix}${namespace}/${name}` : `${this.keyPrefix}${name}`;
	}

	/** What the keys of all objects in a namespace start with; every object's for an empty one. */
	keyPrefixOf(namespace: string): string {
		return namespace === '' ? this.keyPrefix : `${this.keyPrefix}${namespace}/`;
	}

	/** The value to store. */
	encode(object: KubeObject): Uint8Array {
		const { kind: _kind, apiVersion: _version, metadata, ...rest } = object;
		const { resourceVersion: _revision, ...stored } = metadata;
		const text = JSON.stringify(stored);
		const tail = JSON.stringify(rest);
		return this.#fresh.write(`${this.#head}${text.slice(1)}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`);
	}

	/** The object in a stored value. */
	decode(value: Uint8Array, revision: number): KubeObject {
		// Only `encode` makes stored values, so this is what it is.
		const parsed = parseJson(textOf(value)) as KubeObject;
		const metadata: ObjectMeta = { ...parsed.metadata, resourceVersion: String(revision) };
		return deepFreeze(this.definition.defaults({ ...parsed, metadata }));
	}

	/** A stored value with its resourceVersion, as clients get it. */
	serve(value: Uint8Array, revision: number): Uint8Array {
		return this.#compose(value, revision, { opening: this.#head, closing: '' });
	}

	/** The same as an item of a list, which leaves out what the list says already: kind and apiVersion. */
	serveItem(value: Uint8Array, revision: number): Uint8Array {
		return this.#compose(value, revision, { opening: '{"metadata":{', closing: '' });
	}

	/** The same as an event of a watch: a line of JSON. */
	serveEvent(value: Uint8Array, revision: number, type: string): Uint8Array {
		return this.#compose(value, revision, {
			opening: `{"type":"${type}","object":${this.#head}`,
			closing: '}\n',
		});
	}

	/** A stored value whose head is replaced by `opening` and the resourceVersion: copied once. */
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
 * An object at a revision. It is decoded when it is first asked for, if it was not made in this process,
 * and held weakly: while any component has it, all share it; one that no component has (most Events,
 * finished Jobs and their Pods) is kept as its bytes alone. The object knows this as its source.
 */
export class StoredObject implements ObjectSource {
	readonly codec: ResourceCodec;
	readonly key: string;
	/** 0 for an object that was not written (the answer of a dry run). */
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

	/** See the header: without resourceVersion. */
	get value(): Uint8Array {
		return this.#value instanceof PackedValue ? this.#value.bytes : this.#value;
	}

	/** How many bytes the value has. */
	get size(): number {
		return this.#value.length;
	}

	/** True if the value is in a page from which it need not move. */
	get isPacked(): boolean {
		return this.#value instanceof PackedValue && !this.#value.isInSparsePage;
	}

	/** Replaces the value by the same value in a page. */
	pack(value: PackedValue): void {
		this.release();
		this.#value = value;
	}

	/** Notes that the object is no longer live. */
	release(): void {
		if (this.#value instanceof PackedValue) this.#value.release();
	}

	/** The frozen object, with its resourceVersion. */
	get object(): KubeObject {
		const held = this.#object?.deref();
		if (held) return held;
		const decoded = this.codec.decode(this.value, this.revision);
		this.#hold(decoded);
		return decoded;
	}

	/** The metadata of {@link object}: not decoded while an informer has it. */
	get metadata(): ObjectMeta {
		return this.#metadata?.deref() ?? this.object.metadata;
	}

	#hold(object: KubeObject): void {
		this.#object = new WeakRef(object);
		// An informer may hold that of an earlier decoding.
		if (!this.#metadata?.deref()) this.#metadata = new WeakRef(object.metadata);
		// A dry run's object has no revision, and is not there to be had again.
		if (this.revision > 0) setSource(object, this);
	}

	/** The JSON that clients get. */
	get bytes(): Uint8Array {
		return this.revision === 0 ? this.value : this.codec.serve(this.value, this.revision);
	}

	/** The JSON that clients get as an item of a list. */
	get itemBytes(): Uint8Array {
		return this.codec.serveItem(this.value, this.revision);
	}

	/** The line of JSON that a watch sends for the object. */
	eventBytes(type: string): Uint8Array {
		return this.codec.serveEvent(this.value, this.revision, type);
	}

	/** The same object as of another revision: that at which it went out of sight. */
	at(revision: number): StoredObject {
		const { key } = this;
		const held = this.#object?.deref();
		const object = held && withRevision(held, revision);
		return new StoredObject(this.codec, { key, value: this.#value, revision }, object);
	}
}

/** Where and when an object is stored. */
export interface StoredAt<Value = Uint8Array> {
	readonly key: string;
	readonly revision: number;
	readonly value: Value;
}

/**
 * What a write hands over beside the bytes (the store's companion): the cache, told of the change, puts
 * the finished object in, which is how the writer gets at it.
 */
export class WriteTicket {
	readonly object: KubeObject;
	stored: StoredObject | undefined;

	/** `object` must be defaulted; it is frozen here. */
	constructor(object: KubeObject) {
		this.object = deepFreeze(object);
	}
}

/** The object with another resourceVersion; all else is shared. `object` must be frozen. */
export function withRevision(object: KubeObject, revision: number): KubeObject {
	assert(Object.isFrozen(object), 'an object was changed after it was stored');
	const metadata = Object.freeze({ ...object.metadata, resourceVersion: String(revision) });
	return Object.freeze({ ...object, metadata });
}

function textOf(value: Uint8Array): string {
	return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}
