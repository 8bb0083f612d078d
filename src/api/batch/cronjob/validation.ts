/**
 * Validation of CronJobs, in the order and with the texts of upstream's ValidateCronJobCreate and
 * ValidateCronJobUpdate (pkg/apis/batch/validation).
 */

import { chosen, fieldInvalid, fieldRequired, nonNegative, notSupported } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { validateJobSpec } from '../job/spec-validation.ts';
import { jobSpecWarnings } from '../job/validation.ts';
import { parseCron } from './cron-expression.ts';
import type { CronJob, CronJobSpec } from './schema.ts';
import { timeZoneProblem } from './time-zone.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };

/**
 * A Job's name has at most 63 characters. The controller appends 11: a dash and the scheduled time in
 * minutes.
 */
const LONGEST_NAME = 63 - 11;

/** The errors of a new CronJob, in upstream's order. */
export function validateCronJob(cronJob: CronJob): readonly FieldError[] {
	const { name = '' } = cronJob.metadata;
	const errors = [...validateMeta(cronJob.metadata, RULES, META), ...validateSpec(cronJob.spec, undefined)];
	if (name.length > LONGEST_NAME) {
		errors.push(fieldInvalid(META.child('name'), name, `must be no more than ${LONGEST_NAME} characters`));
	}
	return errors;
}

/**
 * The errors of an update. The length of the name is not checked again: the API server must still accept
 * updates of CronJobs created before upstream limited it.
 */
export function validateCronJobUpdate(cronJob: CronJob, old: CronJob): readonly FieldError[] {
	const errors = validateMetaUpdate(cronJob.metadata, old.metadata, META);
	return cronJob.spec === old.spec ? errors : [...errors, ...validateSpec(cronJob.spec, old.spec)];
}

const POLICIES = ['Allow', 'Forbid', 'Replace'];

function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined): readonly FieldError[] {
	const { startingDeadlineSeconds = 0, successfulJobsHistoryLimit = 0, failedJobsHistoryLimit = 0 } = spec;
	return [
		...validateSchedule(spec, old),
		...nonNegative(SPEC.child('startingDeadlineSeconds'), startingDeadlineSeconds),
		...(old && old.timeZone === spec.timeZone ? [] : validateTimeZone(spec.timeZone)),
		...chosen(SPEC.child('concurrencyPolicy'), spec.concurrencyPolicy, POLICIES),
		...validateTemplate(spec),
		...nonNegative(SPEC.child('successfulJobsHistoryLimit'), successfulJobsHistoryLimit),
		...nonNegative(SPEC.child('failedJobsHistoryLimit'), failedJobsHistoryLimit),
	];
}

/** A time zone in the schedule is an error, unless the old object has one too: upstream once allowed it. */
function validateSchedule(
	{ schedule, timeZone }: CronJobSpec,
	old: CronJobSpec | undefined,
): readonly FieldError[] {
	const at = SPEC.child('schedule');
	if (schedule === '') return [fieldRequired(at)];
	const parsed = parseCron(schedule);
	const errors = parsed.ok ? [] : [fieldInvalid(at, schedule, parsed.error)];
	if (!schedule.includes('TZ')) return errors;
	if (!old?.schedule.includes('TZ')) {
		const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
		return [...errors, fieldInvalid(at, schedule, detail)];
	}
	if (timeZone === undefined) return errors;
	const detail = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
	return [...errors, fieldInvalid(at, schedule, detail)];
}

/** The form of each part of a zone name that upstream accepts before it loads the zone. */
const ZONE_PART = /^[A-Za-z.\-_0-9+]{1,14}$/;

function validateTimeZone(zone: string | undefined): readonly FieldError[] {
	if (zone === undefined) return [];
	const at = SPEC.child('timeZone');
	if (zone === '') return [fieldInvalid(at, zone, 'timeZone must be nil or non-empty string')];
	const wrong = (part: string): boolean =>
		part === '.' || part === '..' || part.startsWith('-') || !ZONE_PART.test(part);
	if (zone.split('/').some(wrong)) return [fieldInvalid(at, zone, `unknown time zone ${zone}`)];
	const errors: FieldError[] = [];
	if (zone.toLowerCase() === 'local') {
		const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
		errors.push(fieldInvalid(at, zone, detail));
	}
	const problem = timeZoneProblem(zone);
	return problem === undefined ? errors : [...errors, fieldInvalid(at, zone, problem)];
}

/**
 * The Job template. It must not set a selector: all Jobs would share it, and each would adopt the others'
 * Pods.
 */
function validateTemplate({ jobTemplate: { spec } }: CronJobSpec): readonly FieldError[] {
	const at = SPEC.child('jobTemplate', 'spec');
	const errors = [...validateJobSpec(spec, at)];
	if (spec.selector !== undefined) {
		errors.push(fieldInvalid(at.child('selector'), spec.selector, '`selector` will be auto-generated'));
	}
	if (spec.manualSelector === true) {
		errors.push(notSupported(at.child('manualSelector'), true, ['nil', 'false']));
	}
	return errors;
}

/** Texts for Warning headers on a create (`old` is undefined) or an update. */
export function cronJobWarnings({ metadata, spec }: CronJob, old: CronJob | undefined): readonly string[] {
	const warnings: string[] = [];
	const problems = old ? [] : dns1123Label(metadata.name ?? '');
	if (problems.length > 0) {
		const advice =
			'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';
		warnings.push(`metadata.name: ${advice}: [${problems.join(' ')}]`);
	}
	if (!old || old.metadata.generation !== metadata.generation) {
		warnings.push(...jobSpecWarnings(spec.jobTemplate.spec, SPEC.child('jobTemplate', 'spec')));
	}
	if (old && spec.schedule.includes('TZ')) {
		warnings.push(
			'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
		);
	}
	return warnings;
}
