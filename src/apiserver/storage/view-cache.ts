/**
 * A view of another resource's objects (see api/contract/resource-view.ts): the same keys, revisions and values, read
 * and written by a codec that converts. Verbs, watches, selectors and responses work with the objects of the view and
 * need not know that they are converted.
 *
 * 1. Nothing is stored or cached twice: the view reads the cache of the stored resource. What iterates over the
 *    caches (expiry, packing, counts) therefore meets each object once.
 * 2. An object is converted when it is read. That costs its decoding, so each change is converted once for all
 *    watches.
 */

import type { ResourceDefinition, ResourceView } from '../../api/contract/resource-definition.ts';
import { storedDefinition } from '../../api/contract/resource-view.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/json/freeze.ts';
import { ObjectChange } from './change-window.ts';
import type { ResourceCache, ResourceReader } from './resource-cache.ts';
import { ResourceCodec, type StoredObject } from './stored-object.ts';

/** Encoding of the objects of a view, in the values of the stored resource. */
class ViewCodec extends ResourceCodec {
	readonly #stored: ResourceCodec;
	readonly #view: ResourceView;

	constructor(definition: ResourceDefinition, stored: ResourceCodec) {
		super(definition);
		assert(definition.view, 'the resource is not a view');
		this.#view = definition.view;
		this.#stored = stored;
	}

	override encode(object: KubeObject): Uint8Array {
		return this.#stored.encode(this.#view.toStored(object));
	}

	override decode(value: Uint8Array, revision: number): KubeObject {
		return deepFreeze(this.#view.fromStored(this.#stored.decode(value, revision)));
	}

	override serve(value: Uint8Array, revision: number): Uint8Array {
		return Buffer.from(JSON.stringify(this.decode(value, revision)));
	}

	override serveItem(value: Uint8Array, revision: number): Uint8Array {
		const { kind: _kind, apiVersion: _version, ...item } = this.decode(value, revision);
		return Buffer.from(JSON.stringify(item));
	}

	override serveEvent(value: Uint8Array, revision: number, type: string): Uint8Array {
		return Buffer.from(`${JSON.stringify({ type, object: this.decode(value, revision) })}\n`);
	}
}

/** The objects and changes of a resource, as objects of a view. */
export class ViewCache implements ResourceReader {
	readonly codec: ResourceCodec;
	readonly window: ResourceReader['window'];
	readonly #stored: ResourceCache;
	/** Converted changes, as long as the window keeps the change. */
	readonly #changes = new WeakMap<ObjectChange, ObjectChange>();

	constructor(definition: ResourceDefinition, stored: ResourceCache) {
		assert(stored.definition === storedDefinition(definition), 'the view is one of another resource');
		this.codec = new ViewCodec(definition, stored.codec);
		this.#stored = stored;
		const change = (found: ObjectChange | undefined): ObjectChange | undefined =>
			found && this.#change(found);
		this.window = {
			get start() {
				return stored.window.start;
			},
			after: (revision) => change(stored.window.after(revision)),
		};
	}

	get definition(): ResourceDefinition {
		return this.codec.definition;
	}

	get changedAt(): number {
		return this.#stored.changedAt;
	}

	get(namespace: string, name: string): StoredObject | undefined {
		return this.at(this.codec.key(namespace, name));
	}

	at(key: string): StoredObject | undefined {
		return this.#stored.at(key)?.as(this.codec);
	}

	candidates(...range: Parameters<ResourceReader['candidates']>): readonly StoredObject[] {
		return this.#stored.candidates(...range).map((stored) => stored.as(this.codec));
	}

	all(): readonly StoredObject[] {
		return this.#stored.all().map((stored) => stored.as(this.codec));
	}

	onChange(wake: () => void): () => void {
		return this.#stored.onChange(wake);
	}

	read(...change: Parameters<ResourceReader['read']>): StoredObject {
		return this.#stored.read(...change).as(this.codec);
	}

	#change(change: ObjectChange): ObjectChange {
		const known = this.#changes.get(change);
		if (known) return known;
		const { revision, before, now } = change;
		const converted = new ObjectChange(revision, before?.as(this.codec), now?.as(this.codec));
		this.#changes.set(change, converted);
		return converted;
	}
}
