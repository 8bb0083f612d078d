import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { matchesFields } from '../../api/meta/field-selector.ts';
import { matches as matchesLabels } from '../../api/meta/selector.ts';
import { isWhole, type Selection, singleObject } from './selection.ts';
import type { ResourceCodec, StoredObject } from './stored-object.ts';

/**
 * A selection, prepared for matching many stored objects. Namespace and name are taken from the key. An
 * object is decoded only if labels or other fields have to be compared, because decoding costs far more than
 * the rest.
 */
export class Matcher {
	readonly #definition: ResourceDefinition;
	readonly #selection: Selection;
	/** Common prefix of the keys of all selected objects. */
	readonly prefix: string;
	/** The only key that can match, if the selection names one object. */
	readonly key: string | undefined;
	/** Whether it selects every object of the resource or of a namespace. */
	readonly isWhole: boolean;
	/** Whether the key alone decides if an object matches. */
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

	/**
	 * Labels are compared first: metadata is often in memory when the whole object would have to be decoded.
	 */
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
