import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceDefinition } from '../contract/resource-definition.ts';
import { type KubeObject, objectMetaSchema } from '../meta/object-meta.ts';
import { openApiDocument, openApiPath } from './openapi.ts';
import {
	atomic,
	bytes,
	int32,
	intOrString,
	list,
	map,
	mapList,
	object,
	oneOf,
	optional,
	quantity,
	raw,
	required,
	setList,
	string,
	time,
} from './schema.ts';

const partSchema = object('io.k8s.api.batch.v1.Part', 'A part.', {
	name: required(string, 'Its name.'),
	limits: optional(map(quantity), 'Its limits.'),
});
const schema = object('io.k8s.api.batch.v1.Thing', 'A thing.', {
	apiVersion: required(string, 'Version.'),
	kind: required(string, 'Kind.'),
	metadata: required(objectMetaSchema, 'Metadata.'),
	size: optional(int32, 'Its size.'),
	mode: optional(oneOf('A', 'B'), 'Its mode.'),
	started: optional(time, 'Its start.'),
	port: optional(intOrString, 'Its port.'),
	data: optional(bytes, 'Its data.'),
	free: optional(raw, 'Anything.'),
	parts: optional(mapList(partSchema, ['name', 'x'], { retainKeys: true }), 'Its parts.'),
	sets: optional(setList(string), 'A set.'),
	args: optional(list(string), 'A list.'),
	part: optional({ ...atomic(object('io.k8s.api.batch.v1.Sole', 's', {})), retainKeys: true }, 'One part.'),
});
const strategy = {
	prepareForCreate: (thing: KubeObject) => thing,
	prepareForUpdate: (thing: KubeObject) => thing,
	validateCreate: () => [],
	validateUpdate: () => [],
	allowUnconditionalUpdate: true,
};
const things: ResourceDefinition = {
	group: 'batch',
	version: 'v1',
	kind: 'Thing',
	resource: 'things',
	singular: 'thing',
	shortNames: [],
	categories: [],
	namespaced: true,
	schema,
	defaults: (thing) => thing,
	strategy,
	status: strategy,
	columns: [],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

const json = JSON.parse(JSON.stringify(openApiDocument([things], 'v1.36.0')));
const { schemas } = json.components;

test('every reference in the document resolves to a schema', () => {
	const references = JSON.stringify(json).match(/#\/components\/schemas\/[^"]+/g) ?? [];
	assert(references.length > 10);
	for (const reference of references) assert(schemas[reference.split('/').at(-1) ?? ''], reference);
});

test('PATCH has the parameter fieldValidation and accepts strategic merge patches', () => {
	const { patch } = json.paths['/apis/batch/v1/namespaces/{namespace}/things/{name}'];
	assert.deepEqual(patch['x-kubernetes-group-version-kind'], {
		group: 'batch',
		version: 'v1',
		kind: 'Thing',
	});
	assert(
		patch.parameters.some(
			(each: { name: string; in: string }) => each.name === 'fieldValidation' && each.in === 'query',
		),
	);
	assert('application/strategic-merge-patch+json' in patch.requestBody.content);
});

test('the document has the paths of the API', () => {
	assert.deepEqual(Object.keys(json.paths), [
		'/apis/batch/v1/things',
		'/apis/batch/v1/namespaces/{namespace}/things',
		'/apis/batch/v1/namespaces/{namespace}/things/{name}',
		'/apis/batch/v1/namespaces/{namespace}/things/{name}/status',
	]);
	const { status: _status, ...plain } = { ...things, group: '', namespaced: false };
	assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(openApiDocument([plain], 'v1.36.0'))).paths), [
		'/api/v1/things',
		'/api/v1/things/{name}',
	]);
	assert.equal(openApiPath(things), 'apis/batch/v1');
	assert.equal(openApiPath(plain), 'api/v1');
});

test('a kind names its group, version and kind and requires no field; its parts require their required fields', () => {
	const thing = schemas['io.k8s.api.batch.v1.Thing'];
	assert.deepEqual(thing['x-kubernetes-group-version-kind'], [
		{ group: 'batch', version: 'v1', kind: 'Thing' },
	]);
	assert.equal(thing.required, undefined);
	assert.deepEqual(schemas['io.k8s.api.batch.v1.Part'].required, ['name']);
	assert.equal(schemas['io.k8s.api.batch.v1.Sole']['x-kubernetes-map-type'], 'atomic');
});

