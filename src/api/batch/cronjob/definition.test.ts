import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { cronjobs } from './definition.ts';
import { type CronJob, type CronJobSpec, cronJobSchema } from './schema.ts';

const POD = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] };

function cronJob(spec: object, metadata: object = {}, job: object = {}): CronJob {
	const json = {
		metadata: { name: 'nightly', namespace: 'default', uid: 'u', resourceVersion: '1', ...metadata },
		spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: { spec: POD }, ...job } }, ...spec },
	};
	return cronjobs.strategy.prepareForCreate(cronjobs.defaults(decode(cronJobSchema, json).value));
}

function texts(errors: ReturnType<typeof cronjobs.strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaults are set in a CronJob, but not in its Job template', () => {
	const { schedule: _, jobTemplate, ...spec } = cronJob({}).spec;
	assert.deepEqual(spec, {
		concurrencyPolicy: 'Allow',
		suspend: false,
		successfulJobsHistoryLimit: 3,
		failedJobsHistoryLimit: 1,
	});
	assert.deepEqual(Object.keys(jobTemplate.spec), ['template']);
	assert.equal(jobTemplate.spec.template.spec.schedulerName, 'default-scheduler');
	const full = cronJob({});
	assert.equal(cronjobs.defaults(full), full);
	assert.equal(cronJob({ successfulJobsHistoryLimit: 0 }).spec.successfulJobsHistoryLimit, 0);
});

test('validation reports every invalid field of a CronJob', () => {
	const negative = 'must be greater than or equal to 0';
	const rows: readonly (readonly [spec: object, ...problems: readonly string[]])[] = [
		[{}],
		[{ timeZone: 'Europe/Berlin', startingDeadlineSeconds: 0, failedJobsHistoryLimit: 0 }],
		[{ schedule: '' }, 'spec.schedule: Required value'],
		[
			{ schedule: '* * * *' },
			'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
		],
		[
			{ schedule: 'TZ=UTC 0 3 * * *' },
			'spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
		],
		[{ startingDeadlineSeconds: -1 }, `spec.startingDeadlineSeconds: Invalid value: -1: ${negative}`],
		[{ timeZone: '' }, 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
		...['Europe/../Berlin', '-x', 'Europe/Ber lin', 'Nowhere', 'europe/berlin', '+0100'].map(
			(timeZone) =>
				[{ timeZone }, `spec.timeZone: Invalid value: "${timeZone}": unknown time zone ${timeZone}`] as const,
		),
		[
			{ timeZone: 'Local' },
			'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
		],
		[
			{ concurrencyPolicy: 'allow' },
			'spec.concurrencyPolicy: Unsupported value: "allow": supported values: "Allow", "Forbid", "Replace"',
		],
		[
			{ successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1 },
			`spec.successfulJobsHistoryLimit: Invalid value: -1: ${negative}`,
			`spec.failedJobsHistoryLimit: Invalid value: -1: ${negative}`,
		],
	];
	for (const [spec, ...expected] of rows) {
		assert.deepEqual(texts(cronjobs.strategy.validateCreate(cronJob(spec))), expected, JSON.stringify(spec));
	}
});

test('validation reports invalid fields of the Job template', () => {
	const path = 'spec.jobTemplate.spec';
	const rows: readonly (readonly [job: object, ...problems: readonly string[]])[] = [
		[{ parallelism: -1 }, `${path}.parallelism: Invalid value: -1: must be greater than or equal to 0`],
		[
			{ template: { spec: { ...POD, restartPolicy: 'Always' } } },
			`${path}.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`,
		],
		[{ selector: {} }, `${path}.selector: Invalid value: {}: \`selector\` will be auto-generated`],
		[
			{ manualSelector: true },
			`${path}.manualSelector: Unsupported value: true: supported values: "nil", "false"`,
		],
		[
			{ backoffLimitPerIndex: 1 },
			`${path}.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode`,
		],
	];
	for (const [job, ...expected] of rows) {
		assert.deepEqual(texts(cronjobs.strategy.validateCreate(cronJob({}, {}, job))), expected);
	}
});

test('a name is limited to 52 characters, so that the controller can append the scheduled time', () => {
	const long = 'a'.repeat(53);
	assert.deepEqual(texts(cronjobs.strategy.validateCreate(cronJob({}, { name: long }))), [
		`metadata.name: Invalid value: "${long}": must be no more than 52 characters`,
	]);
	const old = cronJob({}, { name: long });
	assert.deepEqual(
		texts(cronjobs.strategy.validateUpdate(cronJob({ suspend: true }, { name: long }), old)),
		[],
	);
});

test('an update may keep a time zone in the schedule, and an unknown time zone', () => {
	const update = (old: CronJob, change: Partial<CronJobSpec>): readonly string[] =>
		texts(cronjobs.strategy.validateUpdate({ ...old, spec: { ...old.spec, ...change } }, old));
	const zoned = cronJob({ schedule: 'TZ=UTC 0 3 * * *' });
	assert.deepEqual(update(zoned, { schedule: 'TZ=UTC 0 4 * * *' }), []);
	assert.deepEqual(update(zoned, { timeZone: 'UTC' }), [
		'spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
	]);
	assert.deepEqual(update(cronJob({ timeZone: 'Nowhere' }), { suspend: true }), []);
});

test('spec and status have separate endpoints, and the generation counts changes of the spec', () => {
	const old: CronJob = { ...cronJob({}), status: { lastScheduleTime: '2026-01-31T08:00:00Z' } };
	const updated = cronjobs.strategy.prepareForUpdate(
		{ ...old, spec: { ...old.spec, suspend: true }, status: {} },
		old,
	);
	assert.equal(updated.metadata.generation, 2);
	assert.equal(updated.status, old.status);
	assert.equal(cronjobs.status?.prepareForUpdate(updated, old).spec, old.spec);
	assert.deepEqual(cronjobs.deletion, { defaultPropagation: 'Background' });
});

test('a CronJob gets warnings for its name, its schedule and its Job template', () => {
	const warnings = (given: CronJob, old?: CronJob): readonly string[] =>
		cronjobs.strategy.warnings?.(given, old) ?? [];
	assert.deepEqual(warnings(cronJob({})), []);
	assert.match(warnings(cronJob({}, { name: 'a.b' }))[0] ?? '', /^metadata\.name: this is used in Pod names/);
	const zoned = cronJob({ schedule: 'TZ=UTC 0 3 * * *' });
	assert.match(warnings(zoned, zoned)[0] ?? '', /^cannot use TZ or CRON_TZ in spec\.spec\.schedule/);
});

test('the columns of a CronJob show its schedule, time zone, active Jobs and template', () => {
	const now = Date.parse('2026-01-31T08:10:00Z');
	const cells = (given: CronJob): object =>
		Object.fromEntries(cronjobs.columns.map(({ name, cell }) => [name, cell(given, now)]));
	const plain = cronJob({}, { creationTimestamp: '2026-01-31T08:00:00Z' });
	assert.deepEqual(cells(plain), {
		Name: 'nightly',
		Schedule: '0 3 * * *',
		Timezone: '<none>',
		Suspend: 'False',
		Active: 0,
		'Last Schedule': '<none>',
		Age: '10m',
		Containers: 'main',
		Images: 'a:1',
		Selector: '<none>',
	});
	const status = { active: [{ name: 'a' }], lastScheduleTime: '2026-01-31T08:05:00Z' };
	const busy = Object.values(cells({ ...cronJob({ timeZone: 'UTC', suspend: true }), status }));
	assert.deepEqual(busy.slice(2, 6), ['UTC', 'True', 1, '5m']);
});
