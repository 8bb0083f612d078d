import { isApiError } from '../api/meta/api-error.ts';
import type { ServerContext } from './context.ts';
import { deleteWith, warnOfDefault } from './delete.ts';
import { deleteOptions } from './delete-options.ts';
import { list } from './list.ts';
import type { ResourceRequest } from './request.ts';
import type { Result } from './result.ts';
import type { StoredObject } from './stored-object.ts';

/**
 * How many objects, and of how many bytes together, are deleted at once: enough that a store that commits in
 * groups has a group, and so few that a dry run, which waits for no store, takes some milliseconds.
 */
const AT_ONCE = { objects: 64, bytes: 128 * 1024 };

/**
 * DELETE of a collection: of each selected object, with the same options. Not atomic: an error leaves
 * those deleted that came before it. Answers with what was selected.
 */
export async function deleteCollection(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = await deleteOptions(request.call);
	warnOfDefault(request, options);
	const selected = await list(server, request);
	for (const group of groupsOf(selected.items)) {
		await Promise.all(
			group.map(async ({ object: { metadata } }) => {
				const { namespace = '', name = '' } = metadata;
				try {
					await deleteWith(server, { ...request, namespace, name }, options);
				} catch (error) {
					if (!isApiError(error, 'NotFound')) throw error;
				}
			}),
		);
		await request.call.pause?.();
	}
	return selected;
}

function* groupsOf(items: readonly StoredObject[]): Generator<readonly StoredObject[], void> {
	let group: StoredObject[] = [];
	let bytes = 0;
	for (const stored of items) {
		group.push(stored);
		bytes += stored.size;
		if (group.length < AT_ONCE.objects && bytes < AT_ONCE.bytes) continue;
		yield group;
		group = [];
		bytes = 0;
	}
	if (group.length > 0) yield group;
}
