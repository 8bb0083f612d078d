import assert from 'node:assert/strict';
import test from 'node:test';
import type { Toleration } from '../../../api/core/pod/schema.ts';
import { podWith } from '../testing/pod-with.ts';
import { withDefaultTolerations } from './default-tolerations.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** The keys that are added to a Pod with these tolerations. */
function added(...tolerations: readonly Toleration[]): readonly (string | undefined)[] {
	const base = podWith({});
	const pod = { ...base, spec: { ...base.spec, tolerations } };
	const after = withDefaultTolerations(pod).spec.tolerations ?? [];
	assert.deepEqual(after.slice(0, tolerations.length), tolerations);
	const rest = after.slice(tolerations.length);
	for (const one of rest)
		assert.deepEqual(one, { key: one.key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
	if (rest.length === 0) assert.equal(withDefaultTolerations(pod), pod);
	return rest.map(({ key }) => key);
}

test('a Pod tolerates a node that is not ready or unreachable for 300 seconds, unless it says how long itself', () => {
	assert.deepEqual(added(), [NOT_READY, UNREACHABLE]);
	assert.deepEqual(added({ key: NOT_READY, operator: 'Exists', effect: 'NoExecute' }), [UNREACHABLE]);
	assert.deepEqual(added({ key: UNREACHABLE, effect: 'NoExecute', value: 'x', tolerationSeconds: 1 }), [
		NOT_READY,
	]);
	assert.deepEqual(added({ key: NOT_READY, operator: 'Exists' }), [UNREACHABLE]);
	assert.deepEqual(added({ operator: 'Exists' }), []);
});

test('tolerations of other effects and taints do not count', () => {
	assert.deepEqual(added({ key: NOT_READY, operator: 'Exists', effect: 'NoSchedule' }), [
		NOT_READY,
		UNREACHABLE,
	]);
	assert.deepEqual(added({ key: 'other', operator: 'Exists' }), [NOT_READY, UNREACHABLE]);
});
