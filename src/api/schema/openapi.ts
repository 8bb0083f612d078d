/**
 * Generates the OpenAPI v3 document of a group and version from the schemas of its kinds. It contains what
 * kubectl reads, and no more:
 *
 * 1. PATCH operations with the parameter `fieldValidation`, so that kubectl leaves validation to the server.
 * 2. Schemas with their patch strategies, from which `kubectl apply` computes its patch.
 * 3. Paths and descriptions, for `kubectl explain`.
 *
 * Generating a document takes some milliseconds, so the caller generates it at the first request.
 */

import { compareText } from '../../base/compare-text.ts';
import { apiVersionOf, type ResourceDefinition } from '../contract/resource-definition.ts';
import { listMergeOf } from '../patch/patch-schema.ts';
import type { Field, ListNode, ObjectNode, SchemaNode, StringNode } from './schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** A kind that clients send to a subresource and that is never stored (Eviction, Scale). */
export interface SubresourceKind extends Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'schema'> {
	/** Whether clients also read it there, and then PUT or PATCH it. By default they only POST it. */
	readonly isRead?: boolean;
}

/** The kind of the query parameters with which clients connect to a subresource (PodExecOptions). */
export interface ConnectOptions extends Pick<ResourceDefinition, 'group' | 'version' | 'kind'> {
	/** The type of each parameter. */
	readonly parameters: Readonly<Record<string, 'string' | 'boolean' | 'integer'>>;
}

/**
 * The kinds that the subresources of a resource accept, by subresource name, for those with a kind of their
 * own.
 */
export type SubresourceKinds = (
	definition: ResourceDefinition,
) => ReadonlyMap<string, SubresourceKind | ConnectOptions>;

/**
 * The document for `definitions`, which must all have the same group and version. `version` is the server's.
 */
export function openApiDocument(
	definitions: readonly ResourceDefinition[],
	version: string,
	subresourceKinds: SubresourceKinds = () => new Map(),
): Json {
	const schemas = new Map<string, Json>();
	const paths: Record<string, Json> = {};
	for (const definition of definitions) {
		component(definition.schema, schemas, definition);
		Object.assign(paths, pathsOf(definition));
		for (const [name, taken] of subresourceKinds(definition)) {
			if ('schema' in taken) component(taken.schema, schemas, taken);
			paths[`${rootOf(definition)}/{name}/${name}`] = {
				...('schema' in taken ? subresourceOperations(taken) : connections(taken)),
				parameters: pathParameters(definition.namespaced, true),
			};
		}
	}
	return {
		openapi: '3.0.0',
		info: { title: 'Kubernetes', version },
		paths,
		components: { schemas: Object.fromEntries([...schemas].sort(([a], [b]) => compareText(a, b))) },
	};
}

/** The path of a group and version under `/openapi/v3/`: `api/v1`, `apis/batch/v1`. */
export function openApiPath(definition: Pick<ResourceDefinition, 'group' | 'version'>): string {
	return `${definition.group === '' ? 'api' : 'apis'}/${apiVersionOf(definition)}`;
}

/** The components of a document that were generated so far, by component name. */
type Schemas = Map<string, Json>;

function component(node: ObjectNode, schemas: Schemas, definition?: SubresourceKind): void {
	if (schemas.has(node.name)) return;
	// Registered before its fields are visited, so that a recursive schema ends.
	schemas.set(node.name, {});
	const properties: Record<string, Json> = {};
	for (const [name, field] of Object.entries(node.fields)) properties[name] = property(field, schemas);
	// Whole objects have no required fields: the server sets kind and apiVersion, and metadata may be empty.
	const required = definition ? [] : Object.keys(node.fields).filter((name) => node.fields[name]?.required);
	schemas.set(node.name, {
		type: 'object',
		description: node.description,
		properties,
		...(required.length > 0 && { required }),
		...(node.atomic && { 'x-kubernetes-map-type': 'atomic' }),
		...(definition && { 'x-kubernetes-group-version-kind': [groupVersionKind(definition)] }),
	});
}

