import {
	type CreateTarget,
	type Encoded,
	nameTaken,
	type ObjectWriter,
	revisionIn,
} from './compare-and-swap.ts';
import { StoredObject } from './stored-object.ts';

/**
 * The last stage of a dry run: resolves to what {@link CompareAndSwap} would return, as far as it is known, and
 * writes nothing. The results have the resourceVersion of the present state.
 */
export class DryRun implements ObjectWriter {
	/** A client may send a resourceVersion, with which a real create would fail, as upstream. */
	async create({ definition, resource }: CreateTarget, { object, value }: Encoded): Promise<StoredObject> {
		const { namespace = '', name = '' } = object.metadata;
		const holder = resource.get(namespace, name);
		if (holder) throw nameTaken(definition, name, holder);
		const { codec } = resource;
		const at = { key: codec.key(namespace, name), value, revision: revisionIn(object) };
		return new StoredObject(codec, at, object);
	}

	async update({ codec, key, revision }: StoredObject, { value }: Encoded): Promise<StoredObject> {
		return new StoredObject(codec, { key, revision, value });
	}

	async remove(current: StoredObject): Promise<StoredObject> {
		return current;
	}
}
