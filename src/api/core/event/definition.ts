import { ageOf } from '../../meta/duration.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { invalid, malformed, required } from '../../meta/field-errors.ts';
import { dns1123Subdomain, exceeds, qualifiedName } from '../../meta/names.ts';
import type { Column, ResourceDefinition } from '../../meta/resource.ts';
import { type Event, eventSchema } from './schema.ts';

function text(
	name: string,
	priority: 0 | 1,
	description: string,
	cell: Column<Event>['cell'],
): Column<Event> {
	return { name, type: 'string', priority, description, cell };
}

/** v1 Events. */
export const events: ResourceDefinition<Event> = {
	group: '',
	version: 'v1',
	kind: 'Event',
	resource: 'events',
	singular: 'event',
	shortNames: ['ev'],
	categories: [],
	namespaced: true,
	schema: eventSchema,
	defaults: (event) => event,
	controllerFields: [['count'], ['lastTimestamp'], ['series'], ['message']],
	strategy: {
		prepareForCreate: (event) => event,
		prepareForUpdate: (event) => event,
		validateCreate: validateEvent,
		validateUpdate: validateEvent,
		allowUnconditionalUpdate: true,
	},
	columns: [
		text('Last Seen', 0, 'The time since it happened last.', lastSeen),
		text('Type', 0, 'Normal or Warning.', ({ type }) => type ?? ''),
		text('Reason', 0, 'What happened, in a word.', ({ reason }) => reason ?? ''),
		text('Object', 0, 'What it is about.', ({ involvedObject: { kind = '', name = '' } }) =>
			name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
		),
		text(
			'Subobject',
			1,
			'The part that it is about.',
			({ involvedObject }) => involvedObject.fieldPath ?? '',
		),
		text('Source', 1, 'Who says so.', sourceOf),
		text('Message', 0, 'What happened, in a sentence.', ({ message }) => (message ?? '').trim()),
		text('First Seen', 1, 'The time since it happened first.', firstSeen),
		{ name: 'Count', type: 'string', priority: 1, description: 'How often it has happened.', cell: countOf },
		{
			name: 'Name',
			type: 'string',
			format: 'name',
			priority: 1,
			description: 'Name of the Event.',
			cell: ({ metadata }) => metadata.name ?? '',
		},
	],
	selectableFields: (event) => {
		const { involvedObject: about, source, reportingComponent } = event;
		return {
			'involvedObject.kind': about.kind ?? '',
			'involvedObject.namespace': about.namespace ?? '',
			'involvedObject.name': about.name ?? '',
			'involvedObject.uid': about.uid ?? '',
			'involvedObject.apiVersion': about.apiVersion ?? '',
			'involvedObject.resourceVersion': about.resourceVersion ?? '',
			'involvedObject.fieldPath': about.fieldPath ?? '',
			reason: event.reason ?? '',
			reportingComponent,
			source: source?.component || reportingComponent,
			type: event.type ?? '',
		};
	},
	deletion: { defaultPropagation: 'Background' },
};

const LONGEST_NAME = 128;
const LONGEST_MESSAGE = 1024;

/**
 * What is wrong with an Event, by the rules of the old API: those with an eventTime are of the new kind,
 * and must say who reports what. Metadata is not looked at but for the namespace.
 */
function validateEvent(event: Event): readonly FieldError[] {
	const { namespace = '' } = event.metadata;
	const involved = event.involvedObject.namespace ?? '';
	const errors: FieldError[] = [];
	const isNewKind = Boolean(event.eventTime);
	const agrees = isNewKind ? involved !== '' || namespace === 'kube-system' : namespace === involved;
	// The Events of objects without a namespace live in default.
	if (!agrees && !(involved === '' && (namespace === '' || namespace === 'default'))) {
		const at = new FieldPath('involvedObject').child('namespace');
		errors.push(invalid(at, involved, 'does not match event.namespace'));
	}
	if (isNewKind) errors.push(...validateReport(event));
	return [...errors, ...malformed(new FieldPath('namespace'), namespace, dns1123Subdomain(namespace))];
}

function validateReport(event: Event): readonly FieldError[] {
	const { reportingComponent, reportingInstance, action = '', reason = '', message = '' } = event;
	const component = new FieldPath('reportingComponent');
	return [
		...(reportingComponent === '' ? [required(component)] : []),
		...malformed(component, reportingComponent, qualifiedName(reportingComponent)),
		...validateText('reportingInstance', reportingInstance),
		...validateText('action', action),
		...validateText('reason', reason),
		...atMost('message', message, LONGEST_MESSAGE),
	];
}

function validateText(field: string, text: string): readonly FieldError[] {
	return text === '' ? [required(new FieldPath(field))] : atMost(field, text, LONGEST_NAME);
}

function atMost(field: string, text: string, max: number): readonly FieldError[] {
	if (!exceeds(text, max)) return [];
	return [invalid(new FieldPath(field), '', `can have at most ${max} characters`)];
}

function lastSeen(event: Event, now: number): string {
	const { series, lastTimestamp } = event;
	if (series) return ageOf(series.lastObservedTime, now);
	return lastTimestamp ? ageOf(lastTimestamp, now) : firstSeen(event, now);
}

function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
	return ageOf(firstTimestamp ?? eventTime, now);
}

function sourceOf({ source, reportingComponent, reportingInstance }: Event): string {
	const component = source?.component || reportingComponent;
	const host = source?.host || reportingInstance;
	return host === '' ? component : `${component}, ${host}`;
}

function countOf({ series, count }: Event): number {
	return series ? (series.count ?? 0) : count || 1;
}
