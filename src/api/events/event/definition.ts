import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { viewOf } from '../../contract/resource-view.ts';
import { events } from '../../core/event/definition.ts';
import type { Event } from '../../core/event/schema.ts';
import { validateNewEvent, validateNewEventUpdate } from '../../core/event/validation.ts';
import { type NewEvent, newEventSchema } from './schema.ts';

/**
 * events.k8s.io/v1 Events: another representation of the stored v1 Events. Upstream: pkg/apis/events/v1, and the
 * registry of the core Events for both.
 */
export const newEvents: ResourceDefinition<NewEvent> = viewOf<NewEvent>({
	of: events,
	group: 'events.k8s.io',
	version: 'v1',
	schema: newEventSchema,
	// A recorder updates the series of repeated Events.
	controllerFields: [['deprecatedCount'], ['deprecatedLastTimestamp'], ['series'], ['note']],
	toStored,
	fromStored,
	// Upstream: AddFieldLabelConversionsForEvent.
	fields: {
		reason: 'reason',
		'regarding.kind': 'involvedObject.kind',
		'regarding.namespace': 'involvedObject.namespace',
		'regarding.name': 'involvedObject.name',
		'regarding.uid': 'involvedObject.uid',
		'regarding.apiVersion': 'involvedObject.apiVersion',
		'regarding.resourceVersion': 'involvedObject.resourceVersion',
		'regarding.fieldPath': 'involvedObject.fieldPath',
		reportingController: 'reportingComponent',
		type: 'type',
	},
	rules: { validateCreate: validateNewEvent, validateUpdate: validateNewEventUpdate },
});

/** Upstream: `Convert_v1_Event_To_core_Event`. */
function toStored(event: NewEvent): Event {
	const { metadata, reason, note, type, series, action, related } = event;
	return {
		kind: 'Event',
		apiVersion: 'v1',
		metadata,
		involvedObject: event.regarding ?? {},
		...(reason !== undefined && { reason }),
		...(note !== undefined && { message: note }),
		source: event.deprecatedSource,
		firstTimestamp: event.deprecatedFirstTimestamp,
		lastTimestamp: event.deprecatedLastTimestamp,
		...(event.deprecatedCount && { count: event.deprecatedCount }),
		...(type !== undefined && { type }),
		eventTime: event.eventTime,
		...(series && {
			series: { ...(series.count && { count: series.count }), lastObservedTime: series.lastObservedTime },
		}),
		...(action !== undefined && { action }),
		...(related && { related }),
		reportingComponent: event.reportingController ?? '',
		reportingInstance: event.reportingInstance ?? '',
	};
}

/** Upstream: `Convert_core_Event_To_v1_Event`. */
function fromStored(event: Event): NewEvent {
	const { metadata, reason, message, type, series, action, related } = event;
	const { reportingComponent: reportingController, reportingInstance } = event;
	return {
		kind: 'Event',
		apiVersion: 'events.k8s.io/v1',
		metadata,
		eventTime: event.eventTime,
		...(series && { series: { count: series.count ?? 0, lastObservedTime: series.lastObservedTime } }),
		...(reportingController !== '' && { reportingController }),
		...(reportingInstance !== '' && { reportingInstance }),
		...(action !== undefined && { action }),
		...(reason !== undefined && { reason }),
		regarding: event.involvedObject,
		...(related && { related }),
		...(message !== undefined && { note: message }),
		...(type !== undefined && { type }),
		deprecatedSource: event.source,
		deprecatedFirstTimestamp: event.firstTimestamp,
		deprecatedLastTimestamp: event.lastTimestamp,
		...(event.count && { deprecatedCount: event.count }),
	};
}
