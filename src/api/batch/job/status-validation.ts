/**
 * Validation of a Job's status, by whichever controller it is written (upstream: getStatusValidationOptions
 * and ValidateJobUpdateStatus).
 *
 * Most rules apply only if a part that they concern has changed. An edit of the spec can make a stored status
 * invalid, and the next writer of the status must not be refused for it.
 */

import {
	duplicate,
	fieldInvalid,
	fieldRequired,
	immutable,
	invalidUnshown,
	nonNegative,
} from '../../errors/field-errors.ts';
import type { FieldError } from '../../errors/field-path.ts';
import { FieldPath } from '../../errors/field-path.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { timeOf } from '../../meta/time.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { semanticEqual } from '../../schema/equality.ts';
import type { Job, JobStatus } from './schema.ts';
import { firstCommonIndex, parseIndexList } from './strict-index-list.ts';

const STATUS = new FieldPath('status');
const CONDITIONS = STATUS.child('conditions');

/** The errors of a new status, in upstream's order. */
export function validateJobStatusUpdate(job: Job, old: Job): readonly FieldError[] {
	const errors: FieldError[] = [
		...validateMetaUpdate(job.metadata, old.metadata, new FieldPath('metadata')),
		...validateCounts(job.status),
	];
	const is = stateOf(job.status);
	const was = stateOf(old.status);
	for (const { when, check } of RULES) {
		if (when === undefined || when.some((part) => !semanticEqual(is[part], was[part]))) {
			errors.push(...check({ job, old, is, was }));
		}
	}
	return errors;
}

/** The checks that apply always: counters are not negative, and no UID is listed twice or empty. */
function validateCounts(status: JobStatus): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const count of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
		errors.push(...nonNegative(STATUS.child(count), status[count] ?? 0));
	}
	const seen = new Set<string>();
	for (const list of ['succeeded', 'failed'] as const) {
		const path = STATUS.child('uncountedTerminatedPods', list);
		for (const [index, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
			if (uid === '') errors.push(fieldInvalid(path.index(index), uid, 'must not be empty'));
			else if (seen.has(uid)) errors.push(duplicate(path.index(index), uid));
			seen.add(uid);
		}
	}
	return errors;
}

/**
 * The parts of a status that the rules check. Times are in milliseconds, since one instant has several
 * spellings.
 */
interface State {
	readonly complete: boolean;
	readonly failed: boolean;
	readonly finished: boolean;
	readonly failureTarget: boolean;
	readonly criteriaMet: boolean;
	readonly startTime: number | undefined;
	readonly completionTime: number | undefined;
	readonly active: number;
	readonly ready: number | undefined;
	readonly terminating: number | undefined;
	readonly completedIndexes: string;
	readonly failedIndexes: string | undefined;
	readonly uncounted: JobStatus['uncountedTerminatedPods'];
}

/**
 * Condition types that are not listed count as not True, so an absent condition and a False one are equal.
 */
function stateOf(status: JobStatus): State {
	const complete = isConditionTrue(status.conditions, 'Complete');
	const failed = isConditionTrue(status.conditions, 'Failed');
	return {
		complete,
		failed,
		finished: complete || failed,
		failureTarget: isConditionTrue(status.conditions, 'FailureTarget'),
		criteriaMet: isConditionTrue(status.conditions, 'SuccessCriteriaMet'),
		startTime: timeOf(status.startTime),
		completionTime: timeOf(status.completionTime),
		active: status.active ?? 0,
		ready: status.ready,
		terminating: status.terminating,
		completedIndexes: status.completedIndexes ?? '',
		failedIndexes: status.failedIndexes,
		uncounted: status.uncountedTerminatedPods,
	};
}

function isResumed({ status }: Job): boolean {
	return (
		status.conditions?.some(({ type, status: value }) => type === 'Suspended' && value === 'False') ?? false
	);
}

interface Change {
	readonly job: Job;
	readonly old: Job;
	readonly is: State;
	readonly was: State;
}

/** A rule. It applies if one of the parts in `when` has changed; without `when` it always applies. */
interface Rule {
	readonly when?: readonly (keyof State)[];
	check(change: Change): readonly FieldError[];
}

/** An error of the conditions as a whole. Upstream does not show their value, which can be long. */
function conditions(wrong: boolean, detail: string): readonly FieldError[] {
	return wrong ? [invalidUnshown(CONDITIONS, detail)] : [];
}

