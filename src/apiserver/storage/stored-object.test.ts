import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { sourceOf } from '../../api/meta/object-source.ts';
import { deepFreeze } from '../../base/json/freeze.ts';
import { PendingWrite, ResourceCodec, StoredObject, withRevision } from './stored-object.ts';

const codec = new ResourceCodec(namespaces);
const object = deepFreeze({
	status: {},
	metadata: { resourceVersion: '7', name: 'a', uid: 'u' },
	apiVersion: 'v1',
	kind: 'Namespace',
	spec: {},
});

test('a stored value has no resourceVersion and starts with kind, apiVersion and metadata', () => {
	const text = Buffer.from(codec.encode(object)).toString();
	assert.equal(
		text,
		'{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"a","uid":"u"},"status":{},"spec":{}}',
	);
});

test('a stored value is UTF-8', () => {
	const value = codec.encode({ ...object, metadata: { name: 'ä', uid: 'u' } });
	assert.match(Buffer.from(value).toString(), /^\{.*"name":"ä".*\}$/);
});

test('an object with only metadata is encoded as valid JSON', () => {
	const bare = { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'a' } };
	assert.equal(
		Buffer.from(codec.encode(bare)).toString(),
		'{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"a"}}',
	);
});

test('served and decoded objects have the revision as resourceVersion', () => {
	const text = fc.string({ unit: 'grapheme' });
	fc.assert(
		fc.property(text, text, fc.integer({ min: 1 }), (name, label, revision) => {
			const named = { ...object, metadata: { name: `n${name}`, labels: { x: label } } };
			const value = codec.encode(named);
			const served: unknown = JSON.parse(Buffer.from(codec.serve(value, revision)).toString());
			const { labels: _labels, ...metadata } = { ...named.metadata, resourceVersion: String(revision) };
			assert.deepEqual(served, { ...named, metadata: { ...metadata, labels: { x: label } } });
			assert.equal(codec.decode(value, revision).metadata.labels?.x, label);
		}),
	);
});

test('keys contain the group, the resource, the namespace and the name', () => {
	assert.equal(codec.key('', 'a'), '/registry/core/namespaces/a');
	assert.equal(new ResourceCodec(pods).key('ns', 'p'), '/registry/core/pods/ns/p');
	assert.equal(new ResourceCodec(pods).keyPrefixOf('ns'), '/registry/core/pods/ns/');
});

test('an object is decoded once, defaulted and frozen', () => {
	const stored = new StoredObject(codec, { key: 'k', revision: 3, value: codec.encode(object) });
	assert.equal(stored.object, stored.object);
	assert.equal(stored.object.metadata.labels?.['kubernetes.io/metadata.name'], 'a');
	assert.ok(Object.isFrozen(stored.object.metadata.labels));
	assert.equal(stored.at(9).object.metadata.resourceVersion, '9');
});

test('the source of an object from the server is its stored object', () => {
	const stored = new StoredObject(codec, { key: 'k', revision: 3, value: codec.encode(object) });
	assert.equal(sourceOf(stored.object), stored);
	assert.equal(sourceOf(stored.at(9).object)?.object.metadata.resourceVersion, '9');
	const draft = new StoredObject(codec, { key: 'k', revision: 0, value: codec.encode(object) });
	assert.equal(sourceOf(draft.object), undefined);
});

test('metadata that is still held needs no decoding', () => {
	let decoded = 0;
	const definition: ResourceDefinition = {
		...namespaces,
		defaults: (each) => {
			decoded += 1;
			return each;
		},
	};
	const counting = new ResourceCodec(definition);
	const stored = new StoredObject(counting, { key: 'k', revision: 3, value: counting.encode(object) });
	const { metadata } = stored.object;
	assert.equal(stored.metadata, metadata);
	assert.equal(decoded, 1);
});

test('a pending write freezes its object, and copies with another revision share everything else', () => {
	const spec = { finalizers: ['kubernetes'] };
	const pending = new PendingWrite({
		kind: 'Namespace',
		apiVersion: 'v1',
		metadata: { name: 'a' },
		...{ spec },
	});
	assert.ok(Object.isFrozen(spec.finalizers));
	const next = withRevision(pending.object, 5);
	assert.equal(next.metadata.resourceVersion, '5');
	assert.equal('spec' in next && next.spec, spec);
});
