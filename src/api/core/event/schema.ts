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
import { objectReferenceSchema } from '../pod/schema/reference.ts';

/** Schema of v1.EventSource, which both Event APIs have. */
export const eventSourceSchema = object(
	'io.k8s.api.core.v1.EventSource',
	'Component that reported an Event, and the node it runs on.',
	{
		component: optional(string, 'Name of the component that reported the Event.'),
		host: optional(string, 'Name of the node that the component runs on.'),
	},
);

/**
 * Schema of v1.Event, which has the fields of both Event APIs: reporters of the older one set `source`,
 * `count` and the timestamps, those of events.k8s.io set `eventTime`, `series`, `action` and
 * `reportingComponent`.
 */
export const eventSchema = object(
	'io.k8s.api.core.v1.Event',
	'Report of an occurrence that concerns an object. Events are kept for a limited time and are not a reliable record.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Event.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		involvedObject: required(objectReferenceSchema, 'Object that the Event reports on.'),
		reason: optional(string, 'Reason in CamelCase, such as SuccessfulCreate.'),
		message: optional(string, 'Description of the occurrence, for humans.'),
		source: always(
			eventSourceSchema,
			'Component that reported the Event. Superseded by reportingComponent and reportingInstance.',
		),
		firstTimestamp: always(timeOrNull, 'Time at which the Event was first reported.'),
		lastTimestamp: always(timeOrNull, 'Time at which the Event was last reported.'),
		count: omitZero(int32, 'Number of times that the Event was reported.'),
		type: optional(string, 'Type of the Event: Normal or Warning.'),
		eventTime: always(
			microTimeOrNull,
			'Time at which the Event was first reported, in microseconds. Set by reporters that use the events.k8s.io API.',
		),
		series: optional(
			object('io.k8s.api.core.v1.EventSeries', 'Series of equal Events that are stored as one.', {
				count: omitZero(int32, 'Number of occurrences in the series so far.'),
				lastObservedTime: always(microTimeOrNull, 'Time at which the last occurrence was observed.'),
			}),
			'Series of equal Events that this one stands for. Absent for a single occurrence.',
		),
		action: optional(string, 'Action that was taken or that failed with regard to the object.'),
		related: optional(objectReferenceSchema, 'Second object that the action involved.'),
		reportingComponent: required(
			string,
			'Name of the controller that reported the Event, such as kubernetes.io/kubelet.',
		),
		reportingInstance: required(
			string,
			'Identifier of the controller instance, such as the name of its node.',
		),
	},
);

/** Report of an occurrence that concerns an object. */
export type Event = Infer<typeof eventSchema>;
