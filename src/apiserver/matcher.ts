import { matchesFields } from '../api/meta/field-selector.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { matches as matchesLabels } from '../api/meta/selector.ts';
import { isWhole, type Selection, singleObject } from './selection.ts';
import type { ResourceCodec, StoredObject } from './stored-object.ts';

/**
 * A selection made ready to be asked about many stored objects. Namespace and name are read off the key;
 * an object is decoded only where labels or other fields decide.
 */
export class Matcher {
	readonly #definition: ResourceDefinition;
	readonly #selection: Selection;
	/** What the keys of all selected objects start with. */
	readonly prefix: string;
	/** The only key that can be selected, if the selection names one object. */
	readonly key: string | undefined;
	/** Whether every object, or every one of a namespace, is selected. */
	readonly isWhole: boolean;
	/** Whether the key alone decides. */
	readonly byKey: boolean;

	constructor(codec: ResourceCodec, selection: Selection) {
		this.#definition = codec.definition;
		this.#selection = selection;
		const single = singleObject(selection, codec.definition);
		this.prefix = codec.keyPrefixOf(selection.namespace);
		this.key = single && codec.key(single.namespace, single.name);
		this.isWhole = isWhole(selection);
		const { labels, fields } = selection;
		const onlyName = fields.length === 1 && this.key !== undefined && fields[0]?.field === 'metadata.name';
		this.byKey = labels.length === 0 && (fields.length === 0 || onlyName);
	}

	/** Labels first: metadata is at hand where the whole object would have to be decoded. */
	#selects(stored: StoredObject): boolean {
		const { labels, fields } = this.#selection;
		if (!matchesLabels(labels, stored.metadata.labels)) return false;
		return fields.length === 0 || matchesFields(fields, this.#definition, stored.object);
	}

	/** Whether the object is selected. */
	matches(stored: StoredObject): boolean {
		const inScope = this.key === undefined ? stored.key.startsWith(this.prefix) : stored.key === this.key;
		return inScope && (this.byKey || this.#selects(stored));
	}
}
