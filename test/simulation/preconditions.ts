import type { ApiRequest } from '../../src/api/meta/transport.ts';
import { isRecord, own } from '../../src/base/json.ts';

/**
 * Whether a request that changes or deletes an object says which one it means, by its UID or version: by the
 * time it arrives, another one may have the name. Events are named for one object and one occurrence, so the
 * name says it; whole collections and subresources that make something are about no such object.
 */
export function saysWhichObject({ method, path, body }: ApiRequest): boolean {
	const [resource, name] = objectOf(path);
	if (name === undefined || resource === 'events') return true;
	const sent = isRecord(body) ? body : {};
	if (method === 'DELETE') return names(own(sent, 'preconditions'));
	if (method === 'PATCH' || method === 'PUT') return names(own(sent, 'metadata'));
	return true;
}

function names(identity: unknown): boolean {
	if (!isRecord(identity)) return false;
	return Boolean(own(identity, 'uid') ?? own(identity, 'resourceVersion'));
}

/** The resource and the name in a path such as `/apis/batch/v1/namespaces/default/jobs/pi/status`. */
function objectOf(path: string): readonly [resource: string | undefined, name: string | undefined] {
	const steps = path.split('/').slice(path.startsWith('/api/') ? 3 : 4);
	const isNamespaced = steps[0] === 'namespaces' && steps.length > 2 && steps[2] !== 'finalize';
	const [resource, name] = isNamespaced ? steps.slice(2) : steps;
	return [resource, name];
}
