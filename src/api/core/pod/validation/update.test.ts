import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../../schema/decode.ts';
import { pods } from '../definition.ts';
import { type Pod, type PodSpec, podSchema } from '../schema.ts';

const FIXED =
	'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';

function pod(spec: object = {}): Pod {
	const json = {
		metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1' },
		spec: { containers: [{ name: 'main', image: 'a:1' }], ...spec },
	};
	return pods.strategy.prepareForCreate(pods.defaults(decode(podSchema, json).value));
}

function problems(old: Pod, change: Partial<PodSpec>): readonly string[] {
	const updated = pods.strategy.prepareForUpdate({ ...old, spec: { ...old.spec, ...change } }, old);
	return pods.strategy.validateUpdate(updated, old).map(({ field, message }) => `${field}: ${message}`);
}

type Rows = readonly (readonly [old: Pod, change: Partial<PodSpec>, ...problems: readonly string[]])[];

function check(rows: Rows): void {
	for (const [old, change, ...expected] of rows) {
		assert.deepEqual(problems(old, change), expected, JSON.stringify(change));
	}
}

const [MAIN = { name: 'main' }] = pod().spec.containers;

test('an update of a container can change only its image', () => {
	const init = pod({ initContainers: [{ name: 'init', image: 'i:1' }] });
	const [first = { name: '' }] = init.spec.initContainers ?? [];
	check([
		[pod(), { containers: [{ ...MAIN, image: 'b:2' }] }],
		[init, { initContainers: [{ ...first, image: 'i:2' }] }],
		[
			pod(),
			{ containers: [{ ...MAIN, image: ' b' }] },
			'spec.containers[0].image: Invalid value: " b": must not have leading or trailing whitespace',
			'spec.containers[0].image: Invalid value: " b": must not have leading or trailing whitespace',
		],
		[pod(), { containers: [{ ...MAIN, command: ['true'] }] }, FIXED],
		[pod(), { containers: [{ ...MAIN, name: 'other' }] }, FIXED],
		[
			pod(),
			{ containers: [MAIN, { ...MAIN, name: 'second' }] },
			'spec.containers: Forbidden: pod updates may not add or remove containers',
		],
		[
			init,
			{ initContainers: [] },
			'spec.initContainers: Forbidden: pod updates may not add or remove containers',
		],
	]);
});

test('an update cannot change an immutable field of the spec', () => {
	check([
		[pod(), { nodeName: 'n' }, FIXED],
		[pod(), { restartPolicy: 'Never' }, FIXED],
		[pod(), { terminationGracePeriodSeconds: 5 }, FIXED],
		[pod({ terminationGracePeriodSeconds: -1 }), { terminationGracePeriodSeconds: 1 }],
		[pod({ terminationGracePeriodSeconds: -1 }), { terminationGracePeriodSeconds: 2 }, FIXED],
		[pod(), { nodeSelector: { a: 'b' } }, FIXED],
	]);
});

test('an update can set and shorten activeDeadlineSeconds, but neither extend nor remove it', () => {
	const path = 'spec.activeDeadlineSeconds';
	const old = pod({ activeDeadlineSeconds: 10 });
	const { activeDeadlineSeconds: _, ...without } = old.spec;
	check([
		[pod(), { activeDeadlineSeconds: 5 }],
		[old, { activeDeadlineSeconds: 5 }],
		[
			old,
			{ activeDeadlineSeconds: 11 },
			`${path}: Invalid value: 11: must be less than or equal to previous value`,
		],
	]);
	const removed = pods.strategy.validateUpdate({ ...old, spec: without }, old);
	assert.deepEqual(
		removed.map(({ field, message }) => `${field}: ${message}`),
		[`${path}: Invalid value: null: must not update from a positive integer to nil value`],
	);
});

test('an update can add tolerations, and change tolerationSeconds of existing ones', () => {
	const old = pod({
		tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
	});
	const [toleration = {}] = old.spec.tolerations ?? [];
	const forbidden =
		'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds';
	check([
		[old, { tolerations: [{ key: 'b', operator: 'Exists' }, toleration] }],
		[old, { tolerations: [{ ...toleration, tolerationSeconds: 9 }] }],
		[old, { tolerations: [] }, forbidden],
		[old, { tolerations: [{ ...toleration, key: 'b' }] }, forbidden],
	]);
});

test('an update of a gated Pod can narrow its node constraints, not widen them', () => {
	const gate = { name: 'acme.io/gate' };
	const term = (...matchExpressions: readonly object[]): object => ({
		affinity: {
			nodeAffinity: {
				requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
			},
		},
	});
	const zone = { key: 'zone', operator: 'Exists' };
	const old = pod({ schedulingGates: [gate], nodeSelector: { a: 'b' }, ...term(zone) });
	const { affinity: narrower } = pod(term(zone, { key: 'disk', operator: 'Exists' })).spec;
	const { affinity: other } = pod(term({ key: 'disk', operator: 'Exists' })).spec;
	const terms =
		'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]';
	check([
		[old, { schedulingGates: [] }],
		[
			old,
			{ schedulingGates: [gate, { name: 'acme.io/second' }] },
			"spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'acme.io/second'",
		],
		[old, { nodeSelector: { a: 'b', c: 'd' } }],
		[
			old,
			{ nodeSelector: { c: 'd' } },
			'spec.nodeSelector: Invalid value: {"c":"d"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
		],
		[old, { affinity: narrower ?? {} }],
		[
			old,
			{ affinity: other ?? {} },
			`${terms}: Invalid value: {"matchExpressions":[{"key":"disk","operator":"Exists"}]}: only additions are allowed (no mutations or deletions)`,
		],
	]);
});
