import assert from 'node:assert/strict';
import test from 'node:test';
import type { Taint } from '../../api/core/node/schema.ts';
import type { Toleration } from '../../api/core/pod/schema.ts';
import { tolerationOf, untoleratedTaint } from './taints.ts';

const NO_EXECUTE = { effect: 'NoExecute' } as const;

/** Tolerations of other keys, enough for the index by key to be used. */
const OTHERS = Array.from(
	{ length: 20 },
	(_, index): Toleration => ({ key: `o${index}`, operator: 'Exists' }),
);

test('the first matching toleration is found, among few and among many', () => {
	const taint: Taint = { key: 'a', value: '1', ...NO_EXECUTE };
	const rows: readonly (readonly [tolerations: readonly Toleration[], found: number | undefined])[] = [
		[[], undefined],
		[[{ key: 'a', operator: 'Equal', value: '2' }], undefined],
		[[{ key: 'a', effect: 'NoSchedule', operator: 'Exists' }], undefined],
		[
			[
				{ key: 'a', value: '2' },
				{ key: 'a', value: '1', tolerationSeconds: 5 },
			],
			1,
		],
		[
			[
				{ operator: 'Exists', tolerationSeconds: 1 },
				{ key: 'a', operator: 'Exists' },
			],
			0,
		],
		[[{ key: 'a', operator: 'Exists', tolerationSeconds: 1 }, { operator: 'Exists' }], 0],
		[
			[
				{ operator: 'Exists', effect: 'NoSchedule' },
				{ operator: 'Exists', effect: 'NoExecute' },
			],
			1,
		],
		[
			[
				{ key: 'a', operator: 'Exists', tolerationSeconds: 1 },
				{ key: 'a', operator: 'Exists' },
			],
			0,
		],
	];
	for (const [tolerations, found] of rows) {
		const expected = found === undefined ? undefined : tolerations[found];
		for (const all of [tolerations, [...OTHERS, ...tolerations], [...tolerations, ...OTHERS]]) {
			assert.equal(tolerationOf(taint, all), expected, JSON.stringify(all));
		}
	}
});

test('ten thousand taints and as many tolerations are compared in linear time', () => {
	const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}`);
	const taints = keys.map((key): Taint => ({ key, ...NO_EXECUTE }));
	const tolerations = keys.toReversed().map((key): Toleration => ({ key, operator: 'Exists' }));
	assert.equal(untoleratedTaint(taints, tolerations), undefined);
	const every = keys.map((): Toleration => ({ operator: 'Exists', effect: 'NoSchedule' }));
	assert.equal(untoleratedTaint(taints, every), taints[0]);
	assert.equal(untoleratedTaint(taints, tolerations.slice(1)), taints.at(-1));
});
