import type { ApiRequest } from '../../../src/api/contract/transport.ts';
import { isRecord, own } from '../../../src/base/json/json.ts';

/**
 * Whether a request that updates, deletes or binds an object identifies it by UID or resourceVersion
 * (invariant 26): when the request arrives, another object may have the name. Events need neither, because
 * their names are unique for one object and one occurrence; nor do requests for whole collections.
 */
export function identifiesObject({ method, path, body }: ApiRequest): boolean {
	const [resource, name, subresource] = objectOf(path);
	if (name === undefined || resource === 'events') return true;
	const sent = isRecord(body) ? body : {};
	if (method === 'DELETE') return hasIdentity(own(sent, 'preconditions'));
	if (method === 'PATCH' || method === 'PUT') return hasIdentity(own(sent, 'metadata'));
	return method !== 'POST' || subresource !== 'binding' || hasIdentity(own(sent, 'metadata'));
}

function hasIdentity(identity: unknown): boolean {
	if (!isRecord(identity)) return false;
	return Boolean(own(identity, 'uid') ?? own(identity, 'resourceVersion'));
}

/** The resource and the name in a path such as `/apis/batch/v1/namespaces/default/jobs/pi/status`. */
function objectOf(path: string): readonly (string | undefined)[] {
	const steps = path.split('/').slice(path.startsWith('/api/') ? 3 : 4);
	const isNamespaced = steps[0] === 'namespaces' && steps.length > 2 && steps[2] !== 'finalize';
	return isNamespaced ? steps.slice(2) : steps;
}
