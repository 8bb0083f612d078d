import assert from 'node:assert/strict';
import test from 'node:test';
import { events } from '../../core/event/definition.ts';
import { eventSchema } from '../../core/event/schema.ts';
import { supportedFields } from '../../meta/field-selector.ts';
import { decode } from '../../schema/decode.ts';
import { newEvents } from './definition.ts';
import { type NewEvent, newEventSchema } from './schema.ts';

const POD = { kind: 'Pod', namespace: 'default', name: 'p' };
const TIME = '2026-01-31T08:00:00.000000Z';

/** A valid new Event. */
const REPORT = {
	metadata: { name: 'e', namespace: 'default' },
	eventTime: TIME,
	reportingController: 'acme.io/x',
	reportingInstance: 'x-1',
	action: 'Look',
	reason: 'Seen',
	regarding: POD,
	note: 'Saw it',
	type: 'Normal',
};

const event = (given: object): NewEvent => decode(newEventSchema, { ...REPORT, ...given }).value;

function problems(given: object): readonly string[] {
	return newEvents.strategy.validateCreate(event(given)).map(({ field, message }) => `${field}: ${message}`);
}

/** The metadata of a stored Event. */
const METADATA = { ...REPORT.metadata, uid: 'u', resourceVersion: '1' };

/** The same Event in both representations, as upstream converts it. */
const BOTH = {
	old: {
		...{ kind: 'Event', apiVersion: 'v1', metadata: { name: 'e', namespace: 'default' } },
		involvedObject: POD,
		reason: 'Seen',
		message: 'Saw it',
		source: { component: 'c', host: 'h' },
		firstTimestamp: '2026-01-31T08:00:00Z',
		lastTimestamp: '2026-01-31T08:01:00Z',
		count: 3,
		type: 'Normal',
		eventTime: TIME,
		series: { count: 4, lastObservedTime: TIME },
		action: 'Look',
		related: { kind: 'Node', name: 'n' },
		reportingComponent: 'acme.io/x',
		reportingInstance: 'x-1',
	},
	new: {
		...REPORT,
		...{ kind: 'Event', apiVersion: 'events.k8s.io/v1' },
		series: { count: 4, lastObservedTime: TIME },
		related: { kind: 'Node', name: 'n' },
		deprecatedSource: { component: 'c', host: 'h' },
		deprecatedFirstTimestamp: '2026-01-31T08:00:00Z',
		deprecatedLastTimestamp: '2026-01-31T08:01:00Z',
		deprecatedCount: 3,
	},
};

test('every field of an Event is converted, both ways', () => {
	const older = decode(eventSchema, BOTH.old).value;
	const newer = decode(newEventSchema, BOTH.new).value;
	assert.deepEqual(Object.keys(BOTH.old).sort(), Object.keys(eventSchema.fields).sort());
	assert.deepEqual(Object.keys(BOTH.new).sort(), Object.keys(newEventSchema.fields).sort());
	assert.deepEqual(newEvents.view?.toStored(newer), older);
	assert.deepEqual(newEvents.view?.fromStored(older), newer);
	const metadata = { name: 'e' };
	const bare = decode(eventSchema, { kind: 'Event', apiVersion: 'v1', metadata }).value;
	const bareNew = decode(newEventSchema, { kind: 'Event', apiVersion: 'events.k8s.io/v1', metadata }).value;
	assert.deepEqual(newEvents.view?.fromStored(bare), bareNew);
	assert.deepEqual(newEvents.view?.toStored(bareNew), bare);
});

