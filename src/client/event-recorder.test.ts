import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest, ApiTransport } from '../api/meta/transport.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { Client } from './client.ts';
import { EventRecorder } from './event-recorder.ts';

test('components that speak of one object at the same instant give their Events different names', () => {
	const names: unknown[] = [];
	const request = ({ body }: ApiRequest): Promise<never> => {
		names.push((body as { metadata: { name: string } }).metadata.name);
		return new Promise(() => undefined);
	};
	const client = new Client({ request } as unknown as ApiTransport);
	const clock = new VirtualClock();
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'p', uid: 'u' } };
	for (const component of ['default-scheduler', 'kubelet', 'job-controller']) {
		const recorder = new EventRecorder({ client, clock, component });
		recorder.event(pod, { type: 'Normal', reason: 'Said', message: 'so' });
	}
	assert.equal(names.length, 3);
	assert.equal(new Set(names).size, 3);
});
