import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { ResourceCodec, StoredObject } from '../storage/stored-object.ts';
import { SharedLines } from './shared-lines.ts';

const codec = new ResourceCodec(namespaces);

function object(name: string): StoredObject {
	const value = codec.encode({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
	return new StoredObject(codec, { key: codec.key('', name), revision: 1, value });
}

test('a line is encoded once for each object and form', () => {
	const shared = new SharedLines();
	let made = 0;
	const get = (stored: StoredObject, variant: string): Uint8Array =>
		shared.get(stored, variant, () => Buffer.from(`${variant} ${++made}`));
	const [a, b] = [object('a'), object('b')];
	assert.equal(get(a, 'ADDED'), get(a, 'ADDED'));
	assert.notEqual(get(a, 'ADDED'), get(a, 'MODIFIED'));
	assert.notEqual(get(a, 'ADDED'), get(b, 'ADDED'));
	assert.equal(made, 3);
});

test('a line is dropped after between half a megabyte and a megabyte of newer lines', () => {
	const shared = new SharedLines();
	const line = Buffer.alloc(128 * 1024);
	const first = object('first');
	let made = 0;
	const make = (): Uint8Array => {
		made += 1;
		return line;
	};
	const getFirst = (): void => void shared.get(first, 'ADDED', make);
	getFirst();
	for (let index = 0; index < 4; index++) shared.get(object(`n${index}`), 'ADDED', () => line);
	getFirst();
	assert.equal(made, 1);
	for (let index = 0; index < 8; index++) shared.get(object(`m${index}`), 'ADDED', () => line);
	getFirst();
	assert.equal(made, 2);
});
