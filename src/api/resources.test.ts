import assert from 'node:assert/strict';
import test from 'node:test';
import { apiVersionOf } from './contract/resource-definition.ts';
import { resourceNamed, resourceOfKind, resources, resourcesInCategory, viewResources } from './resources.ts';
import type { SchemaNode } from './schema/schema.ts';

test('the registry finds a resource by kind and by any of its names', () => {
	for (const definition of resources) {
		const { kind, resource, singular, shortNames } = definition;
		assert.equal(resourceOfKind(apiVersionOf(definition), kind), definition);
		for (const name of [kind, resource, singular, ...shortNames])
			assert.equal(resourceNamed(name), definition);
	}
	assert.equal(resourceNamed('events.events.k8s.io')?.group, 'events.k8s.io');
	assert.equal(resourceOfKind('events.k8s.io/v1', 'Event')?.group, 'events.k8s.io');
	assert.equal(resourceNamed('jobs.batch')?.kind, 'Job');
	assert.equal(resourceNamed('jobs.v1.batch')?.kind, 'Job');
	assert.equal(resourceNamed('deploy')?.kind, 'Deployment');
	assert.equal(resourceNamed('statefulsets'), undefined);
	assert.deepEqual(
		resourcesInCategory('all').map(({ kind }) => kind),
		['Pod', 'ReplicationController', 'Service', 'Deployment', 'ReplicaSet', 'CronJob', 'Job'],
	);
});

test('every object and field of a schema has a description, and each component one shape', () => {
	const seen = new Map<string, string>();
	const visit = (node: SchemaNode): void => {
		if (node.type === 'list') visit(node.items);
		if (node.type === 'map') visit(node.values);
		if (node.type !== 'object') return;
		assert.ok(node.description.endsWith('.'), node.name);
		const fields = Object.entries(node.fields);
		const shape = JSON.stringify(fields.map(([name, { schema, required }]) => [name, schema.type, required]));
		const known = seen.get(node.name);
		if (known !== undefined) {
			assert.equal(shape, known, `${node.name} has two shapes`);
			return;
		}
		seen.set(node.name, shape);
		for (const [name, { schema, description }] of fields) {
			assert.ok(description.endsWith('.'), `${node.name}.${name}`);
			visit(schema);
		}
	};
	for (const { schema } of [...resources, ...viewResources]) visit(schema);
	assert.ok(seen.size > 120);
});
