import { tokenRequestSchema } from '../../api/authentication/token-request.ts';
import { scaleSchema } from '../../api/autoscaling/scale/schema.ts';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { ResourceDefinition, SubresourceStrategy } from '../../api/contract/resource-definition.ts';
import { bindingSchema } from '../../api/core/binding/schema.ts';
import {
	podEphemeralContainersStrategy,
	podResizeStrategy,
} from '../../api/core/pod/running-pod-strategies.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { evictionSchema } from '../../api/policy/eviction/schema.ts';
import type { ConnectOptions, SubresourceKind } from '../../api/schema/openapi.ts';
import { isNamespace } from '../../plan/deletion/namespace-deletion.ts';
import type { ServerContext } from '../context.ts';
import type { ProxyTarget } from '../proxy/proxy-target.ts';
import type { Method, ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { nodeProxy } from '../usage/node-summary.ts';
import { get } from '../verbs/get.ts';
import { patch } from '../verbs/patch.ts';
import { update } from '../verbs/update.ts';
import type { UpdateStrategy } from '../verbs/update-object.ts';
import { ATTACH_OPTIONS, podAttach } from './attach.ts';
import { bind } from './binding.ts';
import { evict } from './eviction.ts';
import { EXEC_OPTIONS, podExec } from './exec.ts';
import { finalize } from './finalize.ts';
import { podLog } from './log.ts';
import { POD_PROXY_OPTIONS, podProxy } from './pod-proxy.ts';
import { PORT_FORWARD_OPTIONS, type PortOpener, podPortForward, podPorts } from './port-forward.ts';
import { getScale, patchScale, putScale, SCALE } from './scale.ts';
import { SERVICE_PROXY_OPTIONS, serviceProxy } from './service-proxy.ts';
import { issueToken } from './token.ts';

/** Performs one method on a resource and resolves to its result. Rejects with an ApiError. */
export type Verb = (server: ServerContext, request: ResourceRequest) => Promise<Result>;

/** A subresource: a part of an object with a path of its own, or an operation on it. */
export interface Subresource {
	readonly name: string;
	/** Whether a resource has it. */
	appliesTo(definition: ResourceDefinition): boolean;
	readonly verbs: Partial<Record<Method, Verb>>;
	/** Answers GET with a stream of bytes instead of an object. */
	readonly stream?: (server: ServerContext, request: ResourceRequest) => Promise<AsyncIterable<Uint8Array>>;
	/**
	 * Answers GET and POST with a two-way stream. Checks the request, with an ApiError for the client, and returns the
	 * function that opens the session: the server calls it once it knows that the connection can carry one.
	 */
	readonly duplex?: (server: ServerContext, request: ResourceRequest) => () => Promise<Duplex>;
	/** The same for a connection that carries any number of sessions, each with a port that the client names. */
	readonly ports?: (server: ServerContext, request: ResourceRequest) => PortOpener;
	/**
	 * Passes all requests on to a Pod, whatever their method. Checks the request, with an ApiError for the client, and
	 * returns where it goes.
	 */
	readonly proxy?: (server: ServerContext, request: ResourceRequest) => ProxyTarget;
	/** The kind of its query parameters, if they are documented as one. */
	readonly connects?: ConnectOptions;
	/** The kind of object that clients send to it, if it is not the resource's own kind. */
	readonly accepts?: SubresourceKind;
	/** Verbs in the discovery documents. */
	readonly discoveryVerbs: readonly string[];
}

/** All subresources. Dispatch, discovery and OpenAPI read this table. */
export const SUBRESOURCES: readonly Subresource[] = [
	{
		name: 'status',
		appliesTo: ({ status }) => status !== undefined,
		verbs: {
			GET: get,
			PUT: (server, request) => update(server, request, statusStrategy(request.definition)),
			PATCH: (server, request) => patch(server, request, statusStrategy(request.definition)),
		},
		discoveryVerbs: ['get', 'patch', 'update'],
	},
	{
		name: 'scale',
		appliesTo: ({ scale }) => scale !== undefined,
		verbs: { GET: getScale, PUT: putScale, PATCH: patchScale },
		accepts: { group: 'autoscaling', version: 'v1', kind: SCALE.kind, schema: scaleSchema },
		discoveryVerbs: ['get', 'patch', 'update'],
	},
	podPart('ephemeralcontainers', podEphemeralContainersStrategy),
	podPart('resize', podResizeStrategy),
	{
		name: 'binding',
		appliesTo: isPodResource,
		verbs: { POST: bind },
		accepts: { group: '', version: 'v1', kind: 'Binding', schema: bindingSchema },
		discoveryVerbs: ['create'],
	},
	{
		name: 'eviction',
		appliesTo: isPodResource,
		verbs: { POST: evict },
		accepts: { group: 'policy', version: 'v1', kind: 'Eviction', schema: evictionSchema },
		discoveryVerbs: ['create'],
	},
	{ name: 'log', appliesTo: isPodResource, verbs: {}, stream: podLog, discoveryVerbs: ['get'] },
	{
		name: 'exec',
		appliesTo: isPodResource,
		verbs: {},
		duplex: podExec,
		connects: EXEC_OPTIONS,
		discoveryVerbs: ['create', 'get'],
	},
	{
		name: 'attach',
		appliesTo: isPodResource,
		verbs: {},
		duplex: podAttach,
		connects: ATTACH_OPTIONS,
		discoveryVerbs: ['create', 'get'],
	},
	{
		name: 'portforward',
		appliesTo: isPodResource,
		verbs: {},
		duplex: podPortForward,
		ports: podPorts,
		connects: PORT_FORWARD_OPTIONS,
		discoveryVerbs: ['create', 'get'],
	},
	{
		name: 'proxy',
		appliesTo: isPodResource,
		verbs: {},
		proxy: podProxy,
		connects: POD_PROXY_OPTIONS,
		discoveryVerbs: ['create', 'delete', 'get', 'patch', 'update'],
	},
	{
		name: 'proxy',
		appliesTo: ({ group, resource }) => group === '' && resource === 'services',
		verbs: {},
		proxy: serviceProxy,
		connects: SERVICE_PROXY_OPTIONS,
		discoveryVerbs: ['create', 'delete', 'get', 'patch', 'update'],
	},
	{
		name: 'token',
		appliesTo: ({ group, resource }) => group === '' && resource === 'serviceaccounts',
		verbs: { POST: issueToken },
		accepts: {
			group: 'authentication.k8s.io',
			version: 'v1',
			kind: 'TokenRequest',
			schema: tokenRequestSchema,
		},
		discoveryVerbs: ['create'],
	},
	{
		name: 'proxy',
		appliesTo: ({ group, resource }) => group === '' && resource === 'nodes',
		verbs: { GET: nodeProxy },
		discoveryVerbs: ['get'],
	},
	{ name: 'finalize', appliesTo: isNamespace, verbs: { PUT: finalize }, discoveryVerbs: ['update'] },
];

/** A subresource that changes one part of the spec of a running Pod. */
function podPart(name: string, strategy: SubresourceStrategy<KubeObject>): Subresource {
	const own = { ...strategy, allowUnconditionalUpdate: true };
	return {
		name,
		appliesTo: isPodResource,
		verbs: {
			GET: get,
			PUT: (server, request) => update(server, request, own),
			PATCH: (server, request) => patch(server, request, own),
		},
		discoveryVerbs: ['get', 'patch', 'update'],
	};
}

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
