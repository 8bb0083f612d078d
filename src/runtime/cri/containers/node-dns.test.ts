import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dnsOf } from './node-dns.ts';

const NODE =
	'# local\nnameserver 10.0.0.1\nnameserver 10.0.0.2 ; second\nsearch old\nsearch a.test b.test\noptions ndots:1 rotate\n';
const NONE = { servers: [], searches: [], options: [] };

test('a Pod that says nothing has the name resolution of the node as it is', () => {
	assert.equal(dnsOf({ base: 'node', ...NONE }, NODE), undefined);
});

test('what a Pod says is added to that of the node, and its options replace those of the same name', () => {
	const pod = {
		base: 'node',
		servers: ['10.0.0.3', '10.0.0.4'],
		searches: ['b.test', 'c.test'],
		options: ['ndots:5'],
	} as const;
	assert.deepEqual(dnsOf(pod, NODE), {
		servers: ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
		searches: ['a.test', 'b.test', 'c.test'],
		options: ['ndots:5', 'rotate'],
	});
});

test('with dnsPolicy None a Pod has only what it says', () => {
	const lists = { servers: ['192.0.2.1'], searches: [], options: [] };
	assert.deepEqual(dnsOf({ base: 'none', ...lists }, NODE), lists);
});
