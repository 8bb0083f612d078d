import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Query } from '../query.ts';
import { negotiate } from './negotiate.ts';

const as = (accept: string, query = {}): string => negotiate(accept, new Query(query)).as;

test('JSON is the default form', () => {
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

test('Tables and metadata have v1 and v1beta1, by the order of the media ranges', () => {
	const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
	const older = 'application/json;as=Table;v=v1beta1;g=meta.k8s.io';
	const of = (accept: string): unknown => negotiate(accept, new Query());
	const includeObject = 'Metadata';
	assert.deepEqual(of(`${table},${older},application/json`), { as: 'table', version: 'v1', includeObject });
	assert.deepEqual(of(older), { as: 'table', version: 'v1beta1', includeObject });
	assert.deepEqual(of(`${older},application/json`), { as: 'table', version: 'v1beta1', includeObject });
	assert.equal(as(`application/json,${table}`), 'plain');
	assert.equal(as(`application/json;q=0.1, ${table}`), 'table');
	for (const version of ['v1', 'v1beta1']) {
		const metadata = `application/json;g=meta.k8s.io;v=${version};as=PartialObjectMetadata`;
		assert.deepEqual(of(metadata), { as: 'metadata', version, list: false });
		assert.deepEqual(of(`${metadata}List`), { as: 'metadata', version, list: true });
	}
	assert.throws(() => as('application/json;as=Table;v=v2;g=meta.k8s.io'), { code: 406 });
	assert.throws(() => as('application/json;as=Table;v=v1;g=other'), { code: 406 });
	assert.throws(() => as('application/json;as=Chair;v=v1;g=meta.k8s.io'), { code: 406 });
	assert.throws(() => as(table, { includeObject: 'Half' }), { code: 400 });
});
