import type { KubeObject } from '../api/meta/object-meta.ts';
import { isRecord } from '../base/json.ts';
import type { StoredObject } from './stored-object.ts';

/** A stored value that is not the object that its key names. */
export interface DamagedObject {
	readonly key: string;
	readonly revision: number;
	/** What is wrong with it. */
	readonly reason: string;
}

/** So many keys are named; a folder that is damaged as a whole has thousands. */
const MOST_NAMED = 10;

/**
 * The store holds values that cannot be read. The server does not start without them by itself: Pods whose
 * Job it does not see would be deleted as garbage, and a Job whose Pod it does not see would run it again.
 */
export class DamagedObjectsError extends Error {
	override readonly name = 'DamagedObjectsError';

	constructor(damaged: readonly DamagedObject[]) {
		const named = damaged.slice(0, MOST_NAMED).map(({ key, reason }) => `${key} (${reason})`);
		const more = damaged.length > MOST_NAMED ? ` and ${damaged.length - MOST_NAMED} more` : '';
		const objects = damaged.length === 1 ? 'an object' : `${damaged.length} objects`;
		super(
			`the store holds ${objects} that cannot be read: ${named.join(', ')}${more}. Restore the data folder from a backup, or start once with --discard-damaged to delete what is named here`,
		);
	}
}

/** What is wrong with a stored value; undefined if it is the object that its key names. */
export function damageOf(stored: StoredObject): DamagedObject | undefined {
	const reason = reasonOf(stored);
	return reason === undefined ? undefined : { key: stored.key, revision: stored.revision, reason };
}

function reasonOf(stored: StoredObject): string | undefined {
	const { codec, key } = stored;
	let object: KubeObject;
	try {
		({ object } = stored);
	} catch (error) {
		if (error instanceof SyntaxError) return `not JSON: ${error.message}`;
		return `not a whole ${codec.definition.kind}: ${String(error)}`;
	}
	if (object.kind !== codec.definition.kind || object.apiVersion !== codec.apiVersion) {
		return `not a ${codec.definition.kind}`;
	}
	const { namespace = '', name = '' } = object.metadata;
	if (codec.key(namespace, name) !== key) return 'its metadata names another object';
	for (const [field, value] of Object.entries(object)) {
		if ((field === 'spec' || field === 'status') && !isRecord(value)) return `${field} is not an object`;
	}
	return undefined;
}
