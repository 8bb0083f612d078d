import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { containerConfigOf } from '../config/container-config.ts';
import { sandboxConfigOf } from '../config/sandbox-config.ts';
import { RUNTIME_FIELDS, unknownFields } from './runtime-fields.ts';
import { BARE, CASES, EVERYTHING, pod } from './testing/field-cases.ts';

/** Everything that a runtime receives about the Pod. */
function received(given: Pod): string {
	const volumes = new Map([['v', { hostPath: '/v', readOnly: false }]]);
	const node = { hostIP: '', podIP: '', allocatable: {} };
	const data = new Map([['configMap/x', new Map()]]);
	const facts = { attempt: 0, logPath: '', messageFile: '', node, services: [], values: { data, volumes } };
	const containers = given.spec.containers.map((each) => containerConfigOf(given, each, facts));
	return JSON.stringify({ sandbox: sandboxConfigOf(given, 0), containers });
}

test('every field that a runtime may honour reaches its configuration', () => {
	const plain = received(pod({}));
	const reached = new Set<string>();
	for (const { field, effect, pod: given, traits = BARE } of CASES) {
		if (effect !== 'held' && effect !== 'warned' && effect !== 'unmounted') continue;
		// A variable from a file needs a volume, which BARE does not mount.
		if (!RUNTIME_FIELDS.has(field)) continue;
		if (traits === BARE && received(given) !== plain) reached.add(field);
	}
	const silent = [...RUNTIME_FIELDS].filter((field) => !reached.has(field));
	assert.deepEqual(silent, []);
});

test('a runtime can declare only fields that need its support', () => {
	assert.deepEqual(unknownFields(EVERYTHING), []);
	assert.deepEqual(unknownFields({ ...BARE, honours: RUNTIME_FIELDS }), []);
	const honours = new Set([
		'spec.containers[].tty',
		'spec.nodeName',
		'spec.container[].tty',
		'spec.overhead',
	]);
	assert.deepEqual(unknownFields({ ...BARE, honours }), [
		'spec.nodeName',
		'spec.container[].tty',
		'spec.overhead',
	]);
});
