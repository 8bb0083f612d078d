import type { ObjectChange } from './change-window.ts';
import type { Matcher } from './matcher.ts';
import type { StoredObject } from './stored-object.ts';

/** What a watch sends: an event of an object, or a bookmark. */
export type Notice = ObjectNotice | Bookmark;

/** An event of an object. */
export interface ObjectNotice {
	readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
	readonly stored: StoredObject;
}

/** A bookmark: the watch has sent all events up to `revision`. */
export interface Bookmark {
	readonly type: 'BOOKMARK';
	readonly revision: number;
	/** Whether this is the end of the initial events (sendInitialEvents). */
	readonly initialEventsEnd: boolean;
}

/**
 * Converts a change to the event of a watch; undefined if it concerns no selected object. An object that
 * stops matching the selection is DELETED for the watch, and one that starts matching is ADDED, as upstream.
 */
export function noticeOf(change: ObjectChange, selected: Matcher): ObjectNotice | undefined {
	const { before, now } = change;
	const had = before !== undefined && selected.matches(before);
	const has = now !== undefined && selected.matches(now);
	if (has) return { type: had ? 'MODIFIED' : 'ADDED', stored: now };
	return had && change.deleted ? { type: 'DELETED', stored: change.deleted } : undefined;
}
