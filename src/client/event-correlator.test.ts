import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event } from '../api/core/event/schema.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
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

test('an equal Event increments the count of the first', () => {
	const correlator = new EventCorrelator(new VirtualClock());
	const first = correlator.correlate(event('Created pod: pi-1'));
	const again = correlator.correlate(event('Created pod: pi-1'));
	assert.equal(first?.repeats, false);
	assert.equal(again?.repeats, true);
	assert.equal(again?.event.count, 2);
	assert.equal(again?.event.metadata.name, first?.event.metadata.name);
});

test('Events of two containers with the same message are counted separately', () => {
	const correlator = new EventCorrelator(new VirtualClock());
	const of = (fieldPath: string): Event => {
		const plain = event('Created container');
		return { ...plain, involvedObject: { ...plain.involvedObject, fieldPath } };
	};
	assert.equal(correlator.correlate(of('spec.containers{a}'))?.repeats, false);
	assert.equal(correlator.correlate(of('spec.containers{b}'))?.repeats, false);
	assert.equal(correlator.correlate(of('spec.containers{a}'))?.event.count, 2);
});

test('similar Events are combined into one from the tenth different message on', () => {
	const clock = new VirtualClock();
	const correlator = new EventCorrelator(clock);
	const written = Array.from({ length: 12 }, (_, i) => correlator.correlate(event(`Created pod: pi-${i}`)));
	assert.equal(written[8]?.event.message, 'Created pod: pi-8');
	assert.equal(written[9]?.event.message, '(combined from similar events): Created pod: pi-9');
	assert.equal(written[9]?.repeats, false);
	assert.equal(written[9]?.event.count, 1);
	assert.equal(written[9]?.event.reportingComponent, '');
	assert.equal(written[11]?.repeats, true);
	assert.equal(written[11]?.event.count, 3);
	assert.equal(written[11]?.event.metadata.name, written[9]?.event.metadata.name);
	// A repetition of one of the first nine messages still increments the count of its own Event.
	assert.equal(correlator.correlate(event('Created pod: pi-0'))?.event.count, 2);
});

test('Events are no longer combined after ten minutes without a similar one', () => {
	const clock = new VirtualClock();
	const correlator = new EventCorrelator(clock);
	for (let i = 0; i < 9; i++) correlator.correlate(event(`Created pod: pi-${i}`));
	clock.advance(600_000);
	assert.match(correlator.correlate(event('Created pod: pi-9'))?.event.message ?? '', /^\(combined/);
	clock.advance(600_001);
	assert.equal(correlator.correlate(event('Created pod: pi-10'))?.event.message, 'Created pod: pi-10');
});

test('the spam filter lets 25 Events about an object pass at once, then one in five minutes of monotonic time', () => {
	const clock = new VirtualClock();
	const correlator = new EventCorrelator(clock);
	const kept = () => correlator.correlate(event('again')) !== undefined;
	assert.equal(Array.from({ length: 40 }, kept).filter(Boolean).length, 25);
	clock.setWallClock(clock.now() - 3_600_000);
	clock.advance(300_000);
	assert.deepEqual([kept(), kept()], [true, false]);
	clock.setWallClock(clock.now() + 3_600_000);
	assert.equal(kept(), false);
	assert.notEqual(correlator.correlate(event('another object', 'other')), undefined);
});

test('the first Event after dropped ones shows a count that includes them', () => {
	const clock = new VirtualClock();
	const correlator = new EventCorrelator(clock);
	for (let i = 0; i < 40; i++) correlator.correlate(event('again'));
	clock.advance(300_000);
	assert.equal(correlator.correlate(event('again'))?.event.count, 41);
});

test('the correlator keeps the state of the 4096 most recently used objects', () => {
	const correlator = new EventCorrelator(new VirtualClock());
	const repeats = (about: number) => correlator.correlate(event('once', `job-${about}`))?.repeats;
	for (let about = 0; about < 4096; about++) repeats(about);
	assert.equal(repeats(0), true);
	repeats(4096);
	assert.equal(repeats(0), true);
	assert.equal(repeats(1), false);
});
