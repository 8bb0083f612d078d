import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { humanDuration } from '../../meta/duration.ts';
import type { Column } from '../../meta/resource.ts';
import { labelSelectorText } from '../../meta/selector.ts';
import { timeOf } from '../../meta/time.ts';
import type { Job } from './schema.ts';

function column(name: string, priority: 0 | 1, description: string, cell: Column<Job>['cell']): Column<Job> {
	return { name, type: 'string', priority, description, cell };
}

/** The columns of `kubectl get jobs`. */
export const jobColumns: readonly Column<Job>[] = [
	nameColumn(),
	column('Status', 0, 'How it is doing.', jobStatusText),
	column('Completions', 0, 'How many of its Pods have succeeded.', completionsOf),
	column('Duration', 0, 'How long it took, or has taken so far.', durationOf),
	ageColumn(),
	column('Containers', 1, 'The containers of its Pods.', ({ spec }) =>
		spec.template.spec.containers.map(({ name }) => name).join(','),
	),
	column('Images', 1, 'The images of its Pods.', ({ spec }) =>
		spec.template.spec.containers.map(({ image = '' }) => image).join(','),
	),
	column('Selector', 1, 'Which Pods are its own.', ({ spec }) => labelSelectorText(spec.selector)),
];

/** The STATUS column: the first of these words that applies. */
export function jobStatusText({ metadata, status }: Job): string {
	const is = (type: string): boolean =>
		status.conditions?.find((condition) => condition.type === type)?.status === 'True';
	if (is('Complete')) return 'Complete';
	if (is('Failed')) return 'Failed';
	if (metadata.deletionTimestamp !== undefined) return 'Terminating';
	if (is('Suspended')) return 'Suspended';
	if (is('FailureTarget')) return 'FailureTarget';
	return is('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function completionsOf({ spec, status }: Job): string {
	const succeeded = status.succeeded ?? 0;
	if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
	const parallelism = spec.parallelism ?? 0;
	return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf({ status }: Job, now: number): string {
	const started = timeOf(status.startTime);
	if (started === undefined) return '';
	return humanDuration((timeOf(status.completionTime) ?? now) - started);
}
