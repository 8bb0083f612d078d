import { notFound } from '../../api/errors/api-error.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { untilFresh } from './freshness.ts';
import { revisionOf } from './list-options.ts';

/**
 * GET of one object, also of its `/status`. With a resourceVersion the result is at least that new. Throws
 * NotFound.
 */
export async function get(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const { query, signal } = request.call;
	await untilFresh(server, revisionOf(query.text('resourceVersion')) ?? 0, signal);
	return { type: 'object', code: 200, stored: existing(request) };
}

/** The object that the request names. Throws NotFound. */
export function existing({ resource, definition, namespace, name }: ResourceRequest): StoredObject {
	const stored = resource.get(namespace, name);
	if (!stored) throw notFound(subjectOf(definition, name));
	return stored;
}
