import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event } from '../../../api/core/event/schema.ts';
import { jobNoticeOf } from './job-notices.ts';

function refusal(message: string): Event {
	return {
		...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, type: 'Warning', reason: 'FailedCreate' },
		...{ involvedObject: { kind: 'Job', name: 'pi', uid: 'u' }, message, count: 1 },
		...{ source: {}, firstTimestamp: null, lastTimestamp: null, eventTime: null },
		...{ reportingComponent: 'job-controller', reportingInstance: '' },
	};
}

test('a rejected Pod is reported with the reason and message of the Event', () => {
	const { text } = jobNoticeOf(refusal('Error creating: pods "pi-" is forbidden: no'));
	assert.equal(text, 'job/pi: FailedCreate: Error creating: pods "pi-" is forbidden: no');
});

test('rejections of several indexes have one key per cause', () => {
	const keys = [
		'pods "pi-0-" is forbidden: no',
		'pods "pi-1-" is forbidden: no',
		'pods "pi-1-" is invalid',
	].map((message) => jobNoticeOf(refusal(`Error creating: ${message}`)).key);
	assert.equal(keys[0], keys[1]);
	assert.notEqual(keys[1], keys[2]);
});
