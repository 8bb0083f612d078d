import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ApiWatchSink } from '../../src/api/contract/transport.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { openTestServer } from '../../src/apiserver/testing/server-contract-suite.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { DONE } from '../../src/base/queue/reconcile-loop.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { Client, type ResourceClient } from '../../src/client/client.ts';
import { subjectsIn } from '../../src/client/conflicts.ts';
import { Controller, NO_KEYS, watch } from '../../src/client/controller.ts';
import { Informer, splitKey } from '../../src/client/informer.ts';
import { passTime } from '../support/control-plane.ts';
import { intercepted } from '../support/reach.ts';
import { test, transportFor } from '../support/transports.ts';

/** When a controller repeats a pass that ended with a Conflict (src/client/conflicts.ts). */

const BACKOFF_MS = 1000;

interface World {
	readonly clock: VirtualClock;
	/** The client of another writer. */
	readonly other: ResourceClient<Pod>;
	readonly controller: Controller;
	/** The time of each attempt of the controller, since the start. */
	readonly attempts: readonly number[];
	readonly reported: readonly unknown[];
	/** Withholds the events of the informer from now on; the result delivers them, and all later ones. */
	hold(): () => void;
}

/** A controller that sets a label on the Pod of a key by an update, and of which no change queues a key. */
async function start(t: TestContext): Promise<World> {
	const { server } = await openTestServer();
	const clock = new VirtualClock();
	const began = clock.now();
	let held: (() => void)[] | undefined;
	const withheld = (sink: ApiWatchSink): ApiWatchSink => ({
		...sink,
		ended: (error) => sink.ended(error),
		events: (batch) => {
			if (held) held.push(() => sink.events(batch));
			else return sink.events(batch);
		},
	});
	const transport = intercepted(transportFor(t, server), {
		request: (_request, send) => send(),
		watch: (_request, sink) => withheld(sink),
	});
	const target = new Client(transport).resource(pods, 'default');
	const informer = new Informer<Pod>(target, { clock });
	const attempts: number[] = [];
	const reported: unknown[] = [];
	const controller = new Controller(
		{
			name: 'test',
			watches: [watch(informer, () => NO_KEYS)],
			workers: 1,
			backoff: { baseMs: BACKOFF_MS, capMs: BACKOFF_MS },
			subjects: subjectsIn(informer),
			reconcile: async (key) => {
				attempts.push(clock.now() - began);
				const pod = informer.get('default', splitKey(key).name);
				if (pod) await target.update({ ...pod, metadata: { ...pod.metadata, labels: { mine: 'yes' } } });
				return DONE;
			},
		},
		{ clock, metrics: new Metrics(), onError: (_key, error) => reported.push(error) },
	);
	const stop = new AbortController();
	const running = Promise.all([informer.run(stop.signal), controller.run(stop.signal)]);
	t.after(async () => {
		stop.abort();
		await running;
	});
	await informer.synced;
	const hold = (): (() => void) => {
		held = [];
		return () => {
			const batches = held ?? [];
			held = undefined;
			for (const deliver of batches) deliver();
		};
	};
	const other = new Client(server).resource(pods, 'default');
	await other.create({
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'one' },
		spec: { containers: [{ name: 'main', image: 'busybox' }] },
	} as unknown as Pod);
	await passTime(clock, 0);
	return { clock, other, controller, attempts, reported, hold };
}

const touch = (other: ResourceClient<Pod>): Promise<Pod> =>
	other.patch('one', 'merge', { metadata: { annotations: { touched: 'yes' } } });

test('after a Conflict a controller retries as soon as the informer shows another version', async (t) => {
	const { clock, other, controller, attempts, reported, hold } = await start(t);
	const deliver = hold();
	await touch(other);
	controller.add('default/one');
	await passTime(clock, BACKOFF_MS / 2);
	assert.deepEqual(attempts, [0], 'the same version would meet the same Conflict');
	deliver();
	await passTime(clock, 0);
	assert.deepEqual(attempts, [0, BACKOFF_MS / 2]);
	assert.equal((await other.get('one')).metadata.labels?.mine, 'yes');
	assert.deepEqual(reported, [], 'two writers that meet are no error');
});

test('after a Conflict a controller waits for an unchanged informer no longer than the backoff', async (t) => {
	const { clock, other, controller, attempts, reported, hold } = await start(t);
	const deliver = hold();
	await touch(other);
	controller.add('default/one');
	await passTime(clock, BACKOFF_MS);
	assert.deepEqual(attempts, [0, BACKOFF_MS]);
	assert.deepEqual(
		reported.map((error) => (error as { readonly reason?: string }).reason),
		['Conflict'],
		'a second Conflict of one version is reported',
	);
	deliver();
	await passTime(clock, 0);
	assert.equal((await other.get('one')).metadata.labels?.mine, 'yes');
});

test('a deletion ends the wait after a Conflict too', async (t) => {
	const { clock, other, controller, attempts, hold } = await start(t);
	const deliver = hold();
	await touch(other);
	controller.add('default/one');
	await passTime(clock, 10);
	await other.delete('one', { gracePeriodSeconds: 0 });
	deliver();
	await passTime(clock, 0);
	// Each of the two events may start a pass.
	assert.deepEqual([...new Set(attempts)], [0, 10]);
});