/**
 * A field's schema with its description. The patch strategy of an object belongs to the field, not to the
 * component.
 */
function property({ schema, description }: Field, schemas: Schemas): Json {
	const retainKeys = schema.type === 'object' && schema.retainKeys;
	return {
		...schemaOf(schema, schemas),
		description,
		...(retainKeys && { 'x-kubernetes-patch-strategy': 'retainKeys' }),
	};
}

function schemaOf(node: SchemaNode, schemas: Schemas): Json {
	switch (node.type) {
		case 'string':
			return stringSchema(node, schemas);
		case 'integer':
			return { type: 'integer', format: node.format };
		case 'boolean':
			return { type: 'boolean' };
		case 'raw':
			return node.only === 'object' ? { type: 'object' } : {};
		case 'int-or-string':
			return scalar('io.k8s.apimachinery.pkg.util.intstr.IntOrString', INT_OR_STRING, schemas);
		case 'map':
			return { type: 'object', additionalProperties: schemaOf(node.values, schemas) };
		case 'list':
			return listSchema(node, schemas);
		case 'object':
			component(node, schemas);
			return reference(node.name);
	}
}

function stringSchema(node: StringNode, schemas: Schemas): Json {
	switch (node.format) {
		case 'time':
			return scalar('io.k8s.apimachinery.pkg.apis.meta.v1.Time', TIME, schemas);
		case 'micro-time':
			return scalar('io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime', MICRO_TIME, schemas);
		case 'quantity':
			return scalar('io.k8s.apimachinery.pkg.api.resource.Quantity', QUANTITY, schemas);
		case 'byte':
			return { type: 'string', format: 'byte' };
		default:
			return { type: 'string', ...(node.enum && { enum: node.enum }) };
	}
}

/**
 * A list with its merge strategy for server-side apply (list-type) and for strategic merge patches
 * (patch-strategy).
 */
function listSchema(node: ListNode, schemas: Schemas): Json {
	const merge = listMergeOf(node);
	return {
		type: 'array',
		items: schemaOf(node.items, schemas),
		'x-kubernetes-list-type': node.list,
		...(node.list === 'map' && { 'x-kubernetes-list-map-keys': node.keys }),
		...(merge.by === 'value' && { 'x-kubernetes-patch-strategy': 'merge' }),
		...(merge.by === 'key' && {
			'x-kubernetes-patch-strategy': merge.retainKeys ? 'merge,retainKeys' : 'merge',
			'x-kubernetes-patch-merge-key': merge.key,
		}),
	};
}

/** These types are components, as upstream's, since `kubectl explain` prints the name of a component. */
function scalar(name: string, schema: Json, schemas: Schemas): Json {
	schemas.set(name, schema);
	return reference(name);
}

/** Wrapped in `allOf`, since OpenAPI 3.0 ignores a description beside a bare `$ref`. */
function reference(name: string): Json {
	return { allOf: [{ $ref: `#/components/schemas/${name}` }] };
}

const TIME: Json = {
	type: 'string',
	format: 'date-time',
	description: 'A point in time as RFC 3339 text, in whole seconds: 2026-01-31T08:00:00Z.',
};
const MICRO_TIME: Json = {
	type: 'string',
	format: 'date-time',
	description: 'A point in time as RFC 3339 text, in microseconds: 2026-01-31T08:00:00.000000Z.',
};
const QUANTITY: Json = {
	oneOf: [{ type: 'string' }, { type: 'number' }],
	description: 'A number with an optional suffix for its scale: 500m, 2, 1Gi.',
};
const INT_OR_STRING: Json = {
	oneOf: [{ type: 'integer' }, { type: 'string' }],
	format: 'int-or-string',
	description: 'An integer or a string, such as a port by number or by name.',
};

/**
 * The paths of one resource. kubectl finds a kind by the operations of its paths, and its fields by the
 * schemas.
 */
