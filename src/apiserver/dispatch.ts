import { methodNotAllowed, unknownPath } from '../api/errors/api-error.ts';
import { isNamespace } from '../plan/deletion/namespace-deletion.ts';
import type { Method, ResourceRequest } from './request.ts';
import { REVIEWS } from './reviews/reviews.ts';
import { SUBRESOURCES, type Subresource, type Verb } from './subresources/subresources.ts';
import { COMPUTED } from './usage/metrics.ts';
import { create } from './verbs/create.ts';
import { deleteObject } from './verbs/delete.ts';
import { deleteCollection } from './verbs/delete-collection.ts';
import { get } from './verbs/get.ts';
import { listObjects } from './verbs/list.ts';
import { patch } from './verbs/patch.ts';
import { update } from './verbs/update.ts';

type Verbs = Partial<Record<Method, Verb>>;

const COLLECTION: Verbs = { GET: listObjects, POST: create, DELETE: deleteCollection };

/** Namespaces have no deletecollection, as upstream. */
const NAMESPACES: Verbs = { GET: listObjects, POST: create };

const OBJECT: Verbs = {
	GET: get,
	PUT: (server, request) => update(server, request, request.definition.strategy),
	PATCH: (server, request) => patch(server, request, request.definition.strategy),
	DELETE: deleteObject,
};

/**
 * Returns the verb of a request. Throws NotFound if the resource has no such subresource, and
 * MethodNotAllowed if the path does not support the method.
 */
export function verbOf(request: ResourceRequest): Verb {
	const { call, name, definition } = request;
	const virtual = REVIEWS.get(definition) ?? COMPUTED.get(definition);
	if (virtual) return virtual;
	const subresource = subresourceOf(request);
	const collection = isNamespace(definition) ? NAMESPACES : COLLECTION;
	const verb = (subresource?.verbs ?? (name === '' ? collection : OBJECT))[call.method];
	if (!verb) throw methodNotAllowed();
	return verb;
}

/**
 * Returns the subresource that a request names, or undefined if it names none. Throws NotFound if the
 * resource does not have it.
 */
export function subresourceOf({ definition, subresource }: ResourceRequest): Subresource | undefined {
	if (subresource === '') return undefined;
	const found = SUBRESOURCES.find((each) => each.name === subresource && each.appliesTo(definition));
	if (!found) throw unknownPath();
	return found;
}

/** Whether the request opens a watch. */
export function isWatch({ call, name }: ResourceRequest): boolean {
	return call.method === 'GET' && name === '' && call.query.flag('watch');
}
