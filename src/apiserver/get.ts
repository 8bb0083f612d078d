import { notFound } from '../api/meta/api-error.ts';
import type { ServerContext } from './context.ts';
import { tooLargeRevision } from './errors.ts';
import { revisionOf } from './list-options.ts';
import type { ResourceRequest } from './request.ts';
import type { Result } from './result.ts';
import type { StoredObject } from './stored-object.ts';
import { subjectOf } from './write.ts';

/** GET of one object, also through `/status`. A resourceVersion asks for a state at least that new. */
export async function get({ cache }: ServerContext, request: ResourceRequest): Promise<Result> {
	const asked = revisionOf(request.call.query.text('resourceVersion')) ?? 0;
	if (asked > cache.revision) throw tooLargeRevision(asked, cache.revision);
	return { type: 'object', code: 200, stored: existing(request) };
}

/** The object that the request names. Throws NotFound. */
export function existing({ resource, definition, namespace, name }: ResourceRequest): StoredObject {
	const stored = resource.get(namespace, name);
	if (!stored) throw notFound(subjectOf(definition, name));
	return stored;
}