test('each type of field is translated to its OpenAPI schema', () => {
	const { properties } = schemas['io.k8s.api.batch.v1.Thing'];
	const ref = (name: string): object => ({ allOf: [{ $ref: `#/components/schemas/${name}` }] });
	assert.deepEqual(properties.size, { type: 'integer', format: 'int32', description: 'Its size.' });
	assert.deepEqual(properties.mode, { type: 'string', enum: ['A', 'B'], description: 'Its mode.' });
	assert.deepEqual(properties.started, {
		...ref('io.k8s.apimachinery.pkg.apis.meta.v1.Time'),
		description: 'Its start.',
	});
	assert.deepEqual(properties.data, { type: 'string', format: 'byte', description: 'Its data.' });
	assert.deepEqual(properties.free, { description: 'Anything.' });
	assert.deepEqual(properties.parts, {
		type: 'array',
		items: ref('io.k8s.api.batch.v1.Part'),
		'x-kubernetes-list-type': 'map',
		'x-kubernetes-list-map-keys': ['name', 'x'],
		'x-kubernetes-patch-strategy': 'merge,retainKeys',
		'x-kubernetes-patch-merge-key': 'name',
		description: 'Its parts.',
	});
	assert.equal(properties.sets['x-kubernetes-list-type'], 'set');
	assert.equal(properties.args['x-kubernetes-list-type'], 'atomic');
	assert.equal(properties.args['x-kubernetes-patch-strategy'], undefined);
	assert.equal(properties.part['x-kubernetes-patch-strategy'], 'retainKeys');
	assert.deepEqual(schemas['io.k8s.api.batch.v1.Part'].properties.limits.additionalProperties, {
		allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity' }],
	});
});

test('the kind that a subresource accepts has its path and schema', () => {
	const taken = { group: 'policy', version: 'v1', kind: 'Sole', schema: partSchema };
	const document = openApiDocument([things], 'v1', () => new Map([['sole', taken]]));
	const paths = document.paths as Record<string, Record<string, unknown>>; // `as`: a document has them.
	const path = paths['/apis/batch/v1/namespaces/{namespace}/things/{name}/sole'];
	assert.deepEqual(Object.keys(path ?? {}), ['post', 'parameters']);
	assert.match(
		JSON.stringify(path?.post),
		/"kind":"Sole".*#\/components\/schemas\/io.k8s.api.batch.v1.Part"/,
	);
});

test('a kind that clients also read at a subresource has the operations of an object there', () => {
	const taken = { group: 'autoscaling', version: 'v1', kind: 'Sole', schema: partSchema, isRead: true };
	const document = openApiDocument([things], 'v1', () => new Map([['sole', taken]]));
	const paths = document.paths as Record<string, Record<string, unknown>>; // `as`: a document has them.
	const path = paths['/apis/batch/v1/namespaces/{namespace}/things/{name}/sole'];
	assert.deepEqual(Object.keys(path ?? {}), ['get', 'put', 'patch', 'parameters']);
});

test('a subresource to which clients connect has operations with the parameters of its options', () => {
	const options = { group: '', version: 'v1', kind: 'Options', parameters: { tty: 'boolean' } } as const;
	const document = openApiDocument([things], 'v1', () => new Map([['exec', options]]));
	const { paths } = JSON.parse(JSON.stringify(document));
	const [, path] = Object.entries<Record<string, { parameters: unknown }>>(paths).find(([name]) =>
		name.endsWith('/{name}/exec'),
	) ?? ['', {}];
	for (const method of ['get', 'post']) {
		const operation = path[method];
		assert.deepEqual(operation?.parameters, [
			{ name: 'tty', in: 'query', schema: { type: 'boolean', uniqueItems: true } },
		]);
		assert.deepEqual(JSON.parse(JSON.stringify(operation))['x-kubernetes-group-version-kind'], {
			group: '',
			version: 'v1',
			kind: 'Options',
		});
	}
});
