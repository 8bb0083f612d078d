import { badRequest } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { decodeObject } from './decode-object.ts';
import { ownersOnce } from './owner-references.ts';
import { checkUid, type UpdateStrategy, updateObject } from './update-object.ts';
import { writeOptions } from './write-options.ts';

/**
 * PUT: replaces the object by the body, as far as `strategy` allows. Throws NotFound if the object does not
 * exist (PUT does not create objects), and BadRequest, Invalid or Conflict.
 */
export async function update(
	server: ServerContext,
	request: ResourceRequest,
	strategy: UpdateStrategy,
): Promise<Result> {
	const options = writeOptions(request.call.query, 'UpdateOptions');
	const decoded = await decodeObject(server, request, options);
	checkName(request, decoded);
	const object = ownersOnce(request.call, decoded);
	const stored = await updateObject(server, request, {
		options,
		strategy,
		next: (current) => {
			checkUid(request, current, object.metadata.uid);
			return object;
		},
	});
	return { type: 'object', code: 200, stored };
}

/** Throws BadRequest if the name of the object is not the name in the path. */
export function checkName({ name }: ResourceRequest, object: KubeObject): void {
	const bodyName = object.metadata.name ?? '';
	if (bodyName === '') {
		throw badRequest(
			`the name of the object (${name} based on URL) was undeterminable: name must be provided`,
		);
	}
	if (bodyName !== name) {
		throw badRequest(`the name of the object (${bodyName}) does not match the name on the URL (${name})`);
	}
}
