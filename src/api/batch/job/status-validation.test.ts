import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { jobs } from './definition.ts';
import { type Job, type JobStatus, jobSchema } from './schema.ts';

const EIGHT = '2026-01-31T08:00:00Z';
const NINE = '2026-01-31T09:00:00Z';

function job(spec: object, status: JobStatus): Job {
	const json = {
		metadata: { name: 'pi', namespace: 'default', uid: 'u', resourceVersion: '1' },
		spec: {
			template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] } },
			...spec,
		},
		status,
	};
	return jobs.defaults(decode(jobSchema, json).value);
}

function problems(status: JobStatus, old: JobStatus = {}, spec: object = {}): readonly string[] {
	const errors = jobs.status?.validateUpdate(job(spec, status), job(spec, old)) ?? [];
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

type Rows = readonly (readonly [
	status: JobStatus,
	old: JobStatus,
	spec: object,
	...problems: readonly string[],
])[];

function check(rows: Rows): void {
	for (const [status, old, spec, ...expected] of rows) {
		assert.deepEqual(problems(status, old, spec), expected, JSON.stringify({ status, old, spec }));
	}
}

/** Conditions of these types with status True. */
function are(...types: readonly string[]): NonNullable<JobStatus['conditions']> {
	return types.map((type) => ({ type, status: 'True' }));
}

const INDEXED = { completionMode: 'Indexed', completions: 5, parallelism: 2 };
const PER_INDEX = { ...INDEXED, backoffLimitPerIndex: 1 };
const COMPLETE: JobStatus = {
	startTime: EIGHT,
	completionTime: NINE,
	conditions: are('SuccessCriteriaMet', 'Complete'),
	succeeded: 1,
};
const FAILED: JobStatus = { startTime: EIGHT, conditions: are('FailureTarget', 'Failed'), failed: 1 };

test('every status in the normal life of a Job is valid', () => {
	check([
		[{ startTime: EIGHT, active: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} }, {}, {}],
		[
			{ startTime: EIGHT, active: 1, ready: 1, uncountedTerminatedPods: { succeeded: ['a'] } },
			{ startTime: EIGHT },
			{},
		],
		[{ startTime: EIGHT, conditions: are('SuccessCriteriaMet'), succeeded: 1 }, { startTime: EIGHT }, {}],
		[COMPLETE, { startTime: EIGHT, conditions: are('SuccessCriteriaMet') }, {}],
		[FAILED, { startTime: EIGHT, conditions: are('FailureTarget') }, {}],
		[{ ...COMPLETE, completedIndexes: '0,2-4' }, {}, INDEXED],
		[{ ...FAILED, completedIndexes: '0', failedIndexes: '1-3' }, {}, PER_INDEX],
		[{ active: 1, failedIndexes: '' }, {}, PER_INDEX],
	]);
});

test('always: counters must not be negative, and uncounted Pods are listed once', () => {
	const negative = 'must be greater than or equal to 0';
	check([
		[{ active: -1 }, {}, {}, `status.active: Invalid value: -1: ${negative}`],
		[{ succeeded: -1 }, { succeeded: -1 }, {}, `status.succeeded: Invalid value: -1: ${negative}`],
		[{ failed: -1 }, { failed: -1 }, {}, `status.failed: Invalid value: -1: ${negative}`],
		[{ ready: -1 }, {}, {}, `status.ready: Invalid value: -1: ${negative}`],
		[{ terminating: -1 }, {}, {}, `status.terminating: Invalid value: -1: ${negative}`],
		[
			{ uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['b', 'a', 'b'] } },
			{},
			{},
			'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
			'status.uncountedTerminatedPods.failed[1]: Duplicate value: "a"',
			'status.uncountedTerminatedPods.failed[2]: Duplicate value: "b"',
		],
	]);
});

test('always: success excludes failure, and SuccessCriteriaMet cannot be removed', () => {
	const policy = { ...INDEXED, successPolicy: { rules: [{ succeededCount: 1 }] } };
	const early: JobStatus = { startTime: EIGHT, completionTime: NINE, conditions: are('Complete') };
	check([
		[
			{ conditions: are('SuccessCriteriaMet', 'FailureTarget') },
			{ conditions: are('SuccessCriteriaMet', 'FailureTarget') },
			{},
			'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
		],
		[
			{ ...FAILED, conditions: are('SuccessCriteriaMet', 'Failed') },
			{ ...FAILED, conditions: are('SuccessCriteriaMet', 'Failed') },
			{},
			'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions',
		],
		[
			early,
			early,
			policy,
			'status.conditions: Invalid value: cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
		],
		[
			{},
			{ conditions: are('SuccessCriteriaMet') },
			{},
			'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
		],
		[
			{ ...early, conditions: are('Complete', 'SuccessCriteriaMet') },
			early,
			{},
			'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
		],
	]);
});