function pathsOf(definition: ResourceDefinition): Record<string, Json> {
	if (definition.isVirtual) {
		const post = operation(definition, 'post', WRITE_PARAMETERS);
		const parameters = definition.namespaced ? { parameters: pathParameters(true, false) } : {};
		return { [rootOf(definition)]: { post, ...parameters } };
	}
	const base = `/${openApiPath(definition)}`;
	const { namespaced, resource, status } = definition;
	const root = rootOf(definition);
	const { get, put, patch } = objectOperations(definition);
	return {
		...(namespaced && { [`${base}/${resource}`]: { get: operation(definition, 'list', []) } }),
		[root]: {
			get: operation(definition, 'list', []),
			post: operation(definition, 'post', WRITE_PARAMETERS),
			delete: operation(definition, 'deletecollection', ['dryRun']),
			parameters: pathParameters(namespaced, false),
		},
		[`${root}/{name}`]: {
			...objectOperations(definition),
			parameters: pathParameters(namespaced, true),
		},
		...(status && {
			[`${root}/{name}/status`]: { get, put, patch, parameters: pathParameters(namespaced, true) },
		}),
	};
}

/** The path of the collection to which clients POST new objects. */
function rootOf(definition: ResourceDefinition): string {
	const { namespaced, resource } = definition;
	return `/${openApiPath(definition)}${namespaced ? '/namespaces/{namespace}' : ''}/${resource}`;
}

interface ObjectOperations {
	readonly get: Json;
	readonly put: Json;
	readonly patch: Json;
	readonly delete: Json;
}

function objectOperations(definition: SubresourceKind): ObjectOperations {
	return {
		get: operation(definition, 'get', []),
		put: operation(definition, 'put', WRITE_PARAMETERS),
		patch: operation(definition, 'patch', [...WRITE_PARAMETERS, 'force']),
		delete: operation(definition, 'delete', ['dryRun', 'gracePeriodSeconds', 'propagationPolicy']),
	};
}

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'];

function subresourceOperations(kind: SubresourceKind): Json {
	if (!kind.isRead) return { post: operation(kind, 'post', WRITE_PARAMETERS) };
	const { get, put, patch } = objectOperations(kind);
	return { get, put, patch };
}

/** kubectl reads parameters only here: neither those of the path nor those behind a `$ref`. */
function operation(definition: SubresourceKind, action: string, parameters: readonly string[]): Json {
	const object = { schema: { $ref: `#/components/schemas/${definition.schema.name}` } };
	return {
		'x-kubernetes-action': action,
		'x-kubernetes-group-version-kind': groupVersionKind(definition),
		parameters: parameters.map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
		...(action === 'patch' && { requestBody: { content: PATCH_BODIES } }),
		...((action === 'post' || action === 'put') && {
			requestBody: { content: { 'application/json': object } },
		}),
		responses: { '200': { description: 'OK', content: { 'application/json': object } } },
	};
}

/** The operations of a subresource to which clients connect. */
function connections(options: ConnectOptions): Json {
	const connect = {
		'x-kubernetes-action': 'connect',
		'x-kubernetes-group-version-kind': groupVersionKind(options),
		parameters: Object.entries(options.parameters).map(([name, type]) => ({
			name,
			in: 'query',
			schema: { type, uniqueItems: true },
		})),
		responses: { '200': { description: 'OK', content: { '*/*': { schema: { type: 'string' } } } } },
	};
	return { get: connect, post: connect };
}

/**
 * The patch types that the server accepts. kubectl checks for strategic merge patches before it sends one.
 */
const PATCH_BODIES: Json = Object.fromEntries(
	['json-patch', 'merge-patch', 'strategic-merge-patch'].map((kind) => [
		`application/${kind}+json`,
		{ schema: {} },
	]),
);

function pathParameters(namespaced: boolean, named: boolean): readonly Json[] {
	const names = [...(named ? ['name'] : []), ...(namespaced ? ['namespace'] : [])];
	return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function groupVersionKind({
	group,
	version,
	kind,
}: Pick<SubresourceKind, 'group' | 'version' | 'kind'>): Json {
	return { group, version, kind };
}
