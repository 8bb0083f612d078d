import { semanticEqual } from '../../meta/equality.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { duplicate, immutable, invalid, nonNegative, required } from '../../meta/field-errors.ts';
import { timeOf } from '../../meta/time.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { firstCommonIndex, parseIndexList } from './index-list.ts';
import type { Job, JobStatus } from './schema.ts';

const STATUS = new FieldPath('status');
const CONDITIONS = STATUS.child('conditions');

/** What is wrong with a new status of a Job. Some rules hold only where what they speak of has changed. */
export function validateJobStatusUpdate(job: Job, old: Job): readonly FieldError[] {
	return [
		...validateMetaUpdate(job.metadata, old.metadata, new FieldPath('metadata')),
		...validateCounts(job.status),
		...validateTransitions(job, old),
		...RULES.flatMap(({ changed, check }) =>
			changed.some((part) => PARTS[part](job.status) !== PARTS[part](old.status)) ? check(job, old) : [],
		),
	];
}

function validateCounts(status: JobStatus): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const count of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
		errors.push(...nonNegative(STATUS.child(count), status[count] ?? 0));
	}
	const seen = new Set<string>();
	for (const list of ['succeeded', 'failed'] as const) {
		const path = STATUS.child('uncountedTerminatedPods', list);
		for (const [index, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
			if (uid === '') errors.push(invalid(path.index(index), uid, 'must not be empty'));
			else if (seen.has(uid)) errors.push(duplicate(path.index(index), uid));
			seen.add(uid);
		}
	}
	return errors;
}

function has(status: JobStatus, type: string): boolean {
	return (
		status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
	);
}

function isFinished(status: JobStatus): boolean {
	return has(status, 'Complete') || has(status, 'Failed');
}

/** What must hold of every change: nothing final is taken back, counters only grow. */
function validateTransitions({ spec, status }: Job, { status: old }: Job): readonly FieldError[] {
	const errors: FieldError[] = [];
	const met = has(status, 'SuccessCriteriaMet');
	for (const type of ['Failed', 'FailureTarget']) {
		if (met && has(status, type)) {
			errors.push(
				invalid(
					CONDITIONS,
					status.conditions,
					`cannot set SuccessCriteriaMet=True and ${type}=true conditions`,
				),
			);
		}
	}
	for (const type of ['Failed', 'Complete', 'FailureTarget', 'SuccessCriteriaMet']) {
		if (has(old, type) && !has(status, type)) {
			const what = type === 'SuccessCriteriaMet' ? 'SuccessCriteriaMet=True' : `terminal ${type}=True`;
			errors.push(invalid(CONDITIONS, status.conditions, `cannot disable the ${what} condition`));
		}
	}
	if (has(old, 'Complete') && met && !has(old, 'SuccessCriteriaMet')) {
		errors.push(
			invalid(
				CONDITIONS,
				status.conditions,
				'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
			),
		);
	}
	if (spec.successPolicy && has(status, 'Complete') && !met) {
		errors.push(
			invalid(
				CONDITIONS,
				status.conditions,
				'cannot set Complete=True for Job with successPolicy unless SuccessCriteriaMet=True',
			),
		);
	}
	if ((status.failed ?? 0) < (old.failed ?? 0)) {
		errors.push(invalid(STATUS.child('failed'), status.failed ?? 0, 'cannot decrease the failed counter'));
	}
	const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
	if ((status.succeeded ?? 0) < (old.succeeded ?? 0) && !elastic) {
		errors.push(
			invalid(STATUS.child('succeeded'), status.succeeded ?? 0, 'cannot decrease the succeeded counter'),
		);
	}
	if (old.completionTime !== undefined && !sameTime(status.completionTime, old.completionTime)) {
		errors.push(immutable(STATUS.child('completionTime'), status.completionTime ?? null));
	}
	return errors;
}

/** Clients write instants with and without fractions; they are compared by value. */
function sameTime(a: string | undefined, b: string | undefined): boolean {
	return timeOf(a) === timeOf(b);
}

type Part = keyof typeof PARTS;

/** The parts of a status whose change makes rules apply, in a form that can be compared. */
const PARTS = {
	complete: (status: JobStatus) => has(status, 'Complete'),
	failed: (status: JobStatus) => has(status, 'Failed'),
	failureTarget: (status: JobStatus) => has(status, 'FailureTarget'),
	criteriaMet: (status: JobStatus) => has(status, 'SuccessCriteriaMet'),
	finished: (status: JobStatus) => isFinished(status),
	completionTime: (status: JobStatus) => timeOf(status.completionTime),
	startTime: (status: JobStatus) => timeOf(status.startTime),
	active: (status: JobStatus) => status.active ?? 0,
	ready: (status: JobStatus) => status.ready ?? 0,
	terminating: (status: JobStatus) => status.terminating ?? 0,
	completedIndexes: (status: JobStatus) => status.completedIndexes ?? '',
	failedIndexes: (status: JobStatus) => status.failedIndexes,
	uncounted: ({ uncountedTerminatedPods: { succeeded = [], failed = [] } = {} }: JobStatus) =>
		`${succeeded.join()};${failed.join()}`,
};

interface Rule {
	readonly changed: readonly Part[];
	check(job: Job, old: Job): readonly FieldError[];
}

function refuse(wrong: boolean, error: () => FieldError): readonly FieldError[] {
	return wrong ? [error()] : [];
}

function together(a: string, b: string): Rule['check'] {
	return ({ status }) =>
		refuse(has(status, a) && has(status, b), () =>
			invalid(CONDITIONS, status.conditions, `cannot set ${a}=True and ${b}=true conditions`),
		);
}

