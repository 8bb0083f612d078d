import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { setSource } from '../api/meta/object-source.ts';
import { ObjectCopies } from './object-copies.ts';

/** A stored object that counts how often it is decoded. */
function stored(name: string, resourceVersion = '1') {
	const make = (): KubeObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name, resourceVersion } });
	const source = {
		decoded: 0,
		get object(): KubeObject {
			source.decoded += 1;
			return make();
		},
	};
	const object = make();
	setSource(object, source);
	return { object, source };
}

describe('copies of objects', () => {
	test('a released object is decoded from its source, and its metadata is available without that', () => {
		const copies = new ObjectCopies<KubeObject>();
		const { object, source } = stored('a');
		copies.set('a', object);
		copies.release('a', object);
		assert.equal(copies.metadataOf('a')?.metadata, object.metadata);
		assert.deepEqual([...copies.keys()], ['a']);
		assert.equal(source.decoded, 0);
		assert.deepEqual(copies.get('a'), object);
		assert.notEqual(copies.get('a'), object);
		assert.equal(source.decoded, 2);
		assert.deepEqual([...copies.objects()], [object]);
	});

	test('a released object is kept whole again after a change, and is removed by a deletion', () => {
		const copies = new ObjectCopies<KubeObject>();
		const [before, after] = [stored('a', '1'), stored('a', '2')];
		copies.set('a', before.object);
		copies.release('a', before.object);
		copies.set('a', after.object);
		assert.equal(copies.get('a'), after.object);
		assert.deepEqual([...copies.keys()], ['a']);
		copies.release('a', after.object);
		copies.delete('a');
		assert.equal(copies.get('a'), undefined);
		assert.equal(copies.metadataOf('a'), undefined);
		assert.equal(after.source.decoded, 0);
	});

	test('an object is kept whole if it has no source, or is another version than the released one', () => {
		const copies = new ObjectCopies<KubeObject>();
		const remote: KubeObject = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'r' } };
		copies.set('r', remote);
		copies.release('r', remote);
		assert.equal(copies.get('r'), remote);
		const [old, current] = [stored('a', '1'), stored('a', '2')];
		copies.set('a', current.object);
		copies.release('a', old.object);
		assert.equal(copies.get('a'), current.object);
	});
});
