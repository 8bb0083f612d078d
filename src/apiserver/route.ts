import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import { methodNotAllowed, unknownPath } from '../api/errors/api-error.ts';
import type { Call, ResourceRequest } from './request.ts';
import type { ObjectCache } from './storage/object-cache.ts';

/** The parts of a resource path. Parsing does not check that the resource exists. */
export interface ResourcePath {
	readonly group: string;
	readonly version: string;
	readonly namespace: string;
	readonly resource: string;
	readonly name: string;
	readonly subresource: string;
	/** What follows the subresource, without a slash in front: only paths of a proxy have more. */
	readonly rest: string;
}

/**
 * Segments after `namespaces/<name>/` that are subresources of the Namespace and not namespaced resources.
 */
const NAMESPACE_SUBRESOURCES: readonly string[] = ['status', 'finalize'];

/**
 * Parses `/api/v1/…` and `/apis/<group>/<version>/…`. Undefined for paths that name no resource: discovery,
 * `/healthz` and unknown ones.
 */
export function parsePath(path: string): ResourcePath | undefined {
	const parts = path.split('/').filter((part) => part !== '');
	const root = parts.shift();
	if (root !== 'api' && root !== 'apis') return undefined;
	const group = root === 'apis' ? parts.shift() : '';
	const version = parts.shift();
	if (group === undefined || version === undefined || parts.length === 0) return undefined;
	let namespace = '';
	if (parts[0] === 'namespaces' && parts.length > 2 && !NAMESPACE_SUBRESOURCES.includes(parts[2] ?? '')) {
		namespace = decodePart(parts[1]);
		parts.splice(0, 2);
	}
	const [resource = '', name, subresource, ...rest] = parts;
	return {
		group,
		version,
		namespace,
		resource,
		name: decodePart(name),
		subresource: subresource ?? '',
		rest: rest.join('/'),
	};
}

/**
 * Finds the resource of a call; undefined if its path names none. Throws NotFound for a resource that is not
 * served, and MethodNotAllowed for writing to a namespaced collection without a namespace.
 */
export function routeToResource(cache: ObjectCache, call: Call): ResourceRequest | undefined {
	const path = parsePath(call.path);
	if (!path) return undefined;
	const resource = cache.of(path.group, path.resource);
	if (
		!resource ||
		resource.definition.version !== path.version ||
		(path.rest !== '' && path.subresource !== 'proxy')
	)
		throw unknownPath();
	const { definition } = resource;
	const { namespace, name, subresource, rest } = path;
	if (definition.isVirtual) checkVirtual(definition, call, path);
	if (!definition.namespaced && namespace !== '') throw unknownPath();
	if (definition.namespaced && namespace === '') {
		if (name !== '') throw unknownPath();
		if (call.method !== 'GET') throw methodNotAllowed();
	}
	return { call, resource, definition, namespace, name, subresource, rest };
}

/** Checks a request for a resource that is not stored. Throws NotFound or MethodNotAllowed. */
function checkVirtual(
	{ isReadOnly, namespaced }: ResourceDefinition,
	call: Call,
	{ name, namespace, subresource }: ResourcePath,
): void {
	const isWhole = name === '' && (!namespaced || namespace !== '');
	if ((!isWhole && !isReadOnly) || subresource !== '') throw unknownPath();
	if (call.method !== (isReadOnly ? 'GET' : 'POST') || call.query.flag('watch')) throw methodNotAllowed();
}

function decodePart(part: string | undefined): string {
	if (part === undefined || !part.includes('%')) return part ?? '';
	try {
		return decodeURIComponent(part);
	} catch {
		throw unknownPath();
	}
}
