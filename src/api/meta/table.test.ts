import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../contract/resource-definition.ts';
import { ageOf } from './duration.ts';
import type { KubeObject } from './object-meta.ts';
import { includeObjectOf, tableOf } from './table.ts';

const columns: readonly Column<KubeObject>[] = [
	{
		name: 'Name',
		type: 'string',
		format: 'name',
		description: 'The name.',
		priority: 0,
		cell: (o) => o.metadata.name ?? '',
	},
	{
		name: 'Age',
		type: 'date',
		description: 'The age.',
		priority: 1,
		cell: (o, now) => ageOf(o.metadata.creationTimestamp, now),
	},
];
const thing: KubeObject = {
	apiVersion: 'v1',
	kind: 'Thing',
	metadata: { name: 'a', creationTimestamp: '2026-01-31T08:00:00Z' },
};
const options = {
	version: 'v1',
	metadata: { resourceVersion: '7' },
	includeObject: 'Metadata',
	now: Date.UTC(2026, 0, 31, 8, 1),
} as const;

test('a Table has the column definitions, and a row of cells and metadata for each object', () => {
	assert.deepEqual(tableOf({ columns }, [thing], options), {
		kind: 'Table',
		apiVersion: 'meta.k8s.io/v1',
		metadata: { resourceVersion: '7' },
		columnDefinitions: [
			{ name: 'Name', type: 'string', format: 'name', description: 'The name.', priority: 0 },
			{ name: 'Age', type: 'date', format: '', description: 'The age.', priority: 1 },
		],
		rows: [
			{
				cells: ['a', '60s'],
				object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: thing.metadata },
			},
		],
	});
});

test('includeObject decides which part of the object a row contains', () => {
	assert.equal(tableOf({ columns }, [thing], { ...options, includeObject: 'Object' }).rows[0]?.object, thing);
	assert.equal(tableOf({ columns }, [thing], { ...options, includeObject: 'None' }).rows[0]?.object, null);
	assert.equal(tableOf({ columns }, [], { ...options, headless: true }).columnDefinitions, null);
});

test('includeObjectOf() parses the query parameter', () => {
	assert.equal(includeObjectOf(undefined), 'Metadata');
	assert.equal(includeObjectOf('None'), 'None');
	assert.throws(() => includeObjectOf('Some'), {
		code: 400,
		message: /must be 'Metadata', 'Object', 'None', or empty/,
	});
});
