/**
 * The authorization stage: decides by user and request, before the body is decoded and before admission.
 * Nothing in it changes a request.
 */

import { type ApiError, forbidden, forbiddenRequest } from '../../api/errors/api-error.ts';
import { isNamespace } from '../../plan/deletion/namespace-deletion.ts';
import { isWatch } from '../dispatch.ts';
import type { Call, Method, ResourceRequest } from '../request.ts';
import type { AuthorizationAttributes, Authorizer } from './authorizer.ts';

/** Throws Forbidden with upstream's message unless `authorizer` allows the request. */
export function checkAllowed(authorizer: Authorizer, attributes: AuthorizationAttributes): void {
	const decision = authorizer.authorize(attributes);
	if (!decision.allowed) throw refusalOf(attributes, decision.reason);
}

/** The attributes of a call; `request` is undefined if its path names no resource. */
export function attributesOf(call: Call, request: ResourceRequest | undefined): AuthorizationAttributes {
	const { user, method, path } = call;
	if (!request) return { type: 'path', user, verb: method.toLowerCase(), path };
	const { definition, subresource, namespace, name } = request;
	const { group, version, resource } = definition;
	return {
		type: 'resource',
		user,
		verb: verbOf(request),
		group,
		version,
		resource,
		subresource,
		name,
		namespace: isNamespace(definition) ? name : namespace,
	};
}

/**
 * The attributes of the second check of a two-way stream: its user must be allowed to create it, even if a WebSocket opens
 * it by GET. Otherwise a role that allows only reads would run commands (upstream:
 * AuthorizePodWebsocketUpgradeCreatePermission).
 */
export function connectAttributesOf(call: Call, request: ResourceRequest): AuthorizationAttributes {
	return { ...attributesOf(call, request), verb: 'create' };
}

const VERBS: Readonly<Record<Method, string>> = {
	GET: 'get',
	POST: 'create',
	PUT: 'update',
	PATCH: 'patch',
	DELETE: 'delete',
	HEAD: 'get',
	// As upstream: only roles for all verbs allow it.
	OPTIONS: '',
};

/** Upstream: NewRequestInfo in k8s.io/apiserver. */
function verbOf(request: ResourceRequest): string {
	const { call, name } = request;
	if (isWatch(request)) return 'watch';
	if (name === '' && call.method === 'GET') return 'list';
	if (name === '' && call.method === 'DELETE') return 'deletecollection';
	return VERBS[call.method];
}

/** Upstream: Forbidden in responsewriters. */
function refusalOf(attributes: AuthorizationAttributes, reason: string): ApiError {
	const text = `${messageOf(attributes)}${reason === '' ? '' : `: ${reason}`}`;
	if (attributes.type === 'path') return forbiddenRequest(text);
	const { group, resource, name } = attributes;
	return forbidden({ group, resource, name }, text);
}

function messageOf(attributes: AuthorizationAttributes): string {
	const { user, verb } = attributes;
	const who = `User "${user.name}" cannot ${verb}`;
	if (attributes.type === 'path') return `${who} path "${attributes.path}"`;
	const { group, resource, subresource, namespace } = attributes;
	const what = subresource === '' ? resource : `${resource}/${subresource}`;
	const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
	return `${who} resource "${what}" in API group "${group}" ${where}`;
}
