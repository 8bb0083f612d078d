import { isApiError } from '../../api/errors/api-error.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { deleteWith, warnOfDefault } from './delete.ts';
import { deleteOptions } from './delete-options.ts';
import { listObjects } from './list.ts';

/**
 * Number and total bytes of the objects deleted at once: enough for one group commit of the store, and so few
 * that a dry run, which does not wait for the store, takes a few milliseconds.
 */
const GROUP_LIMITS = { objects: 64, bytes: 128 * 1024 };

/**
 * DELETE of a collection: deletes each selected object with the same options, and returns the selected
 * objects. It is not atomic: an error leaves the objects deleted that were processed before. An object that
 * another client has deleted meanwhile is skipped.
 */
export async function deleteCollection(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = await deleteOptions(request.call);
	warnOfDefault(request, options);
	const selected = await listObjects(server, request);
	for (const group of groupsOf(selected.items)) {
		await Promise.all(
			group.map(async ({ object: { metadata } }) => {
				const { namespace = '', name = '' } = metadata;
				try {
					await deleteWith(server, { ...request, namespace, name }, { options });
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
		if (group.length < GROUP_LIMITS.objects && bytes < GROUP_LIMITS.bytes) continue;
		yield group;
		group = [];
		bytes = 0;
	}
	if (group.length > 0) yield group;
}