function needs(type: string, other: string): Rule['check'] {
	return ({ status }) =>
		refuse(has(status, type) && !has(status, other), () =>
			invalid(
				CONDITIONS,
				status.conditions,
				`cannot set ${type}=True condition without the ${other}=true condition`,
			),
		);
}

const RULES: readonly Rule[] = [
	{ changed: ['complete', 'failed'], check: together('Complete', 'Failed') },
	{ changed: ['complete', 'failureTarget'], check: together('Complete', 'FailureTarget') },
	{ changed: ['complete', 'completionTime'], check: checkCompletionTime },
	{
		changed: ['startTime', 'completionTime'],
		check: ({ status }) => {
			const { startTime, completionTime } = status;
			const wrong = (timeOf(completionTime) ?? Number.POSITIVE_INFINITY) < (timeOf(startTime) ?? 0);
			return refuse(wrong, () =>
				invalid(STATUS.child('completionTime'), completionTime, 'must be equal to or after `startTime`'),
			);
		},
	},
	{ changed: ['failed', 'failedIndexes'], check: needs('Failed', 'FailureTarget') },
	{ changed: ['complete', 'criteriaMet'], check: needs('Complete', 'SuccessCriteriaMet') },
	{
		changed: ['finished', 'active'],
		check: ({ status }) =>
			refuse(isFinished(status) && (status.active ?? 0) > 0, () =>
				invalid(STATUS.child('active'), status.active, 'active>0 is invalid for finished job'),
			),
	},
	{
		changed: ['finished', 'startTime'],
		check: ({ spec, status }) =>
			refuse(
				isFinished(status) && status.startTime === undefined && !(spec.suspend && spec.completions === 0),
				() => required(STATUS.child('startTime'), 'startTime is required for finished job'),
			),
	},
	{
		changed: ['finished', 'uncounted'],
		check: ({ status }) =>
			refuse(isFinished(status) && PARTS.uncounted(status) !== ';', () =>
				invalid(
					STATUS.child('uncountedTerminatedPods'),
					status.uncountedTerminatedPods,
					'must be empty for finished job',
				),
			),
	},
	{ changed: ['completedIndexes', 'failedIndexes'], check: checkIndexes },
	{ changed: ['startTime', 'finished'], check: checkStartTime },
	{
		changed: ['finished', 'terminating'],
		check: ({ status }) =>
			refuse(isFinished(status) && (status.terminating ?? 0) > 0, () =>
				invalid(STATUS.child('terminating'), status.terminating, 'terminating>0 is invalid for finished job'),
			),
	},
	{
		changed: ['ready', 'active'],
		check: ({ status }) =>
			refuse((status.ready ?? 0) > (status.active ?? 0), () =>
				invalid(STATUS.child('ready'), status.ready, 'cannot set more ready pods than active'),
			),
	},
];

function checkCompletionTime({ status }: Job): readonly FieldError[] {
	const path = STATUS.child('completionTime');
	const complete = has(status, 'Complete');
	if (status.completionTime !== undefined && !complete) {
		const detail = 'cannot set completionTime when there is no Complete=True condition';
		return [invalid(path, status.completionTime, detail)];
	}
	return refuse(complete && status.completionTime === undefined, () =>
		required(path, 'completionTime is required for Complete jobs'),
	);
}

function checkStartTime({ spec, status }: Job, { status: old }: Job): readonly FieldError[] {
	if (sameTime(status.startTime, old.startTime) || old.startTime === undefined || spec.suspend) return [];
	const isSuspended = (of: JobStatus, value: string): boolean =>
		of.conditions?.some((condition) => condition.type === 'Suspended' && condition.status === value) ?? false;
	if (isSuspended(old, 'True') && isSuspended(status, 'False')) return [];
	const detail = 'field is immutable for unsuspended job once set';
	return [required(STATUS.child('startTime'), detail)];
}

function checkIndexes({ spec, status }: Job, { status: old }: Job): readonly FieldError[] {
	const completions = spec.completions ?? 0;
	const errors: FieldError[] = [];
	const { completedIndexes = '', failedIndexes } = status;
	const completed = parseIndexList(completedIndexes, completions);
	const failed = parseIndexList(failedIndexes ?? '', completions);
	if (completedIndexes !== (old.completedIndexes ?? '')) {
		const path = STATUS.child('completedIndexes');
		if (completedIndexes !== '' && spec.completionMode !== 'Indexed') {
			errors.push(
				invalid(
					path,
					completedIndexes,
					'cannot set non-empty completedIndexes when non-indexed completion mode',
				),
			);
		} else if (!completed.ok) {
			errors.push(invalid(path, completedIndexes, `error parsing completedIndexes: ${completed.error}`));
		}
	}
	const path = STATUS.child('failedIndexes');
	if (!semanticEqual(failedIndexes, old.failedIndexes) && failedIndexes !== undefined) {
		if (spec.backoffLimitPerIndex === undefined) {
			errors.push(
				invalid(path, failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'),
			);
		} else if (!failed.ok) {
			errors.push(invalid(path, failedIndexes, `error parsing failedIndexes: ${failed.error}`));
		}
	}
	if (completed.ok && failed.ok) {
		const common = firstCommonIndex(completed.intervals, failed.intervals);
		if (common !== undefined) {
			errors.push(
				invalid(path, failedIndexes, `failedIndexes and completedIndexes overlap at index: ${common}`),
			);
		}
	}
	return errors;
}
