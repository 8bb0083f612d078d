import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { annotationLines, instant, labelLines, truth } from './lines.ts';
import { optionalLine, templateLines } from './pod.ts';

/** kubectl's word for a field that is not set and has no default. */
const UNSET = '<unset>';

/** The lines of a CronJob: those of kubectl, and its time zone, which kubectl omits. */
export function cronJobLines({ metadata, spec, status }: CronJob): readonly string[] {
	const { startingDeadlineSeconds: deadline, jobTemplate, suspend } = spec;
	const active = status.active?.map(({ name }) => name).join(', ');
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`Schedule:\t${spec.schedule}`,
		...optionalLine('Time Zone', spec.timeZone),
		`Concurrency Policy:\t${spec.concurrencyPolicy}`,
		`Suspend:\t${suspend === undefined ? UNSET : truth(suspend)}`,
		`Successful Job History Limit:\t${spec.successfulJobsHistoryLimit ?? UNSET}`,
		`Failed Job History Limit:\t${spec.failedJobsHistoryLimit ?? UNSET}`,
		`Starting Deadline Seconds:\t${deadline === undefined ? UNSET : `${deadline}s`}`,
		...jobTemplateLines(jobTemplate.spec),
		`Last Schedule Time:\t${status.lastScheduleTime === undefined ? UNSET : instant(status.lastScheduleTime)}`,
		`Active Jobs:\t${active || '<none>'}`,
	];
}

/** The Job template: fewer fields than of a Job, as in upstream's describeCronJob. */
function jobTemplateLines(spec: CronJob['spec']['jobTemplate']['spec']): readonly string[] {
	const { activeDeadlineSeconds: deadline } = spec;
	return [
		`Selector:\t${spec.selector === undefined ? UNSET : labelSelectorText(spec.selector)}`,
		`Parallelism:\t${spec.parallelism ?? UNSET}`,
		`Completions:\t${spec.completions ?? UNSET}`,
		...optionalLine('Active Deadline Seconds', deadline === undefined ? undefined : `${deadline}s`),
		...templateLines(spec.template),
	];
}
