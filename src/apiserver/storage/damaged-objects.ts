import type { KubeObject } from '../../api/meta/object-meta.ts';
import { isRecord } from '../../base/json/json.ts';
import type { StoredObject } from './stored-object.ts';

/** A stored value that cannot be decoded as the object that its key names. */
export interface DamagedObject {
	readonly key: string;
	readonly revision: number;
	/** Why it cannot be decoded. */
	readonly reason: string;
}

/** Maximum number of keys in the error message; a damaged data folder can have thousands. */
const MOST_NAMED = 10;

/**
 * The store contains values that cannot be decoded. The server does not start without these objects unless
 * the user asks for it: the garbage collector would delete Pods whose Job is missing, and the Job controller
 * would run the work of a missing Pod again. The user restores a backup or starts with --discard-damaged.
 */
export class DamagedObjectsError extends Error {
	override readonly name = 'DamagedObjectsError';

	constructor(damaged: readonly DamagedObject[]) {
		const named = damaged.slice(0, MOST_NAMED).map(({ key, reason }) => `${key} (${reason})`);
		const more = damaged.length > MOST_NAMED ? ` and ${damaged.length - MOST_NAMED} more` : '';
		const objects = damaged.length === 1 ? 'an object' : `${damaged.length} objects`;
		super(
			`the store holds ${objects} that cannot be read: ${named.join(', ')}${more}. Restore the data folder from a backup, or start once with --discard-damaged to delete these objects`,
		);
	}
}

/** Checks a stored value; undefined if it is the object that its key names. */
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
		return `not a complete ${codec.definition.kind}: ${String(error)}`;
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
