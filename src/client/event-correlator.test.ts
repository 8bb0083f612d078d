import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event } from '../api/core/event/schema.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { EventCorrelator } from './event-correlator.ts';

let serial = 0;

function event(message: string, about = 'pi'): Event {
	serial += 1;
	return {
		apiVersion: 'v1',
		kind: 'Event',
		metadata: { name: `${about}.${serial}`, namespace: 'default' },
		involvedObject: { kind: 'Job', name: about, uid: about },
		reason: 'SuccessfulCreate',
		message,
		type: 'Normal',
		source: { component: 'job-controller' },
		reportingComponent: 'job-controller',
		reportingInstance: '',
		count: 1,
	};
}

test('an equal event raises the count of the first', () => {
	const correlator = new EventCorrelator(new VirtualClock());
	const first = correlator.correlate(event('Created pod: pi-1'));
	const again = correlator.correlate(event('Created pod: pi-1'));
	assert.equal(first?.repeats, false);
	assert.equal(again?.repeats, true);
	assert.equal(again?.event.count, 2);
	assert.equal(again?.event.metadata.name, first?.event.metadata.name);
});

test('from the tenth different message on, similar events are combined into one', () => {
	const correlator = new EventCorrelator(new VirtualClock());
	const written = Array.from({ length: 12 }, (_, i) => correlator.correlate(event(`Created pod: pi-${i}`)));
	assert.equal(written[8]?.event.message, 'Created pod: pi-8');
	assert.equal(written[9]?.event.message, '(combined from similar events): Created pod: pi-9');
	assert.equal(written[9]?.repeats, false);
	assert.equal(written[11]?.repeats, true);
	assert.equal(written[11]?.event.count, 3);
});

test('an object has 25 events at once and then one in five minutes', () => {
	const clock = new VirtualClock();
	const correlator = new EventCorrelator(clock);
	const kept = () => correlator.correlate(event('again')) !== undefined;
	assert.equal(Array.from({ length: 40 }, kept).filter(Boolean).length, 25);
	clock.advance(5 * 60_000);
	assert.deepEqual([kept(), kept()], [true, false]);
	assert.notEqual(correlator.correlate(event('another object', 'other')), undefined);
});
