import type { ApiRequest } from '../../src/api/meta/transport.ts';
import { isRecord, own } from '../../src/base/json.ts';

/**
 * Whether a request that changes or deletes an object says which one it means, by its UID or version: by the
 * time it arrives, another one may have the name. So does a binding. Events are named for one object and one
 * occurrence, so the name says it; whole collections are about no single object.
 */
export function saysWhichObject({ method, path, body }: ApiRequest): boolean {
	const [resource, name, subresource] = objectOf(path);
	if (name === undefined || resource === 'events') return true;
	const sent = isRecord(body) ? body : {};
	if (method === 'DELETE') return names(own(sent, 'preconditions'));
	if (method === 'PATCH' || method === 'PUT') return names(own(sent, 'metadata'));
	return method !== 'POST' || subresource !== 'binding' || names(own(sent, 'metadata'));
}

function names(identity: unknown): boolean {
	if (!isRecord(identity)) return false;
	return Boolean(own(identity, 'uid') ?? own(identity, 'resourceVersion'));
}

/** The resource and the name in a path such as `/apis/batch/v1/namespaces/default/jobs/pi/status`. */
function objectOf(path: string): readonly (string | undefined)[] {
	const steps = path.split('/').slice(path.startsWith('/api/') ? 3 : 4);
	const isNamespaced = steps[0] === 'namespaces' && steps.length > 2 && steps[2] !== 'finalize';
	return isNamespaced ? steps.slice(2) : steps;
}
