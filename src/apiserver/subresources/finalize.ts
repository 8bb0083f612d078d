import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { update } from '../verbs/update.ts';

/**
 * PUT of `namespaces/<name>/finalize`: the only way to change spec.finalizers of a Namespace. The namespace
 * controller removes its finalizer with it once the Namespace is empty.
 */
export function finalize(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const { strategy } = request.definition;
	return update(server, request, {
		prepareForUpdate: (object, old) => withStatusOf(object, old),
		validateUpdate: (object, old) => strategy.validateUpdate(object, old),
		allowUnconditionalUpdate: strategy.allowUnconditionalUpdate,
	});
}

function withStatusOf(object: KubeObject, old: KubeObject): KubeObject {
	return { ...object, ...('status' in old && { status: old.status }) };
}
