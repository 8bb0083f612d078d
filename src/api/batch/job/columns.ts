import type { Column } from '../../contract/resource-definition.ts';
import { templateColumns } from '../../core/pod/columns.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { humanDuration } from '../../meta/duration.ts';
import { labelSelectorText } from '../../meta/selector.ts';
import { timeOf } from '../../meta/time.ts';
import type { Job, JobCondition } from './schema.ts';

/** The columns of `kubectl get jobs`. */
export const jobColumns: readonly Column<Job>[] = [
	nameColumn(),
	textColumn('Status', 'State of the Job, from its conditions.', jobStatusText),
	textColumn('Completions', 'Number of successful Pods out of those required.', completionsOf),
	textColumn('Duration', 'Time from the start of the Job to its completion, or until now.', durationOf),
	ageColumn(),
	...templateColumns<Job>(({ spec }) => spec.template),
	wideColumn('Selector', 'Label selector for the Pods of the Job.', ({ spec }) =>
		labelSelectorText(spec.selector),
	),
];

/**
 * The STATUS column (upstream: printJob): the first of these states that applies, so an outcome hides a
 * deletion under way, and a deletion hides a suspension.
 */
export function jobStatusText({ metadata, status }: Job): string {
	const is = (type: JobCondition['type']): boolean => isConditionTrue(status.conditions, type);
	if (is('Complete')) return 'Complete';
	if (is('Failed')) return 'Failed';
	if (metadata.deletionTimestamp !== undefined) return 'Terminating';
	if (is('Suspended')) return 'Suspended';
	if (is('FailureTarget')) return 'FailureTarget';
	return is('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

/** `3/5`; for a work queue, which needs one success, `0/1 of 4` with its parallelism. */
function completionsOf({ spec, status }: Job): string {
	const succeeded = status.succeeded ?? 0;
	if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
	const parallelism = spec.parallelism ?? 0;
	return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

/** Empty before the start. A failed Job has no completionTime, so its duration grows, as upstream's does. */
function durationOf({ status }: Job, now: number): string {
	const started = timeOf(status.startTime);
	if (started === undefined) return '';
	return humanDuration((timeOf(status.completionTime) ?? now) - started);
}