test('a new Event is complete, and has none of the deprecated fields', () => {
	const subdomain = problems({ metadata: { name: 'A', namespace: 'default' } });
	assert.match(subdomain[0] ?? '', /^metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain/);
	const rows: readonly (readonly [given: object, ...problems: readonly string[]])[] = [
		[{}],
		[{ series: { count: 2, lastObservedTime: TIME } }],
		[{ eventTime: null }, 'eventTime: Required value'],
		[
			{ reportingController: '', reportingInstance: '', action: '', reason: '' },
			'reportingController: Required value',
			`reportingController: Invalid value: "": name part must be non-empty`,
			`reportingController: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
			'reportingInstance: Required value',
			'action: Required value',
			'reason: Required value',
		],
		[
			{ reportingInstance: 'a'.repeat(129), action: 'a'.repeat(129), reason: 'a'.repeat(129) },
			'reportingInstance: Invalid value: "": can have at most 128 characters',
			'action: Invalid value: "": can have at most 128 characters',
			'reason: Invalid value: "": can have at most 128 characters',
		],
		[{ note: 'a'.repeat(1024) }],
		[{ note: 'a'.repeat(1025) }, 'message: Invalid value: "": can have at most 1024 characters'],
		[{ type: 'Odd' }, 'type: Invalid value: "": has invalid value: Odd'],
		[
			{ series: { count: 1 } },
			'series.count: Invalid value: "": should be at least 2',
			'series.lastObservedTime: Required value',
		],
		[
			{
				deprecatedFirstTimestamp: '2026-01-31T08:00:00Z',
				deprecatedLastTimestamp: '2026-01-31T08:00:00Z',
				deprecatedCount: 1,
				deprecatedSource: { host: 'h' },
			},
			...['firstTimestamp', 'lastTimestamp', 'count', 'source'].map(
				(field) => `${field}: Invalid value: "": needs to be unset`,
			),
		],
	];
	for (const [given, ...expected] of rows) assert.deepEqual(problems(given), expected);
	// The core API accepts what reporters of it always wrote.
	const legacy = decode(eventSchema, {
		...BOTH.old,
		eventTime: null,
		type: 'Odd',
		series: { count: 1 },
	}).value;
	assert.deepEqual(events.strategy.validateCreate(legacy), []);
});

test('an update changes the series alone', () => {
	const changed = (given: object, before: object = {}): readonly string[] =>
		newEvents.strategy
			.validateUpdate(event({ metadata: METADATA, ...given }), event({ metadata: METADATA, ...before }))
			.map(({ field, message }) => `${field}: ${message}`);
	const series = { count: 2, lastObservedTime: TIME };
	assert.deepEqual(changed({ series }), []);
	assert.deepEqual(changed({ series: { count: 1, lastObservedTime: TIME } }), [
		'series.count: Invalid value: "": should be at least 2',
	]);
	const loose = { series: { count: 1, lastObservedTime: TIME }, type: 'Odd', deprecatedCount: 4 };
	assert.deepEqual(changed(loose, loose), []);
	const later = '2026-02-01T08:00:00Z';
	const everything = {
		regarding: { ...POD, name: 'q' },
		...{ reason: 'r', note: 'n', type: 'Warning', action: 'a' },
		eventTime: '2026-02-01T08:00:00.000000Z',
		related: { kind: 'Node', name: 'n' },
		reportingController: 'y',
		reportingInstance: 'y-1',
		deprecatedSource: { component: 'c' },
		deprecatedFirstTimestamp: later,
		deprecatedLastTimestamp: later,
		deprecatedCount: 1,
	};
	const unset = '"UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""';
	assert.deepEqual(
		changed(everything),
		[
			`involvedObject: Invalid value: {"Kind":"Pod","Namespace":"default","Name":"q",${unset}}`,
			'reason: Invalid value: "r"',
			'message: Invalid value: "n"',
			'source: Invalid value: {"Component":"c","Host":""}',
			`firstTimestamp: Invalid value: "${later}"`,
			`lastTimestamp: Invalid value: "${later}"`,
			'count: Invalid value: 1',
			'type: Invalid value: "Warning"',
			'eventTime: Invalid value: "2026-02-01T08:00:00.000000Z"',
			'action: Invalid value: "a"',
			`related: Invalid value: {"Kind":"Node","Namespace":"","Name":"n",${unset}}`,
			'reportingController: Invalid value: "y"',
			'reportingInstance: Invalid value: "y-1"',
		].map((text) => `${text}: field is immutable`),
	);
	assert.deepEqual(changed({}, { related: POD }), ['related: Invalid value: null: field is immutable']);
});

test('field selectors have the names of events.k8s.io', () => {
	const fields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
	assert.deepEqual(supportedFields(newEvents), [
		...['metadata.name', 'metadata.namespace', 'reason'],
		...fields.map((field) => `regarding.${field}`),
		...['reportingController', 'type'],
	]);
	const selected = newEvents.selectableFields(event({}));
	assert.deepEqual(
		[selected.reportingController, selected['regarding.name'], selected.reason, selected.type],
		['acme.io/x', 'p', 'Seen', 'Normal'],
	);
});

test('the columns are those of the core Events', () => {
	const now = Date.parse('2026-01-31T08:10:00Z');
	const cells = Object.fromEntries(newEvents.columns.map(({ name, cell }) => [name, cell(event({}), now)]));
	assert.deepEqual(
		[cells['Last Seen'], cells.Object, cells.Message, cells.Source, cells.Count],
		['10m', 'pod/p', 'Saw it', 'acme.io/x, x-1', 1],
	);
});
