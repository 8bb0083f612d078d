import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiate } from './negotiate.ts';
import { Query } from './query.ts';

const as = (accept: string, query = {}): string => negotiate(accept, new Query(query)).as;

test('JSON is for everybody who does not want anything else', () => {
	for (const accept of [
		'',
		'*/*',
		'application/json',
		'application/*',
		'application/json;q=0.8, */*;q=0.5',
	]) {
		assert.equal(as(accept), 'plain', accept);
	}
	assert.equal(as('application/vnd.kubernetes.protobuf,application/json'), 'plain');
	assert.equal(as('application/vnd.kubernetes.protobuf, */*'), 'plain');
	assert.throws(() => as('application/vnd.kubernetes.protobuf'), { code: 406 });
	assert.throws(() => as('text/html'), {
		message: 'only the following media types are accepted: application/json',
	});
});

test('tables and metadata come in v1, by the order of the alternatives', () => {
	const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
	assert.equal(as(`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`), 'table');
	assert.equal(as('application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'), 'plain');
	assert.equal(as(`application/json,${table}`), 'plain');
	assert.equal(as(`application/json;q=0.1, ${table}`), 'table');
	assert.equal(as('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'), 'metadata');
	assert.throws(() => as('application/json;as=Chair;v=v1;g=meta.k8s.io'), { code: 406 });
	assert.throws(() => as(table, { includeObject: 'Half' }), { code: 422 });
});
