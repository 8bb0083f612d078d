import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodFailurePolicyRule, SuccessPolicyRule } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { IndexSet } from './index-set.ts';
import { judgeFailure } from './pod-failure-policy.ts';
import { matchSuccessPolicy } from './success-policy.ts';

function failedPod(exitCodes: Readonly<Record<string, number | undefined>>, init: number | undefined): Pod {
	const status = (name: string, exitCode: number | undefined) => ({
		name,
		ready: false,
		restartCount: 0,
		image: '',
		imageID: '',
		state: exitCode === undefined ? {} : { terminated: { exitCode } },
	});
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', namespace: 'ns' },
		spec: { containers: [] },
		status: {
			phase: 'Failed',
			conditions: [{ type: 'DisruptionTarget', status: 'True' }],
			containerStatuses: Object.entries(exitCodes).map(([name, code]) => status(name, code)),
			initContainerStatuses: [status('init', init)],
		},
	};
}

const POD = failedPod({ main: 42, side: 0, slow: undefined }, 7);

type Row = readonly [name: string, rule: Omit<PodFailurePolicyRule, 'action'>, matches: boolean];
const MATCHES: readonly Row[] = [
	['a code in the list', { onExitCodes: { operator: 'In', values: [1, 42] } }, true],
	['a code of an init container', { onExitCodes: { operator: 'In', values: [7] } }, true],
	['no code in the list', { onExitCodes: { operator: 'In', values: [1, 2] } }, false],
	['exit code 0 never', { onExitCodes: { operator: 'In', values: [0] } }, false],
	['a code not in the list', { onExitCodes: { operator: 'NotIn', values: [1] } }, true],
	['every code in the excluded list', { onExitCodes: { operator: 'NotIn', values: [7, 42] } }, false],
	[
		'only the named container',
		{ onExitCodes: { containerName: 'side', operator: 'NotIn', values: [1] } },
		false,
	],
	['the condition', { onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }, true],
	['another status of it', { onPodConditions: [{ type: 'DisruptionTarget', status: 'False' }] }, false],
	[
		'one of several',
		{
			onPodConditions: [
				{ type: 'X', status: 'True' },
				{ type: 'DisruptionTarget', status: 'True' },
			],
		},
		true,
	],
];

for (const [name, rule, matches] of MATCHES) {
	test(`a failure policy rule ${matches ? 'matches' : 'does not match'}: ${name}`, () => {
		const { counted, action } = judgeFailure({ rules: [{ ...rule, action: 'Ignore' }] }, POD);
		assert.deepEqual(
			{ counted, action },
			matches ? { counted: false, action: 'Ignore' } : { counted: true, action: undefined },
		);
	});
}

test('the first matching rule of a pod failure policy decides, with its action', () => {
	const exit = { onExitCodes: { operator: 'In' as const, values: [42] } };
	const condition = { onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };
	const none = { onExitCodes: { operator: 'In' as const, values: [1] } };
	const judge = (...rules: readonly PodFailurePolicyRule[]) => judgeFailure({ rules }, POD);
	assert.equal(judge({ ...exit, action: 'Count' }, { ...condition, action: 'Ignore' }).counted, true);
	assert.equal(judge({ ...none, action: 'FailJob' }, { ...condition, action: 'Ignore' }).counted, false);
	assert.equal(judge({ ...exit, action: 'FailIndex' }).action, 'FailIndex');
	assert.equal(judgeFailure(undefined, POD).counted, true);
	assert.equal(
		judge({ ...none, action: 'Count' }, { ...exit, action: 'FailJob' }).message,
		'Container main for pod ns/p failed with exit code 42 matching FailJob rule at index 1',
	);
	assert.equal(
		judge({ ...condition, action: 'FailJob' }).message,
		'Pod ns/p has condition DisruptionTarget matching FailJob rule at index 0',
	);
});

test('a rule of a success policy is met by all listed indexes, or by succeededCount of them', () => {
	const rows: readonly (readonly [
		rules: readonly SuccessPolicyRule[],
		succeeded: string,
		expected: number | undefined,
	])[] = [
		[[{ succeededIndexes: '0,2' }], '0-2', 0],
		[[{ succeededIndexes: '0,2' }], '0,1', undefined],
		[[{ succeededIndexes: '0-4', succeededCount: 2 }], '1,3', 0],
		[[{ succeededIndexes: '0-4', succeededCount: 2 }], '1,7', undefined],
		[[{ succeededCount: 3 }], '1,7,9', 0],
		[[{ succeededCount: 4 }], '1,7,9', undefined],
		[[{ succeededIndexes: '5' }, { succeededCount: 1 }], '1', 1],
		// Without any success no rule is met, even one that requires none.
		[[{ succeededCount: 0 }], '', undefined],
		[[{ succeededIndexes: 'x' }], '1', undefined],
	];
	for (const [rules, succeeded, expected] of rows)
		assert.equal(
			matchSuccessPolicy({ rules }, IndexSet.parse(succeeded, 10), 10),
			expected,
			JSON.stringify(rules),
		);
});
