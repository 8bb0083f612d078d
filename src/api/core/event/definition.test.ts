import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { events } from './definition.ts';
import { type Event, eventSchema } from './schema.ts';

const NOW = Date.parse('2026-01-31T08:10:00Z');
const POD = { kind: 'Pod', namespace: 'default', name: 'p' };

function event(given: object, namespace = 'default'): Event {
	return decode(eventSchema, { metadata: { name: 'e', namespace }, involvedObject: POD, ...given }).value;
}

function problems(given: Event): readonly string[] {
	return events.strategy.validateCreate(given).map(({ field, message }) => `${field}: ${message}`);
}

test('validation refuses an Event in another namespace than its involved object', () => {
	const elsewhere = 'does not match event.namespace';
	const rows: readonly (readonly [given: Event, ...problems: readonly string[]])[] = [
		[event({})],
		[event({ involvedObject: { kind: 'Node', name: 'n' } })],
		[event({}, 'other'), `involvedObject.namespace: Invalid value: "default": ${elsewhere}`],
		[
			event({ involvedObject: { kind: 'Node', name: 'n' } }, 'other'),
			`involvedObject.namespace: Invalid value: "": ${elsewhere}`,
		],
	];
	for (const [given, ...expected] of rows) assert.deepEqual(problems(given), expected);
});

test('validation requires reporter, action and reason of an Event with an eventTime', () => {
	const report = {
		eventTime: '2026-01-31T08:00:00.000000Z',
		reportingComponent: 'acme.io/x',
		reportingInstance: 'x-1',
		action: 'Look',
		reason: 'Seen',
	};
	assert.deepEqual(problems(event(report)), []);
	assert.deepEqual(
		problems(event({ eventTime: report.eventTime })).filter((text) => text.includes('Required')),
		[
			'reportingComponent: Required value',
			'reportingInstance: Required value',
			'action: Required value',
			'reason: Required value',
		],
	);
	assert.deepEqual(problems(event({ ...report, reason: 'a'.repeat(129), message: 'b'.repeat(1025) })), [
		'reason: Invalid value: "": can have at most 128 characters',
		'message: Invalid value: "": can have at most 1024 characters',
	]);
});

test('the printer columns of an Event are those of kubectl', () => {
	const cells = (given: object): object =>
		Object.fromEntries(events.columns.map(({ name, cell }) => [name, cell(event(given), NOW)]));
	const old = {
		firstTimestamp: '2026-01-31T08:00:00Z',
		lastTimestamp: '2026-01-31T08:08:00Z',
		count: 3,
		type: 'Normal',
		reason: 'Created',
		message: 'Created it \n',
		source: { component: 'kubelet', host: 'n' },
		involvedObject: { ...POD, fieldPath: 'spec.containers{main}' },
	};
	assert.deepEqual(cells(old), {
		'Last Seen': '2m',
		Type: 'Normal',
		Reason: 'Created',
		Object: 'pod/p',
		Subobject: 'spec.containers{main}',
		Source: 'kubelet, n',
		Message: 'Created it',
		'First Seen': '10m',
		Count: 3,
		Name: 'e',
	});
	const single = {
		eventTime: '2026-01-31T08:05:00.000000Z',
		reportingComponent: 'x',
		reportingInstance: 'x-1',
	};
	assert.deepEqual(Object.values(cells(single)).slice(0, 1), ['5m']);
	assert.deepEqual(Object.values(cells(single)).slice(5, 9), ['x, x-1', '', '5m', 1]);
	const series = { ...single, series: { count: 7, lastObservedTime: '2026-01-31T08:09:00.000000Z' } };
	assert.deepEqual([Object.values(cells(series))[0], Object.values(cells(series))[8]], ['60s', 7]);
});

test('field selectors select Events by involved object, reason, reporter and type', () => {
	const given = event({
		reason: 'Created',
		type: 'Normal',
		reportingComponent: 'x',
		source: { component: 'y' },
	});
	assert.deepEqual(events.selectableFields(given), {
		'involvedObject.kind': 'Pod',
		'involvedObject.namespace': 'default',
		'involvedObject.name': 'p',
		'involvedObject.uid': '',
		'involvedObject.apiVersion': '',
		'involvedObject.resourceVersion': '',
		'involvedObject.fieldPath': '',
		reason: 'Created',
		reportingComponent: 'x',
		source: 'y',
		type: 'Normal',
	});
	assert.equal(events.selectableFields(event({ reportingComponent: 'x' })).source, 'x');
});
