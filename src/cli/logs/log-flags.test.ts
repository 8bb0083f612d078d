import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { CommandError } from '../context.ts';
import { containersOf, partOf } from './log-flags.ts';

const POD: Pod = {
	apiVersion: 'v1',
	kind: 'Pod',
	metadata: { name: 'p' },
	spec: { initContainers: [{ name: 'i' }], containers: [{ name: 'a' }, { name: 'b' }] },
	status: {},
};

test('the first container is the default, and the user is notified that there are others', () => {
	const notices: string[] = [];
	assert.deepEqual(
		containersOf(POD, {}, (text) => notices.push(text)),
		['a'],
	);
	assert.deepEqual(notices, ['Defaulted container "a" out of: a, b, i (init)']);
	assert.deepEqual(containersOf(POD, { container: 'b' }), ['b']);
	assert.deepEqual(containersOf(POD, { allContainers: true }), ['i', 'a', 'b']);
});

test('an annotation of the Pod names the default container', () => {
	const annotations = { 'kubectl.kubernetes.io/default-container': 'b' };
	assert.deepEqual(containersOf({ ...POD, metadata: { annotations } }, {}), ['b']);
});

test('the flags select the part of a log', () => {
	assert.deepEqual(partOf({}), {});
	assert.deepEqual(partOf({ tail: '3', since: '1h30m', timestamps: true }), {
		timestamps: true,
		tailLines: 3,
		sinceSeconds: 5400,
	});
	assert.deepEqual(partOf({ since: '1.5s' }), { sinceSeconds: 2 });
	assert.deepEqual(partOf({ since: '0', limitBytes: '0' }), {});
	assert.deepEqual(partOf({ limitBytes: '9' }), { limitBytes: 9 });
	assert.deepEqual(partOf({ selector: 'a=b' }), { tailLines: 10 });
	assert.deepEqual(partOf({ selector: 'a=b', tail: '-1' }), {});
	for (const flags of [
		{ tail: 'x' },
		{ tail: '-2' },
		{ limitBytes: '1e3' },
		{ limitBytes: '-1' },
		{ since: '5 minutes' },
		{ since: '-5s' },
		{ sinceTime: 'yesterday' },
		{ since: '1s', sinceTime: '2026-01-01T00:00:00Z' },
	])
		assert.throws(() => partOf(flags), CommandError);
});
