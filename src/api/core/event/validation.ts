/**
 * Validation of Events (upstream: pkg/apis/core/validation/events.go). Both Event APIs have the same stored object:
 * requests to the core API are subject to the legacy rules only, those to events.k8s.io/v1 to strict rules too. The
 * errors name the fields of the core API in both, except for the reporter.
 */

import { fieldInvalid, fieldRequired, immutable, malformed } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { dns1123Subdomain, exceeds, qualifiedName } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { jsonEqual } from '../../schema/equality.ts';
import type { Event } from './schema.ts';

/** The name of the reporter's field in the API of the request. */
type ReporterField = 'reportingComponent' | 'reportingController';

/** Upstream's limits for Events of events.k8s.io, in bytes (`ReportingInstanceLengthLimit` and its neighbours). */
const MAX_NAME_LENGTH = 128;
const MAX_MESSAGE_LENGTH = 1024;

/**
 * The errors of an Event in either API (upstream: `legacyValidateEvent`). An Event with an eventTime was written for
 * events.k8s.io, so it must name its reporter, action and reason. Metadata is not validated.
 */
export function validateLegacyEvent(event: Event, reporter: ReporterField): readonly FieldError[] {
	const { namespace = '' } = event.metadata;
	const involved = event.involvedObject.namespace ?? '';
	const errors: FieldError[] = [];
	const isNewKind = Boolean(event.eventTime);
	const agrees = isNewKind ? involved !== '' || namespace === 'kube-system' : namespace === involved;
	// Events about cluster-scoped objects are in the namespace default.
	if (!agrees && !(involved === '' && (namespace === '' || namespace === 'default'))) {
		const at = new FieldPath('involvedObject').child('namespace');
		errors.push(fieldInvalid(at, involved, 'does not match event.namespace'));
	}
	return isNewKind ? [...errors, ...validateReport(event, reporter)] : errors;
}

/** The rules for Events of events.k8s.io: they name who reports what was done. The core API left these fields empty. */
function validateReport(event: Event, reporter: ReporterField): readonly FieldError[] {
	const { reportingComponent, reportingInstance, action = '', reason = '', message = '' } = event;
	const component = new FieldPath(reporter);
	return [
		...(reportingComponent === '' ? [fieldRequired(component)] : []),
		...malformed(component, reportingComponent, qualifiedName(reportingComponent)),
		...validateText('reportingInstance', reportingInstance),
		...validateText('action', action),
		...validateText('reason', reason),
		...atMost('message', message, MAX_MESSAGE_LENGTH),
	];
}

/** A required text of limited length. */
function validateText(field: string, text: string): readonly FieldError[] {
	return text === '' ? [fieldRequired(new FieldPath(field))] : atMost(field, text, MAX_NAME_LENGTH);
}

/** Upstream shows no value: the text is long. */
function atMost(field: string, text: string, max: number): readonly FieldError[] {
	if (!exceeds(text, max)) return [];
	return [unshown(field, `can have at most ${max} characters`)];
}

/** Upstream shows an empty text instead of the value in all these errors. */
function unshown(field: string, detail: string): FieldError {
	return fieldInvalid(new FieldPath(field), '', detail);
}

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** The errors of an Event that is created by events.k8s.io/v1 (upstream: `ValidateEventCreate`). */
export function validateNewEvent(event: Event): readonly FieldError[] {
	const { type = '', source, count } = event;
	const superseded: readonly (readonly [field: string, isSet: boolean])[] = [
		['firstTimestamp', Boolean(event.firstTimestamp)],
		['lastTimestamp', Boolean(event.lastTimestamp)],
		['count', Boolean(count)],
		['source', Boolean(source?.component || source?.host)],
	];
	return [
		...validateLegacyEvent(event, 'reportingController'),
		...validateMeta(event.metadata, RULES, META),
		...validateSeries(event),
		...(event.eventTime ? [] : [fieldRequired(new FieldPath('eventTime'))]),
		...(type === 'Normal' || type === 'Warning' ? [] : [unshown('type', `has invalid value: ${type}`)]),
		...superseded.flatMap(([field, isSet]) => (isSet ? [unshown(field, 'needs to be unset')] : [])),
	];
}

function validateSeries({ series }: Event): readonly FieldError[] {
	if (!series) return [];
	return [
		...((series.count ?? 0) < 2 ? [unshown('series.count', 'should be at least 2')] : []),
		...(series.lastObservedTime ? [] : [fieldRequired(new FieldPath('series.lastObservedTime'))]),
	];
}

/** The errors of an update by events.k8s.io/v1: only the series and metadata may change (upstream: `ValidateEventUpdate`). */
export function validateNewEventUpdate(event: Event, old: Event): readonly FieldError[] {
	return [
		...validateLegacyEvent(event, 'reportingController'),
		...validateMetaUpdate(event.metadata, old.metadata, META),
		...(jsonEqual(event.series, old.series) ? [] : validateSeries(event)),
		...IMMUTABLE.flatMap(([field, shown]) =>
			jsonEqual(shown(event), shown(old)) ? [] : [immutable(new FieldPath(field), shown(event))],
		),
	];
}

/**
 * The fields that must not change, in upstream's order, each with its value as errors show it. Upstream checks the
 * reason twice; the second error is dropped as a repetition.
 */
const IMMUTABLE: readonly (readonly [field: string, shown: (event: Event) => unknown])[] = [
	['involvedObject', ({ involvedObject }) => goReference(involvedObject)],
	['reason', ({ reason = '' }) => reason],
	['message', ({ message = '' }) => message],
	['source', ({ source }) => ({ Component: source?.component ?? '', Host: source?.host ?? '' })],
	['firstTimestamp', ({ firstTimestamp }) => firstTimestamp ?? null],
	['lastTimestamp', ({ lastTimestamp }) => lastTimestamp ?? null],
	['count', ({ count = 0 }) => count],
	['type', ({ type = '' }) => type],
	['eventTime', ({ eventTime }) => eventTime ?? null],
	['action', ({ action = '' }) => action],
	['related', ({ related }) => (related ? goReference(related) : null)],
	['reportingController', ({ reportingComponent }) => reportingComponent],
	['reportingInstance', ({ reportingInstance }) => reportingInstance],
];

/** A reference as upstream's errors show it: its internal type has no JSON names, so those of Go appear. */
function goReference(reference: Event['involvedObject']): Readonly<Record<string, string>> {
	const { kind = '', namespace = '', name = '', uid = '', apiVersion = '' } = reference;
	const { resourceVersion = '', fieldPath = '' } = reference;
	return {
		Kind: kind,
		Namespace: namespace,
		Name: name,
		UID: uid,
		APIVersion: apiVersion,
		ResourceVersion: resourceVersion,
		FieldPath: fieldPath,
	};
}
