import { eventSourceSchema } from '../../core/event/schema.ts';
import { objectReferenceSchema } from '../../core/pod/schema/reference.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	type Infer,
	int32,
	microTimeOrNull,
	object,
	omitZero,
	optional,
	required,
	string,
	timeOrNull,
} from '../../schema/schema.ts';

/** Schema of events.k8s.io/v1 Event: the same object as the v1 Event, with other names for some fields. */
export const newEventSchema = object(
	'io.k8s.api.events.v1.Event',
	'Report of an occurrence in the cluster. Events are kept for a limited time and are not a reliable record.',
	{
		apiVersion: required(string, 'Version of the API: events.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: Event.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		eventTime: always(
			microTimeOrNull,
			'Time at which the Event was first observed, in microseconds. Required for new Events.',
		),
		series: optional(
			object('io.k8s.api.events.v1.EventSeries', 'Series of equal Events that are stored as one.', {
				count: required(int32, 'Number of occurrences in the series so far, at least 2.'),
				lastObservedTime: always(microTimeOrNull, 'Time at which the last occurrence was observed.'),
			}),
			'Series of equal Events that this one stands for. Absent for a single occurrence.',
		),
		reportingController: optional(
			string,
			'Name of the controller that reported the Event, such as kubernetes.io/kubelet. Required for new Events.',
		),
		reportingInstance: optional(
			string,
			'Identifier of the controller instance, such as the name of its node. At most 128 characters.',
		),
		action: optional(
			string,
			'Action that was taken or that failed with regard to the object, for programs. At most 128 characters.',
		),
		reason: optional(string, 'Why the action was taken. Required for new Events; at most 128 characters.'),
		regarding: always(objectReferenceSchema, 'Object that the Event reports on.'),
		related: optional(objectReferenceSchema, 'Second object that the action involved.'),
		note: optional(string, 'Description of the occurrence, for humans. At most 1024 characters.'),
		type: optional(string, 'Type of the Event: Normal or Warning. Required for new Events.'),
		deprecatedSource: always(eventSourceSchema, 'The field source of v1 Events. Not allowed in new Events.'),
		deprecatedFirstTimestamp: always(
			timeOrNull,
			'The field firstTimestamp of v1 Events. Not allowed in new Events.',
		),
		deprecatedLastTimestamp: always(
			timeOrNull,
			'The field lastTimestamp of v1 Events. Not allowed in new Events.',
		),
		deprecatedCount: omitZero(int32, 'The field count of v1 Events. Not allowed in new Events.'),
	},
);

/** Report of an occurrence, in the names of events.k8s.io. */
export type NewEvent = Infer<typeof newEventSchema>;
