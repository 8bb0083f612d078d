import type { Column } from '../../contract/resource-definition.ts';
import { templateColumns } from '../../core/pod/columns.ts';
import { ageColumn, integerColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { ageOf } from '../../meta/duration.ts';
import { labelSelectorText } from '../../meta/selector.ts';
import type { CronJob } from './schema.ts';

/** The columns of `kubectl get cronjobs` (upstream: printCronJob and its column definitions). */
export const cronJobColumns: readonly Column<CronJob>[] = [
	nameColumn(),
	textColumn('Schedule', 'Schedule on which Jobs are created, in cron format.', ({ spec }) => spec.schedule),
	textColumn('Timezone', 'Time zone of the schedule.', ({ spec }) => spec.timeZone ?? '<none>'),
	{
		name: 'Suspend',
		// Upstream calls the column boolean, though its cells are the words that printBoolPtr returns.
		type: 'boolean',
		priority: 0,
		description: 'Whether the creation of Jobs is suspended.',
		cell: ({ spec }) => suspendText(spec.suspend),
	},
	integerColumn(
		'Active',
		'Number of Jobs that have not finished.',
		({ status }) => status.active?.length ?? 0,
	),
	textColumn('Last Schedule', 'Time since the latest Job was scheduled.', ({ status }, now) =>
		status.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, now),
	),
	ageColumn(),
	...templateColumns<CronJob>(({ spec }) => spec.jobTemplate.spec.template),
	wideColumn('Selector', 'Label selector in the template of the Jobs.', ({ spec }) =>
		labelSelectorText(spec.jobTemplate.spec.selector),
	),
];

/**
 * As upstream's printBoolPtr. The API server sets a default, so `<unset>` does not occur in stored objects.
 */
function suspendText(suspend: boolean | undefined): string {
	if (suspend === undefined) return '<unset>';
	return suspend ? 'True' : 'False';
}