test('always: terminal conditions and completionTime are final, and counters only grow', () => {
	check([
		[
			{ startTime: EIGHT, failed: 1, conditions: are('FailureTarget') },
			FAILED,
			{},
			'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
		],
		[
			{ startTime: EIGHT, conditions: are('SuccessCriteriaMet'), succeeded: 1 },
			COMPLETE,
			{},
			'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
		],
		[
			{ conditions: [{ type: 'FailureTarget', status: 'False' }] },
			{ conditions: are('FailureTarget') },
			{},
			'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
		],
		[{ failed: 1 }, { failed: 2 }, {}, 'status.failed: Invalid value: 1: cannot decrease the failed counter'],
		[{}, { succeeded: 1 }, {}, 'status.succeeded: Invalid value: 0: cannot decrease the succeeded counter'],
		[{ succeeded: 1 }, { succeeded: 2 }, { ...INDEXED, parallelism: 5 }],
		[
			{ succeeded: 1 },
			{ succeeded: 2 },
			INDEXED,
			'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
		],
		[
			{ ...COMPLETE, completionTime: '2026-01-31T10:00:00Z' },
			COMPLETE,
			{},
			'status.completionTime: Invalid value: "2026-01-31T10:00:00Z": field is immutable',
		],
	]);
});

/** Rows of rules that apply on a change. Each new status is invalid, and differs from the old one. */
const WHEN_CHANGED: Rows = [
	[
		{ ...COMPLETE, conditions: are('SuccessCriteriaMet', 'Complete', 'FailureTarget', 'Failed') },
		{},
		{},
		'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
		'status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions',
		'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions',
		'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
	],
	[
		{ completionTime: NINE },
		{},
		{},
		`status.completionTime: Invalid value: "${NINE}": cannot set completionTime when there is no Complete=True condition`,
	],
	[
		{ startTime: EIGHT, conditions: are('SuccessCriteriaMet', 'Complete') },
		{},
		{},
		'status.completionTime: Required value: completionTime is required for Complete jobs',
	],
	[
		{ ...COMPLETE, startTime: NINE, completionTime: EIGHT },
		{},
		{},
		`status.completionTime: Invalid value: "${EIGHT}": must be equal to or after \`startTime\``,
	],
	[
		{ startTime: EIGHT, conditions: are('Failed') },
		{},
		{},
		'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
	],
	[
		{ ...COMPLETE, conditions: are('Complete') },
		{},
		{},
		'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
	],
	[
		{ ...COMPLETE, active: 1 },
		{},
		{},
		'status.active: Invalid value: 1: active>0 is invalid for finished job',
	],
	[
		{ conditions: are('FailureTarget', 'Failed') },
		{},
		{},
		'status.startTime: Required value: startTime is required for finished job',
	],
	[
		{ ...FAILED, uncountedTerminatedPods: { failed: ['a'] } },
		{},
		{},
		'status.uncountedTerminatedPods: Invalid value: {"failed":["a"]}: must be empty for finished job',
	],
	[
		{ completedIndexes: '0-9' },
		{},
		INDEXED,
		'status.completedIndexes: Invalid value: "0-9": error parsing completedIndexes: too large index: "9"',
	],
	[
		{ failedIndexes: '3,2' },
		{},
		PER_INDEX,
		'status.failedIndexes: Invalid value: "3,2": error parsing failedIndexes: non-increasing order, previous: 3, current: 2',
	],
	[
		{ completedIndexes: '0' },
		{},
		{ completions: 5 },
		'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
	],
	[
		{ failedIndexes: '' },
		{},
		INDEXED,
		'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
	],
	[
		{ completedIndexes: '0-2', failedIndexes: '1,4' },
		{},
		PER_INDEX,
		'status.failedIndexes: Invalid value: "1,4": failedIndexes and completedIndexes overlap at index: 1',
	],
	[
		{ ...COMPLETE, terminating: 2 },
		{},
		{},
		'status.terminating: Invalid value: 2: terminating>0 is invalid for finished job',
	],
	[{ active: 1, ready: 2 }, {}, {}, 'status.ready: Invalid value: 2: cannot set more ready pods than active'],
];

test('when changed: the parts of a status must be consistent', () => {
	check(WHEN_CHANGED);
});

test('a status that is already inconsistent may change in other parts', () => {
	for (const [status, , spec] of WHEN_CHANGED) {
		const texts = problems({ ...status, failed: 7 }, status, spec);
		const always = texts.filter((text) => !text.includes('SuccessCriteriaMet=True and'));
		assert.deepEqual(always, [], JSON.stringify(status));
	}
});

test('a suspended Job with completions 0 may finish without a startTime', () => {
	const { startTime: _, ...status } = COMPLETE;
	check([[status, {}, { suspend: true, completions: 0 }]]);
});

test('startTime is immutable while the Job runs, and may change when it is resumed', () => {
	const immutable = 'field is immutable for unsuspended job once set';
	check([
		[{ startTime: NINE }, {}, {}],
		[
			{ startTime: NINE },
			{ startTime: EIGHT },
			{},
			`status.startTime: Invalid value: "${NINE}": ${immutable}`,
		],
		[{}, { startTime: EIGHT }, {}, `status.startTime: Invalid value: null: ${immutable}`],
		[{}, { startTime: EIGHT }, { suspend: true }],
		[
			{ startTime: NINE, conditions: [{ type: 'Suspended', status: 'False' }] },
			{ startTime: EIGHT, conditions: are('Suspended') },
			{},
		],
	]);
});

test('times are compared as instants, not as text', () => {
	check([[{ ...COMPLETE, startTime: '2026-01-31T09:00:00+01:00' }, COMPLETE, {}]]);
});
