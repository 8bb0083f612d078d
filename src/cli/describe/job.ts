import { jobStatusText } from '../../api/batch/job/columns.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { humanDuration } from '../../api/meta/duration.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { Connection } from '../context.ts';
import { failuresOf, failuresText } from '../run/failures.ts';
import { fieldsText, instant, type Line, pairs } from './fields.ts';
import { describeContainer } from './pod.ts';

/** A Job in words; of one that failed also how its Pods ended, with their last words. */
export async function describeJob(connection: Connection, job: Job, now: number): Promise<string> {
	const { metadata, spec, status } = job;
	const started = timeOf(status.startTime);
	const lines: readonly Line[] = [
		['Name', metadata.name],
		['Namespace', metadata.namespace],
		['Selector', labelSelectorText(spec.selector)],
		['Labels', pairs(metadata.labels)],
		['Annotations', pairs(metadata.annotations)],
		['Parallelism', spec.parallelism],
		['Completions', spec.completions ?? '<unset>'],
		['Completion Mode', spec.completionMode],
		['Suspend', String(spec.suspend ?? false)],
		['Backoff Limit', spec.backoffLimit],
		[
			'Active Deadline',
			spec.activeDeadlineSeconds === undefined ? undefined : `${spec.activeDeadlineSeconds}s`,
		],
		['TTL', spec.ttlSecondsAfterFinished === undefined ? undefined : `${spec.ttlSecondsAfterFinished}s`],
		['Start Time', instant(status.startTime)],
		['Completed At', instant(status.completionTime)],
		[
			'Duration',
			started === undefined ? undefined : humanDuration((timeOf(status.completionTime) ?? now) - started),
		],
		['Status', jobStatusText(job)],
		[
			'Pods',
			`${status.active ?? 0} active (${status.ready ?? 0} ready) / ${status.succeeded ?? 0} succeeded / ${status.failed ?? 0} failed`,
		],
		['Completed Indexes', status.completedIndexes],
		['Failed Indexes', status.failedIndexes],
	];
	const containers = spec.template.spec.containers.map((container) =>
		describeContainer(container, undefined),
	);
	const conditions = (status.conditions ?? [])
		.filter((condition) => condition.status === 'True')
		.map(({ type, reason = '', message = '' }) => `  ${type}: ${reason}${message ? ` (${message})` : ''}\n`);
	const own = await connection.client
		.resource(pods, metadata.namespace)
		.list({ labelSelector: labelSelectorText(spec.selector) });
	const failed = failuresText(failuresOf(own.items), () => []);
	return [
		fieldsText(lines),
		'Pod Template:\n',
		...containers,
		...(conditions.length > 0 ? ['Conditions:\n', ...conditions] : []),
		failed === '' ? '' : `Failed Pods:\n${failed}`,
	].join('');
}
