import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest, ApiTransport } from '../api/contract/transport.ts';
import { ApiError } from '../api/errors/api-error.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { Client } from './client.ts';
import { EventRecorder } from './event-recorder.ts';

test('two components that record an Event about one object at the same instant choose different names', () => {
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

test('Events beyond the limit of the queue are discarded, and reported once', async () => {
	const answers: Array<() => void> = [];
	const request = (): Promise<unknown> =>
		new Promise((resolve) => answers.push(() => resolve({ code: 201 })));
	const client = new Client({ request } as unknown as ApiTransport);
	const reported: unknown[] = [];
	const onError = (error: unknown): void => void reported.push(error);
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
	// The limit of the queue, and the Events that were being written.
	assert.ok(written >= 5000 && written <= 5100, `${written} were written`);
	assert.deepEqual(reported.map(String), [
		`Error: discarded ${recorded - written} Events: more than 5000 waited`,
	]);
});

test('repetitions of an Event that is being written increment its count, in writes that do not overlap', async () => {
	const counts = new Map<string, number>();
	let underWay = 0;
	let writes = 0;
	const request = async ({ method, body }: ApiRequest): Promise<unknown> => {
		const { count } = body as { count: number };
		underWay += 1;
		writes += 1;
		assert.equal(underWay, 1, 'writes of one Event overlap');
		await new Promise(setImmediate);
		underWay -= 1;
		const isKnown = counts.has('event');
		if (method === 'POST' ? isKnown : !isKnown) {
			const reason = isKnown ? 'AlreadyExists' : 'NotFound';
			throw new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason });
		}
		counts.set('event', count);
		return { code: 200, object: body };
	};
	const client = new Client({ request } as unknown as ApiTransport);
	const onError = (error: unknown): void => assert.fail(String(error));
	const recorder = new EventRecorder({ client, clock: new VirtualClock(), component: 'kubelet', onError });
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'p', uid: 'u' } };
	const repeat = (times: number): void => {
		for (let i = 0; i < times; i++)
			recorder.event(pod, { type: 'Warning', reason: 'BackOff', message: 'so' });
	};
	const settle = async (): Promise<void> => {
		for (let i = 0; i < 20; i++) await new Promise(setImmediate);
	};
	repeat(5);
	await settle();
	assert.equal(counts.get('event'), 5);
	assert.equal(writes, 2);
	counts.clear();
	repeat(1);
	await settle();
	assert.equal(counts.get('event'), 6);
});
