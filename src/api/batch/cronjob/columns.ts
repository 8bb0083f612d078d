import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { ageOf } from '../../meta/duration.ts';
import type { Column } from '../../meta/resource.ts';
import { labelSelectorText } from '../../meta/selector.ts';
import type { CronJob } from './schema.ts';

function column(
	name: string,
	priority: 0 | 1,
	description: string,
	cell: Column<CronJob>['cell'],
): Column<CronJob> {
	return { name, type: 'string', priority, description, cell };
}

/** The columns of `kubectl get cronjobs`. */
export const cronJobColumns: readonly Column<CronJob>[] = [
	nameColumn(),
	column('Schedule', 0, 'When its Jobs are due.', ({ spec }) => spec.schedule),
	column('Timezone', 0, 'The zone of the schedule.', ({ spec }) => spec.timeZone ?? '<none>'),
	{
		name: 'Suspend',
		// Upstream calls the column boolean, though its cells are the words that printBoolPtr makes.
		type: 'boolean',
		priority: 0,
		description: 'Whether it is at rest.',
		cell: ({ spec }) => suspendText(spec.suspend),
	},
	{
		name: 'Active',
		type: 'integer',
		priority: 0,
		description: 'How many of its Jobs run.',
		cell: ({ status }) => status.active?.length ?? 0,
	},
	column('Last Schedule', 0, 'The time since a Job was due last.', ({ status }, now) =>
		status.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, now),
	),
	ageColumn(),
	column('Containers', 1, 'The containers of its Pods.', ({ spec }) =>
		spec.jobTemplate.spec.template.spec.containers.map(({ name }) => name).join(','),
	),
	column('Images', 1, 'The images of its Pods.', ({ spec }) =>
		spec.jobTemplate.spec.template.spec.containers.map(({ image = '' }) => image).join(','),
	),
	column('Selector', 1, 'Which Pods are its own.', ({ spec }) =>
		labelSelectorText(spec.jobTemplate.spec.selector),
	),
];

function suspendText(suspend: boolean | undefined): string {
	if (suspend === undefined) return '<unset>';
	return suspend ? 'True' : 'False';
}
