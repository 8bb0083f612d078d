import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { deployments } from './definition.ts';
import { type Deployment, deploymentSchema } from './schema.ts';

const LABELS = { app: 'web' };

function deployment(spec: object = {}, status: object = {}, metadata: object = {}): Deployment {
	const json = {
		metadata: { name: 'web', namespace: 'n', uid: 'u', resourceVersion: '1', ...metadata },
		spec: { selector: { matchLabels: LABELS }, template: template(), ...spec },
		status,
	};
	return deployments.defaults(decode(deploymentSchema, json).value);
}

function template(spec: object = {}, labels: object = LABELS): object {
	return { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec } };
}

const { strategy, status: statusStrategy, columns, scale } = deployments;

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('the defaults are those of upstream, and a second pass changes nothing', () => {
	const { spec } = deployment();
	assert.equal(spec.replicas, 1);
	assert.deepEqual(spec.strategy, {
		type: 'RollingUpdate',
		rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
	});
	assert.deepEqual([spec.revisionHistoryLimit, spec.progressDeadlineSeconds], [10, 600]);
	assert.equal(spec.template.spec.restartPolicy, 'Always');
	const half = deployment({ strategy: { rollingUpdate: { maxSurge: 0 } }, replicas: 0 });
	assert.deepEqual(half.spec.strategy?.rollingUpdate, { maxUnavailable: '25%', maxSurge: 0 });
	assert.equal(half.spec.replicas, 0);
	assert.deepEqual(deployment({ strategy: { type: 'Recreate' } }).spec.strategy, { type: 'Recreate' });
	const once = deployment();
	assert.equal(deployments.defaults(once), once);
});

const PERCENT =
	"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
const MISMATCH = '`selector` does not match template `labels`';

const ROWS: readonly (readonly [object, ...string[]])[] = [
	[{ replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
	[
		{ selector: undefined },
		'spec.selector: Required value',
		`spec.template.metadata.labels: Invalid value: {"app":"web"}: ${MISMATCH}`,
	],
	[{ selector: {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
	[
		{ selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } },
		"spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
		'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"In"}]}: invalid label selector',
	],
	[
		{ template: template({}, { app: 'db' }) },
		`spec.template.metadata.labels: Invalid value: {"app":"db"}: ${MISMATCH}`,
	],
	[
		{ template: template({ restartPolicy: 'Never' }) },
		'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
	],
	[
		{ template: template({ activeDeadlineSeconds: 5 }) },
		'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
	],
	[
		{ strategy: { type: 'Recreate', rollingUpdate: {} } },
		"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
	],
	[
		{ strategy: { type: 'Slow' } },
		'spec.strategy: Unsupported value: {"type":"Slow"}: supported values: "Recreate", "RollingUpdate"',
	],
	[
		{ strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '0%' } } },
		'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
	],
	[
		{ strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
		'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
	],
	[
		{ strategy: { rollingUpdate: { maxSurge: 'x' } } },
		`spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": ${PERCENT}`,
	],
	[
		{ strategy: { rollingUpdate: { maxSurge: -1 } } },
		'spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0',
	],
	[{ minReadySeconds: -1 }, 'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0'],
	[
		{ revisionHistoryLimit: -1 },
		'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
	],
	[
		{ progressDeadlineSeconds: 5, minReadySeconds: 5 },
		'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
	],
];

test('a create is refused for each broken rule with the text of upstream', () => {
	for (const [spec, ...expected] of ROWS) {
		assert.deepEqual(texts(strategy.validateCreate(deployment(spec))), expected, JSON.stringify(spec));
	}
	assert.deepEqual(texts(strategy.validateCreate(deployment())), []);
});

test('the selector is immutable; the generation counts changes of the spec and of annotations', () => {
	const old = strategy.prepareForCreate(deployment({}, { replicas: 5 }));
	assert.deepEqual([old.metadata.generation, old.status], [1, {}]);
	const next = (spec: object, metadata: object = {}): Deployment =>
		strategy.prepareForUpdate(deployment(spec, { replicas: 9 }, metadata), old);
	assert.deepEqual([next({}).metadata.generation, next({}).status], [1, {}]);
	assert.equal(next({ replicas: 2 }).metadata.generation, 2);
	assert.equal(next({}, { annotations: { a: 'b' } }).metadata.generation, 2);
	assert.equal(next({}, { labels: { a: 'b' } }).metadata.generation, 1);
	const other = { matchLabels: { app: 'web', tier: 'x' } };
	const changed = next({ selector: other, template: template({}, { app: 'web', tier: 'x' }) });
	assert.deepEqual(texts(strategy.validateUpdate(changed, old)), [
		'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable',
	]);
});

test('an update of the status keeps spec and labels, and its counts fit together', () => {
	assert.ok(statusStrategy);
	const old = deployment({}, { collisionCount: 2 }, { labels: { a: 'b' } });
	const given = deployment({ replicas: 7 }, {}, { labels: {}, annotations: { r: '1' } });
	const next = statusStrategy.prepareForUpdate(given, old);
	assert.deepEqual([next.spec.replicas, next.metadata.labels], [1, { a: 'b' }]);
	assert.deepEqual(next.metadata.annotations, { r: '1' });
	const wrong = {
		replicas: 1,
		updatedReplicas: 2,
		readyReplicas: 0,
		availableReplicas: 1,
		collisionCount: 1,
	};
	assert.deepEqual(texts(statusStrategy.validateUpdate(deployment({}, wrong), old)), [
		'status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas',
		'status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas',
		'status.collisionCount: Invalid value: 1: cannot be decremented',
	]);
	const negative = deployment({}, { collisionCount: 2, terminatingReplicas: -1 });
	assert.deepEqual(texts(statusStrategy.validateUpdate(negative, old)), [
		'status.terminatingReplicas: Invalid value: -1: must be greater than or equal to 0',
	]);
});

test('the columns and the Scale are those of kubectl', () => {
	const object = deployment({ replicas: 3 }, { replicas: 2, readyReplicas: 1, updatedReplicas: 2 });
	assert.deepEqual(
		columns.map(({ cell }) => cell(object, 0)),
		['web', '1/3', 2, 0, '<unknown>', 'main', 'busybox', 'app=web'],
	);
	assert.ok(scale);
	assert.deepEqual(
		[scale.replicasOf(object), scale.observedOf(object), scale.selectorOf(object)],
		[3, 2, 'app=web'],
	);
	assert.equal(scale.withReplicas(object, 0).spec.replicas, 0);
});

test('a name that is no DNS label gets a warning', () => {
	const [warning] = strategy.warnings?.(deployment({}, {}, { name: 'a.b' }), undefined) ?? [];
	assert.match(warning ?? '', /^metadata\.name: this is used in Pod names and hostnames/);
});
