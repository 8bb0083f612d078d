/**
 * Reads the history of a resource from the store's log: for watches that start before, or have fallen behind,
 * the resource's change window.
 */

import { expired } from '../../api/errors/api-error.ts';
import { type Change, CompactedError } from '../../store/store.ts';
import type { ServerContext } from '../context.ts';
import { ObjectChange } from './change-window.ts';
import type { ResourceReader } from './resource-cache.ts';
import { StoredObject } from './stored-object.ts';

/** Limits of one read, which blocks the event loop for about a millisecond. */
const READ_LENGTH = { limit: 50, bytes: 512 * 1024 };

/** Consecutive changes of a resource: there are no others up to `revision`. */
export interface HistoryPiece {
	readonly changes: readonly ObjectChange[];
	readonly revision: number;
}

/**
 * Reads the first changes of the resource after revision `after`. Rejects with Expired if they were
 * compacted.
 */
export async function readHistory(
	{ store }: ServerContext,
	resource: ResourceReader,
	after: number,
): Promise<HistoryPiece> {
	const { keyPrefix: prefix } = resource.codec;
	try {
		const { changes, revision } = await store.changes({ prefix, after, ...READ_LENGTH });
		return { changes: changes.map((change) => changeOf(resource, change)), revision };
	} catch (error) {
		if (!(error instanceof CompactedError)) throw error;
		// The message of getAllEventsSinceLocked in upstream's watch_cache.go.
		throw expired(`too old resource version: ${after} (${error.oldest})`);
	}
}

function changeOf(resource: ResourceReader, change: Change): ObjectChange {
	const { revision, previous } = change;
	const before = previous && new StoredObject(resource.codec, previous);
	return new ObjectChange(revision, before, change.type === 'put' ? resource.read(change) : undefined);
}
