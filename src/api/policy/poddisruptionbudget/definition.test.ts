import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { podDisruptionBudgets } from './definition.ts';
import { type PodDisruptionBudget, podDisruptionBudgetSchema } from './schema.ts';

function budget(spec: object, status: object = {}, metadata: object = {}): PodDisruptionBudget {
	const json = {
		metadata: { name: 'b', namespace: 'n', uid: 'u', resourceVersion: '1', ...metadata },
		spec,
		status,
	};
	return podDisruptionBudgets.defaults(decode(podDisruptionBudgetSchema, json).value);
}

const { strategy, status: statusStrategy, columns } = podDisruptionBudgets;

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

const PERCENT =
	"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

test('a create is refused for each broken rule with the text of upstream', () => {
	const rows: readonly (readonly [object, string])[] = [
		[{ minAvailable: -1 }, 'spec.minAvailable: Invalid value: -1: must be greater than or equal to 0'],
		[{ maxUnavailable: 'x' }, `spec.maxUnavailable: Invalid value: "x": ${PERCENT}`],
		[{ minAvailable: '101%' }, 'spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
		[
			{ unhealthyPodEvictionPolicy: 'x' },
			'spec.unhealthyPodEvictionPolicy: Unsupported value: "x": supported values: "AlwaysAllow", "IfHealthyBudget"',
		],
		[
			{ minAvailable: 1, maxUnavailable: 1 },
			'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
		],
	];
	for (const [spec, text] of rows) assert.deepEqual(texts(strategy.validateCreate(budget(spec))), [text]);
	assert.deepEqual(texts(strategy.validateCreate(budget({ minAvailable: '50%', selector: {} }))), []);
});

test('the generation counts changes of the spec, and the status is written through its subresource alone', () => {
	const old = strategy.prepareForCreate(budget({ minAvailable: 1 }, { currentHealthy: 5 }));
	assert.deepEqual([old.metadata.generation, old.status.currentHealthy], [1, 0]);
	const next = strategy.prepareForUpdate(budget({ minAvailable: 2 }, { currentHealthy: 5 }), old);
	assert.deepEqual([next.metadata.generation, next.status], [2, old.status]);
	const wrong = budget({}, { disruptionsAllowed: -1 });
	assert.deepEqual(texts(statusStrategy?.validateUpdate(wrong, budget({})) ?? []), [
		'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
	]);
});

test('the printer columns of a budget are those of kubectl', () => {
	const cells = columns.map(({ cell }) =>
		cell(budget({ minAvailable: '50%' }, { disruptionsAllowed: 2 }), 0),
	);
	assert.deepEqual(cells, ['b', '50%', 'N/A', 2, '<unknown>']);
});
