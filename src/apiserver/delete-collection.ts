import { isApiError } from '../api/meta/api-error.ts';
import type { ServerContext } from './context.ts';
import { deleteWith, warnOfDefault } from './delete.ts';
import { deleteOptions } from './delete-options.ts';
import { list } from './list.ts';
import type { ResourceRequest } from './request.ts';
import type { Result } from './result.ts';

/** How many objects are deleted at once: enough that a store that commits in groups has a group. */
const AT_ONCE = 64;

/**
 * DELETE of a collection: of each selected object, with the same options. Not atomic: an error leaves
 * those deleted that came before it. Answers with what was selected.
 */
export async function deleteCollection(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = await deleteOptions(request.call);
	warnOfDefault(request, options);
	const selected = await list(server, request);
	for (let start = 0; start < selected.items.length; start += AT_ONCE) {
		const group = selected.items.slice(start, start + AT_ONCE);
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
	}
	return selected;
}
