import assert from 'node:assert/strict';
import test from 'node:test';
import { replicationControllers } from '../../core/replicationcontroller/definition.ts';
import {
	type ReplicationController,
	replicationControllerSchema,
} from '../../core/replicationcontroller/schema.ts';
import { decode } from '../../schema/decode.ts';
import { replicaSets } from './definition.ts';
import { type ReplicaSet, replicaSetSchema } from './schema.ts';

/** ReplicaSets and ReplicationControllers: their rules differ in few places. */

const LABELS = { app: 'web' };
const META = { name: 'web', namespace: 'n', uid: 'u', resourceVersion: '1' };

function replicaSet(spec: object = {}, status: object = {}): ReplicaSet {
	const json = {
		metadata: META,
		spec: { selector: { matchLabels: LABELS }, template: template(), ...spec },
		status,
	};
	return replicaSets.defaults(decode(replicaSetSchema, json).value);
}

function controller(spec: object = {}, status: object = {}): ReplicationController {
	const json = { metadata: META, spec: { template: template(), ...spec }, status };
	return replicationControllers.defaults(decode(replicationControllerSchema, json).value);
}

function template(spec: object = {}, labels: object = LABELS): object {
	return { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec } };
}

function texts(errors: ReturnType<typeof replicaSets.strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('the defaults are those of upstream, and a second pass changes nothing', () => {
	assert.equal(replicaSet().spec.replicas, 1);
	const once = controller();
	assert.deepEqual([once.spec.replicas, once.spec.selector, once.metadata.labels], [1, LABELS, LABELS]);
	assert.equal(once.spec.template?.spec.restartPolicy, 'Always');
	assert.equal(replicationControllers.defaults(once), once);
	assert.equal(replicaSets.defaults(replicaSet()).spec.replicas, 1);
	assert.deepEqual(controller({ selector: { a: 'b' } }).spec.selector, { a: 'b' });
});

const MISMATCH = '`selector` does not match template `labels`';

test('a create of a ReplicaSet is refused for each broken rule with the text of upstream', () => {
	const rows: readonly (readonly [object, ...string[]])[] = [
		[{ replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
		[{ minReadySeconds: -1 }, 'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0'],
		[{ selector: {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
		[
			{ template: template({ restartPolicy: 'OnFailure' }) },
			'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
		],
		[{}],
	];
	for (const [spec, ...expected] of rows)
		assert.deepEqual(texts(replicaSets.strategy.validateCreate(replicaSet(spec))), expected);
});

test('a create of a ReplicationController is refused for each broken rule with the text of upstream', () => {
	const rows: readonly (readonly [object, ...string[]])[] = [
		[{ replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
		[{ minReadySeconds: -1 }, 'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0'],
		[{ template: undefined }, 'spec.selector: Required value', 'spec.template: Required value'],
		[{ template: template({}, {}) }, 'spec.selector: Required value'],
		[{ selector: { app: 'db' } }, `spec.template.metadata.labels: Invalid value: {"app":"web"}: ${MISMATCH}`],
		[
			{ template: template({ activeDeadlineSeconds: 5 }) },
			'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
		],
		[{}],
	];
	for (const [spec, ...expected] of rows)
		assert.deepEqual(texts(replicationControllers.strategy.validateCreate(controller(spec))), expected);
});

test('only the selector of a ReplicaSet is immutable, and both count generations', () => {
	const labels = { app: 'web', tier: 'x' };
	const old = replicaSets.strategy.prepareForCreate(replicaSet({}, { replicas: 3 }));
	assert.deepEqual([old.metadata.generation, old.status], [1, { replicas: 0 }]);
	const changed = replicaSet({ selector: { matchLabels: labels }, template: template({}, labels) });
	const next = replicaSets.strategy.prepareForUpdate(changed, old);
	assert.equal(next.metadata.generation, 2);
	assert.deepEqual(texts(replicaSets.strategy.validateUpdate(next, old)), [
		'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable',
	]);
	const before = replicationControllers.strategy.prepareForCreate(controller({}, { replicas: 3 }));
	assert.deepEqual([before.metadata.generation, before.status], [1, { replicas: 0 }]);
	const after = replicationControllers.strategy.prepareForUpdate(
		controller({ selector: labels, template: template({}, labels) }),
		before,
	);
	assert.equal(after.metadata.generation, 2);
	assert.deepEqual(texts(replicationControllers.strategy.validateUpdate(after, before)), []);
});

test('the counts of a status fit together', () => {
	const wrong = { replicas: 1, fullyLabeledReplicas: 2, readyReplicas: -1, availableReplicas: 0 };
	const expected = [
		'status.readyReplicas: Invalid value: -1: must be greater than or equal to 0',
		'status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas',
		'status.availableReplicas: Invalid value: 0: cannot be greater than readyReplicas',
	];
	assert.deepEqual(
		texts(replicaSets.status?.validateUpdate(replicaSet({}, wrong), replicaSet()) ?? []),
		expected,
	);
	assert.deepEqual(
		texts(replicationControllers.status?.validateUpdate(controller({}, wrong), controller()) ?? []),
		expected,
	);
});

test('the columns are those of kubectl', () => {
	const status = { replicas: 2, readyReplicas: 1 };
	const cells = ['web', 3, 2, 1, '<unknown>', 'main', 'busybox', 'app=web'];
	assert.deepEqual(
		replicaSets.columns.map(({ cell }) => cell(replicaSet({ replicas: 3 }, status), 0)),
		cells,
	);
	assert.deepEqual(
		replicationControllers.columns.map(({ cell }) => cell(controller({ replicas: 3 }, status), 0)),
		cells,
	);
});
