import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	type Infer,
	int32,
	microTimeOrNull,
	object,
	optional,
	plain,
	required,
	string,
	timeOrNull,
} from '../../meta/schema.ts';
import { objectReferenceSchema } from '../pod/reference-schema.ts';

/** Schema of v1.Event. */
export const eventSchema = object('io.k8s.api.core.v1.Event', 'Something that happened to an object.', {
	apiVersion: required(string, 'Version of the API: v1.'),
	kind: required(string, 'Kind of the object: Event.'),
	metadata: required(objectMetaSchema, 'Names, labels, owners.'),
	involvedObject: required(objectReferenceSchema, 'The object it is about.'),
	reason: optional(string, 'What happened, in a word.'),
	message: optional(string, 'What happened, in a sentence.'),
	source: always(
		object('io.k8s.api.core.v1.EventSource', 'Who says so.', {
			component: optional(string, 'The component.'),
			host: optional(string, 'The node it speaks from.'),
		}),
		'Who says so.',
	),
	firstTimestamp: always(timeOrNull, 'When it happened first.'),
	lastTimestamp: always(timeOrNull, 'When it happened last.'),
	count: plain(int32, 'How often it has happened.'),
	type: optional(string, 'Normal or Warning.'),
	eventTime: always(microTimeOrNull, 'When it happened first, more exactly.'),
	series: optional(
		object('io.k8s.api.core.v1.EventSeries', 'A run of such events.', {
			count: plain(int32, 'How many.'),
			lastObservedTime: always(microTimeOrNull, 'When the last one was seen.'),
		}),
		'The run of events it stands for.',
	),
	action: optional(string, 'What was done.'),
	related: optional(objectReferenceSchema, 'A second object it is about.'),
	reportingComponent: required(string, 'Name of the controller that says so.'),
	reportingInstance: required(string, 'Which instance of it.'),
});

/** Something that happened to an object. */
export type Event = Infer<typeof eventSchema>;
