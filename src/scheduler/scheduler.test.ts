import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceDefinition } from '../api/contract/resource-definition.ts';
import type { ApiTransport } from '../api/contract/transport.ts';
import { namespaces } from '../api/core/namespace/definition.ts';
import { nodes } from '../api/core/node/definition.ts';
import { persistentVolumes } from '../api/core/persistentvolume/definition.ts';
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim/definition.ts';
import { pods } from '../api/core/pod/definition.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { podDisruptionBudgets } from '../api/policy/poddisruptionbudget/definition.ts';
import { storageClasses } from '../api/storage/storageclass/definition.ts';
import { Metrics } from '../base/metrics.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { Client } from '../client/client.ts';
import { Informer } from '../client/informer.ts';
import { SCHEDULER_NAME } from './cluster-state.ts';
import { Scheduler } from './scheduler.ts';

/**
 * A Pod that is unschedulable without nodes, and whose status reports that already: an attempt writes nothing.
 */
function refusedPod(index: number): Pod {
	const resources = { requests: { cpu: `${index}m` } };
	const message = 'no nodes available to schedule pods';
	const shape = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: `pod-${index}`, namespace: 'default', uid: `uid-${index}`, resourceVersion: '1' },
		spec: { schedulerName: SCHEDULER_NAME, containers: [{ name: 'main', image: 'busybox', resources }] },
		status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
	};
	return shape as unknown as Pod;
}

/** A transport whose watches send no events; any write fails the test. */
const SILENT: ApiTransport = {
	request: ({ method, path }) => assert.fail(`${method} ${path}`),
	watch: async () => ({ stop: () => undefined }),
	stream: ({ path }) => assert.fail(path),
	duplex: ({ path }) => assert.fail(path),
};

const NOTHING = { resourceVersion: '1', objects: [] };

/** The informers of resources of which the tests have no object. */
function emptyInformers(client: Client, clock: VirtualClock) {
	const empty = <T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T> =>
		new Informer(client.resource(definition), { clock, from: NOTHING });
	return {
		namespaces: empty(namespaces),
		claims: empty(persistentVolumeClaims),
		volumes: empty(persistentVolumes),
		classes: empty(storageClasses),
		budgets: empty(podDisruptionBudgets),
	};
}

test('while 3,000 Pods of different shapes are refused, others get the event loop after 10 ms at most', async () => {
	const clock = new VirtualClock();
	const client = new Client(SILENT);
	const informers = {
		pods: new Informer(client.resource(pods), {
			clock,
			from: { resourceVersion: '1', objects: Array.from({ length: 3000 }, (_, index) => refusedPod(index)) },
		}),
		nodes: new Informer(client.resource(nodes), { clock, from: NOTHING }),
		...emptyInformers(client, clock),
	};
	let attempts = 0;
	const scheduler = new Scheduler({
		...{ client, clock, informers, metrics: new Metrics(), onError: assert.fail },
		// Each attempt takes 1 ms.
		recorder: {
			event: () => {
				attempts += 1;
				clock.advance(1);
			},
		},
	});
	const stopping = new AbortController();
	const { signal } = stopping;
	const running = [...Object.values(informers), scheduler].map((part) => part.run(signal));
	const attemptsByTurn: number[] = [];
	for (let before = -1; attempts < 3000 && attempts > before; ) {
		before = attempts;
		await new Promise(setImmediate);
		attemptsByTurn.push(attempts - before);
	}
	stopping.abort();
	await Promise.all(running);
	assert.equal(attempts, 3000);
	assert.equal(Math.max(...attemptsByTurn), 10);
});

test('the scheduler fails, and leaves no attempt behind, when the report of an error throws', async () => {
	const clock = new VirtualClock();
	const client = new Client(SILENT);
	const one = { resourceVersion: '1', objects: [refusedPod(1)] };
	const informers = {
		pods: new Informer(client.resource(pods), { clock, from: one }),
		nodes: new Informer(client.resource(nodes), { clock, from: NOTHING }),
		...emptyInformers(client, clock),
	};
	const refuse = (): never => {
		throw new Error('no event');
	};
	const report = (): never => {
		throw new Error('no report');
	};
	const recorder = { event: refuse };
	const scheduler = new Scheduler({
		...{ client, clock, informers, metrics: new Metrics(), recorder, onError: report },
	});
	const stopping = new AbortController();
	const following = Object.values(informers).map((informer) => informer.run(stopping.signal));
	await assert.rejects(scheduler.run(stopping.signal), /^Error: no report$/);
	stopping.abort();
	await Promise.all(following);
});
