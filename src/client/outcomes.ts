/**
 * What a refused request means for a component that decides from a cache, which may be stale. Such a component
 * names in each write the UID of the object that it means, and where its decision depends on what it has seen
 * also the resourceVersion. The API server then refuses the write in three ways:
 *
 * | the object | update | patch | delete, binding |
 * |---|---|---|---|
 * | does not exist | NotFound | NotFound | NotFound |
 * | was replaced by another of its name | Conflict | Invalid, field `metadata.uid`; with a resourceVersion Conflict | Conflict |
 * | has another resourceVersion | Conflict | Conflict | Conflict |
 */

import { ApiError, isApiError } from '../api/errors/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { isRecord } from '../base/json/json.ts';

/**
 * Whether the request failed because its object does not exist, or because it was a patch and another object has
 * the name. A Conflict is not enough: the object may only have changed.
 */
export function isGone(error: unknown): boolean {
	if (isApiError(error, 'NotFound')) return true;
	if (!(error instanceof ApiError) || error.reason !== 'Invalid') return false;
	return error.status.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false;
}

/**
 * Whether the request failed because its object is gone, was replaced or has changed: the informers will show the
 * newer state. For a delete with no other precondition than the UID, and for a binding, it means that there is
 * nothing left to do.
 */
export function isOvertaken(error: unknown): boolean {
	return isApiError(error, 'Conflict') || isGone(error);
}

/** Resolves as `request`, and to undefined where {@link isGone} is true of its error. Rejects with all others. */
export function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
	return unless(isGone, request);
}

/**
 * Resolves as `request`, and to undefined where {@link isOvertaken} is true of its error. Rejects with all
 * others.
 */
export function unlessOvertaken<T>(request: Promise<T>): Promise<T | undefined> {
	return unless(isOvertaken, request);
}

/** Options of a delete request that keep it from another object of the same name. */
export function uidPrecondition({ metadata: { uid } }: Pick<KubeObject, 'metadata'>): {
	readonly preconditions?: { readonly uid: string };
} {
	return uid ? { preconditions: { uid } } : {};
}

async function unless<T>(
	isExpected: (error: unknown) => boolean,
	request: Promise<T>,
): Promise<T | undefined> {
	try {
		return await request;
	} catch (error) {
		if (isExpected(error)) return undefined;
		throw error;
	}
}

/**
 * The resourceVersion in a response, as a number; 0 if it has none. A deletion returns the object if it still exists,
 * otherwise a Status.
 */
export function revisionOfAnswer(answer: unknown): number {
	const metadata = isRecord(answer) ? answer.metadata : undefined;
	return (isRecord(metadata) && Number(metadata.resourceVersion)) || 0;
}
