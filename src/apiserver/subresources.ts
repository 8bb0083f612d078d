import type { SubresourceKind } from '../api/meta/openapi.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { evictionSchema } from '../api/policy/eviction/schema.ts';
import { bind, bindingSchema } from './binding.ts';
import type { ServerContext } from './context.ts';
import { evict } from './eviction.ts';
import { finalize } from './finalize.ts';
import { get } from './get.ts';
import { podLog } from './log.ts';
import { isNamespace } from './namespace-deletion.ts';
import { patch } from './patch.ts';
import type { UpdateStrategy } from './replace.ts';
import type { Method, ResourceRequest } from './request.ts';
import type { Result } from './result.ts';
import { update } from './update.ts';

/** Performs one method on a resource. */
export type Verb = (server: ServerContext, request: ResourceRequest) => Promise<Result>;

/** A part of an object that has a path of its own, or something that is done to it. */
export interface Subresource {
	readonly name: string;
	/** Which resources have it. */
	of(definition: ResourceDefinition): boolean;
	readonly verbs: Partial<Record<Method, Verb>>;
	/** Answers with bytes as they come, instead of an object. */
	readonly stream?: (server: ServerContext, request: ResourceRequest) => Promise<AsyncIterable<Uint8Array>>;
	/** The kind of object that is posted to it, where it is not the resource's own kind that it deals in. */
	readonly takes?: SubresourceKind;
	/** The verbs that discovery lists. */
	readonly listed: readonly string[];
}

/** All subresources. Dispatch and discovery read them off here. */
export const SUBRESOURCES: readonly Subresource[] = [
	{
		name: 'status',
		of: ({ status }) => status !== undefined,
		verbs: {
			GET: get,
			PUT: (server, request) => update(server, request, statusStrategy(request.definition)),
			PATCH: (server, request) => patch(server, request, statusStrategy(request.definition)),
		},
		listed: ['get', 'patch', 'update'],
	},
	{
		name: 'binding',
		of: isPodResource,
		verbs: { POST: bind },
		takes: { group: '', version: 'v1', kind: 'Binding', schema: bindingSchema },
		listed: ['create'],
	},
	{
		name: 'eviction',
		of: isPodResource,
		verbs: { POST: evict },
		takes: { group: 'policy', version: 'v1', kind: 'Eviction', schema: evictionSchema },
		listed: ['create'],
	},
	{ name: 'log', of: isPodResource, verbs: {}, stream: podLog, listed: ['get'] },
	{ name: 'finalize', of: isNamespace, verbs: { PUT: finalize }, listed: ['update'] },
];

function isPodResource({ group, resource }: ResourceDefinition): boolean {
	return group === '' && resource === 'pods';
}

function statusStrategy({ status, strategy }: ResourceDefinition): UpdateStrategy {
	const own = status ?? strategy;
	return {
		prepareForUpdate: (object, old) => own.prepareForUpdate(object, old),
		validateUpdate: (object, old) => own.validateUpdate(object, old),
		allowUnconditionalUpdate: strategy.allowUnconditionalUpdate,
	};
}
