import { ageOf } from '../../meta/duration.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { invalid } from '../../meta/field-errors.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import type { Column, ResourceDefinition } from '../../meta/resource.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type Event, eventSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };

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
	strategy: {
		prepareForCreate: (event) => event,
		prepareForUpdate: (event) => event,
		validateCreate: (event) => [...validateMeta(event.metadata, RULES, META), ...validateInvolved(event)],
		validateUpdate: (event, old) => [
			...validateMetaUpdate(event.metadata, old.metadata, META),
			...validateInvolved(event),
		],
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

function validateInvolved({ metadata, involvedObject: { namespace } }: Event): readonly FieldError[] {
	// The Events of objects without a namespace live in default.
	if (namespace === undefined || namespace === '' || namespace === metadata.namespace) return [];
	const path = new FieldPath('involvedObject').child('namespace');
	return [invalid(path, namespace, 'does not match event.namespace')];
}

function lastSeen(event: Event, now: number): string {
	const { series, lastTimestamp } = event;
	return ageOf(series?.lastObservedTime ?? lastTimestamp ?? event.eventTime ?? event.firstTimestamp, now);
}

function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
	return ageOf(firstTimestamp ?? eventTime, now);
}

function sourceOf({ source, reportingComponent, reportingInstance }: Event): string {
	const component = source?.component || reportingComponent;
	const host = source?.host || reportingInstance;
	return host === '' ? component : `${component}, ${host}`;
}

function countOf({ series, count }: Event): string {
	return String(series?.count ?? (count || 1));
}
