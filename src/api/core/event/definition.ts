import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { textColumn, wideColumn } from '../../meta/columns.ts';
import { ageOf } from '../../meta/duration.ts';
import { type Event, eventSchema } from './schema.ts';
import { validateLegacyEvent } from './validation.ts';

/** v1 Events: registry definition and printer columns. Upstream: pkg/registry/core/event. */
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
	// A recorder combines repeated Events into one whose message and counters it updates.
	controllerFields: [['count'], ['lastTimestamp'], ['series'], ['message']],
	strategy: {
		prepareForCreate: (event) => event,
		prepareForUpdate: (event) => event,
		validateCreate: (event) => validateLegacyEvent(event, 'reportingComponent'),
		validateUpdate: (event) => validateLegacyEvent(event, 'reportingComponent'),
		allowUnconditionalUpdate: true,
	},
	columns: [
		textColumn('Last Seen', 'Time since the Event was last reported.', lastSeen),
		textColumn('Type', 'Type of the Event: Normal or Warning.', ({ type }) => type ?? ''),
		textColumn('Reason', 'Reason in CamelCase, such as SuccessfulCreate.', ({ reason }) => reason ?? ''),
		textColumn(
			'Object',
			'Object that the Event reports on.',
			({ involvedObject: { kind = '', name = '' } }) =>
				name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
		),
		wideColumn(
			'Subobject',
			'Part of the object that the Event reports on.',
			({ involvedObject }) => involvedObject.fieldPath ?? '',
		),
		wideColumn('Source', 'Component and node that reported the Event.', sourceOf),
		textColumn('Message', 'Description of the occurrence.', ({ message }) => (message ?? '').trim()),
		wideColumn('First Seen', 'Time since the Event was first reported.', firstSeen),
		{
			name: 'Count',
			type: 'string',
			priority: 1,
			description: 'Number of times that the Event was reported.',
			cell: countOf,
		},
		{
			name: 'Name',
			type: 'string',
			format: 'name',
			priority: 1,
			description: 'Name of the Event.',
			cell: ({ metadata }) => metadata.name ?? '',
		},
	],
	// Upstream: `ToSelectableFields` in pkg/registry/core/event. `kubectl describe` selects the Events of an object by them.
	// The source is that of the core API, or else the reporter of events.k8s.io.
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

/** Age of the last occurrence: from the series if there is one, else the last timestamp, else the first. */
function lastSeen(event: Event, now: number): string {
	const { series, lastTimestamp } = event;
	if (series) return ageOf(series.lastObservedTime, now);
	return lastTimestamp ? ageOf(lastTimestamp, now) : firstSeen(event, now);
}

/** Events for events.k8s.io have no firstTimestamp; their eventTime is the first occurrence. */
function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
	return ageOf(firstTimestamp ?? eventTime, now);
}

/** Reporter of the Event: `source` of the core API, else the fields that replace it in events.k8s.io. */
function sourceOf({ source, reportingComponent, reportingInstance }: Event): string {
	const component = source?.component || reportingComponent;
	const host = source?.host || reportingInstance;
	return host === '' ? component : `${component}, ${host}`;
}

/** An Event without a count stands for one occurrence. */
function countOf({ series, count }: Event): number {
	return series ? (series.count ?? 0) : count || 1;
}
