import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../api/core/pod/schema.ts';
import { Nominations } from './nominations.ts';

function pod(uid: string, nominatedNodeName?: string): Pod {
	const status = nominatedNodeName === undefined ? {} : { nominatedNodeName };
	const metadata = { name: uid, uid };
	return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] }, status } as unknown as Pod;
}

const uids = (nominations: Nominations, node: string): readonly (string | undefined)[] =>
	nominations.on(node).map(({ metadata }) => metadata.uid);

test('a Pod is nominated to one node at a time', () => {
	const nominations = new Nominations();
	nominations.put(pod('a'), 'n1');
	nominations.put(pod('b'), 'n1');
	nominations.put(pod('a'), 'n2');
	assert.deepEqual([uids(nominations, 'n1'), uids(nominations, 'n2')], [['b'], ['a']]);
	assert.equal(nominations.remove('a'), true);
	assert.equal(nominations.remove('a'), false);
	assert.deepEqual(uids(nominations, 'n2'), []);
});

test('a nomination is kept until the informer shows it', () => {
	const nominations = new Nominations();
	nominations.put(pod('a'), 'n1');
	assert.equal(nominations.observe(pod('a'), pod('a')), false);
	assert.deepEqual(uids(nominations, 'n1'), ['a']);
	nominations.observe(pod('a', 'n1'), pod('a'));
	assert.deepEqual(uids(nominations, 'n1'), ['a']);
});

test('a nomination follows the status that the informer shows: another node, or none', () => {
	const nominations = new Nominations();
	nominations.observe(pod('a', 'n1'), undefined);
	nominations.observe(pod('a', 'n2'), pod('a', 'n1'));
	assert.deepEqual([uids(nominations, 'n1'), uids(nominations, 'n2')], [[], ['a']]);
	assert.equal(nominations.observe(pod('a'), pod('a', 'n2')), true);
	assert.deepEqual(uids(nominations, 'n2'), []);
	assert.equal(nominations.observe(pod('a'), pod('a')), false);
});
