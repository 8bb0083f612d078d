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

test('a flood that the server does not take is discarded beyond a bound, and told once', async () => {
	const answers: Array<() => void> = [];
	const request = (): Promise<unknown> =>
		new Promise((resolve) => answers.push(() => resolve({ code: 201 })));
	const client = new Client({ request } as unknown as ApiTransport);
	const told: unknown[] = [];
	const onError = (error: unknown): void => void told.push(error);
	const recorder = new EventRecorder({ client, clock: new VirtualClock(), component: 'kubelet', onError });
	const recorded = 20_000;
	for (let i = 0; i < recorded; i++) {
		const metadata = { namespace: 'default', name: `p${i}`, uid: `u${i}` };
		recorder.event(
			{ apiVersion: 'v1', kind: 'Pod', metadata },
			{ type: 'Normal', reason: 'Said', message: 'so' },
		);
	}
	let written = 0;
	for (let answer = answers.pop(); answer; answer = answers.pop()) {
		written += 1;
		answer();
		await new Promise(setImmediate);
	}
	// The queue's bound, and those that were under way.
	assert.ok(written >= 5000 && written <= 5100, `${written} were written`);
	assert.deepEqual(told.map(String), [
		`Error: discarded ${recorded - written} Events: more than 5000 waited`,
	]);
});
