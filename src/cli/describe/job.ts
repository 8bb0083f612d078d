import type { Job } from '../../api/batch/job/schema.ts';
import { humanDuration } from '../../api/meta/duration.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { timeOf } from '../../api/meta/time.ts';
import { annotationLines, at, instant, labelLines } from './lines.ts';
import { controllerLine, optionalLine, templateLines } from './pod.ts';

/**
 * The lines of a Job: those of kubectl (JobDescriber), and then its conditions, which kubectl omits. Only the
 * conditions say why a Job failed.
 */
export function jobLines({ metadata, spec, status }: Job): readonly string[] {
	const { activeDeadlineSeconds: deadline } = spec;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		`Selector:\t${labelSelectorText(spec.selector)}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...controllerLine(metadata),
		...optionalLine('Parallelism', spec.parallelism),
		`Completions:\t${spec.completions ?? '<unset>'}`,
		...optionalLine('Completion Mode', spec.completionMode),
		...optionalLine('Suspend', spec.suspend === undefined ? undefined : String(spec.suspend)),
		...optionalLine('Backoff Limit', spec.backoffLimit),
		...optionalLine('TTL Seconds After Finished', spec.ttlSecondsAfterFinished),
		...optionalLine('Start Time', status.startTime && instant(status.startTime)),
		...optionalLine('Completed At', status.completionTime && instant(status.completionTime)),
		...optionalLine('Duration', durationText(status)),
		...optionalLine('Active Deadline Seconds', deadline === undefined ? undefined : `${deadline}s`),
		`Pods Statuses:\t${podsText(status)}`,
		...(spec.completionMode === 'Indexed' ? [`Completed Indexes:\t${cut(status.completedIndexes)}`] : []),
		...templateLines(spec.template),
		...conditionLines(status),
	];
}

/** Only of a Job that has completed: a failed one has no completionTime, and its conditions say when it failed. */
function durationText({ startTime, completionTime }: Job['status']): string | undefined {
	const [from, to] = [timeOf(startTime), timeOf(completionTime)];
	return from === undefined || to === undefined ? undefined : humanDuration(to - from);
}

/** Counts from the status, not of the Pods, which may have been deleted. Jobs of older versions have no `ready`. */
function podsText({ active = 0, ready, succeeded = 0, failed = 0 }: Job['status']): string {
	const readyText = ready === undefined ? '' : ` (${ready} Ready)`;
	return `${active} Active${readyText} / ${succeeded} Succeeded / ${failed} Failed`;
}

/** A list of completed indexes is cut after the first comma beyond this many characters, as in kubectl. */
const SHOWN_INDEXES = 50;

/** Upstream: capIndexesListOrNone. */
function cut(indexes = ''): string {
	if (indexes === '') return '<none>';
	const comma = indexes.indexOf(',', SHOWN_INDEXES);
	return comma < 0 ? indexes : `${indexes.slice(0, comma + 1)}...`;
}

/** The form of the table is that of the conditions of a Node. */
function conditionLines({ conditions = [] }: Job['status']): readonly string[] {
	if (conditions.length === 0) return [];
	const rows = conditions.map(({ type, status, reason = '', message = '' }) =>
		at(1, `${type}\t${status}\t${reason}\t${message}`),
	);
	return [
		'Conditions:',
		at(1, 'Type\tStatus\tReason\tMessage'),
		at(1, '----\t------\t------\t-------'),
		...rows,
	];
}