function wrongValue(field: keyof JobStatus, { job }: Change, detail: string): readonly FieldError[] {
	return [fieldInvalid(STATUS.child(field), job.status[field], detail)];
}

function missing(wrong: boolean, field: keyof JobStatus, detail: string): readonly FieldError[] {
	return wrong ? [fieldRequired(STATUS.child(field), detail)] : [];
}

/** The terminal conditions: the field of {@link State}, and the type. */
const FINAL = [
	['failed', 'Failed'],
	['complete', 'Complete'],
	['failureTarget', 'FailureTarget'],
] as const;

/**
 * The rules in upstream's order, which is also the order of their errors. Every rule is checked: one wrong
 * status can break several, and the client gets all of them.
 */
const RULES: readonly Rule[] = [
	{
		when: ['complete', 'failed'],
		check: ({ is }) =>
			conditions(is.complete && is.failed, 'cannot set Complete=True and Failed=true conditions'),
	},
	{
		when: ['complete', 'failureTarget'],
		check: ({ is }) =>
			conditions(
				is.complete && is.failureTarget,
				'cannot set Complete=True and FailureTarget=true conditions',
			),
	},
	{
		// A Job that fails has no completionTime: only success sets it.
		when: ['complete', 'completionTime'],
		check: (change) => {
			const wrong = change.is.completionTime !== undefined && !change.is.complete;
			const detail = 'cannot set completionTime when there is no Complete=True condition';
			return wrong ? wrongValue('completionTime', change, detail) : [];
		},
	},
	{
		when: ['complete', 'completionTime'],
		check: ({ is }) => {
			const wrong = is.complete && is.completionTime === undefined;
			return missing(wrong, 'completionTime', 'completionTime is required for Complete jobs');
		},
	},
	{
		when: ['startTime', 'completionTime'],
		check: (change) => {
			const { startTime = 0, completionTime = Number.POSITIVE_INFINITY } = change.is;
			const detail = 'must be equal to or after `startTime`';
			return completionTime < startTime ? wrongValue('completionTime', change, detail) : [];
		},
	},
	{
		// The controller first adds FailureTarget, deletes the remaining Pods, and adds Failed once they have
		// ended.
		when: ['failed', 'failedIndexes'],
		check: ({ is }) =>
			conditions(
				is.failed && !is.failureTarget,
				'cannot set Failed=True condition without the FailureTarget=true condition',
			),
	},
	{
		// As with FailureTarget: SuccessCriteriaMet comes first, Complete once the remaining Pods have ended.
		when: ['complete', 'criteriaMet'],
		check: ({ is }) =>
			conditions(
				is.complete && !is.criteriaMet,
				'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
			),
	},
	{
		// A finished Job must not run Pods: the TTL controller may delete it at any time.
		when: ['finished', 'active'],
		check: (change) => {
			const { finished, active } = change.is;
			return finished && active > 0
				? wrongValue('active', change, 'active>0 is invalid for finished job')
				: [];
		},
	},
	{
		when: ['finished', 'startTime'],
		check: ({ is, job: { spec } }) => {
			// A Job that was suspended from the start and has no work never starts.
			const neverRan = spec.suspend === true && spec.completions === 0;
			const wrong = is.finished && is.startTime === undefined && !neverRan;
			return missing(wrong, 'startTime', 'startTime is required for finished job');
		},
	},
	{
		when: ['finished', 'uncounted'],
		check: (change) => {
			const { finished, uncounted: { succeeded = [], failed = [] } = {} } = change.is;
			// A UID that is still listed has not been counted, so the final counters would be wrong.
			const wrong = finished && succeeded.length + failed.length > 0;
			return wrong ? wrongValue('uncountedTerminatedPods', change, 'must be empty for finished job') : [];
		},
	},
	{
		when: ['completedIndexes'],
		check: (change) => unreadable('completedIndexes', change.is.completedIndexes, change),
	},
	{
		when: ['failedIndexes'],
		check: (change) => {
			if (change.job.spec.backoffLimitPerIndex === undefined) return [];
			return unreadable('failedIndexes', change.is.failedIndexes ?? '', change);
		},
	},
	{
		when: ['completedIndexes'],
		check: (change) => {
			const wrong = change.is.completedIndexes !== '' && change.job.spec.completionMode !== 'Indexed';
			const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
			return wrong ? wrongValue('completedIndexes', change, detail) : [];
		},
	},
	{
		when: ['failedIndexes'],
		check: (change) => {
			const wrong =
				change.is.failedIndexes !== undefined && change.job.spec.backoffLimitPerIndex === undefined;
			const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
			return wrong ? wrongValue('failedIndexes', change, detail) : [];
		},
	},
	{
		// An index has one outcome. An overlap would count it twice.
		when: ['completedIndexes', 'failedIndexes'],
		check: (change) => {
			const { completedIndexes, failedIndexes = '' } = change.is;
			const { completions } = change.job.spec;
			if (completions === undefined) return [];
			const common = firstCommonIndex(completedIndexes, failedIndexes, completions);
			const detail = `failedIndexes and completedIndexes overlap at index: ${common}`;
			return common !== undefined ? wrongValue('failedIndexes', change, detail) : [];
		},
	},
	{
		when: ['finished', 'terminating'],
		check: (change) => {
			const { finished, terminating = 0 } = change.is;
			const detail = 'terminating>0 is invalid for finished job';
			return finished && terminating > 0 ? wrongValue('terminating', change, detail) : [];
		},
	},
	{
		when: ['ready', 'active'],
		check: (change) => {
			const { ready, active } = change.is;
			return ready !== undefined && ready > active
				? wrongValue('ready', change, 'cannot set more ready pods than active')
				: [];
		},
	},
	{
		check: ({ is }) =>
			conditions(
				is.criteriaMet && is.failed,
				'cannot set SuccessCriteriaMet=True and Failed=true conditions',
			),
	},
	{
		check: ({ is }) =>
			conditions(
				is.criteriaMet && is.failureTarget,
				'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
			),
	},
	{
		check: ({ is, job }) =>
			conditions(
				job.spec.successPolicy !== undefined && is.complete && !is.criteriaMet,
				'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
			),
	},
	// Terminal conditions are final: other controllers act on them, and cannot undo that.
	...FINAL.map(
		([part, type]): Rule => ({
			check: ({ is, was }) =>
				conditions(was[part] && !is[part], `cannot disable the terminal ${type}=True condition`),
		}),
	),
	{
		check: ({ job: { status }, old }) => {
			const wrong = (status.failed ?? 0) < (old.status.failed ?? 0);
			const detail = 'cannot decrease the failed counter';
			return wrong ? [fieldInvalid(STATUS.child('failed'), status.failed ?? 0, detail)] : [];
		},
	},
	{
		check: ({ job: { spec, status }, old }) => {
			// An elastic Indexed Job that is scaled down discards the successes of the indexes it no longer has.
			const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
			const wrong = !elastic && (status.succeeded ?? 0) < (old.status.succeeded ?? 0);
			const detail = 'cannot decrease the succeeded counter';
			return wrong ? [fieldInvalid(STATUS.child('succeeded'), status.succeeded ?? 0, detail)] : [];
		},
	},
	{
		check: ({ job, is, was }) => {
			const both = is.completionTime !== undefined && was.completionTime !== undefined;
			if (!both || is.completionTime === was.completionTime) return [];
			return [immutable(STATUS.child('completionTime'), job.status.completionTime)];
		},
	},
	{ when: ['startTime'], check: checkStartTime },
	{
		check: ({ is, was }) =>
			conditions(was.criteriaMet && !is.criteriaMet, 'cannot disable the SuccessCriteriaMet=True condition'),
	},
	{
		check: ({ is, was }) =>
			conditions(
				was.complete && !was.criteriaMet && is.criteriaMet,
				'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
			),
	},
];

/**
 * The error of a list of indexes that cannot be parsed. Without completions there is no bound to check
 * against.
 */
function unreadable(
	field: 'completedIndexes' | 'failedIndexes',
	text: string,
	change: Change,
): readonly FieldError[] {
	const { completions } = change.job.spec;
	const list = completions === undefined ? undefined : parseIndexList(text, completions);
	if (list === undefined || list.ok) return [];
	return wrongValue(field, change, `error parsing ${field}: ${list.error}`);
}

/** startTime is immutable while the Job runs. Suspending the Job clears it, and resuming sets it again. */
function checkStartTime(change: Change): readonly FieldError[] {
	const { job, old, was } = change;
	if (was.startTime === undefined || job.spec.suspend) return [];
	if (isConditionTrue(old.status.conditions, 'Suspended') && isResumed(job)) return [];
	const { startTime = null } = job.status;
	return [
		fieldInvalid(STATUS.child('startTime'), startTime, 'field is immutable for unsuspended job once set'),
	];
}
