import assert from 'node:assert/strict';
import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { ATTEMPTS_TO_KEEP } from '../../src/plan/pod/restart/restart.ts';
import { ImageError } from '../../src/runtime/contract.ts';
import { passTime } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';
import { inPhase, pod, startNode } from './test-node.ts';

/**
 * The node agent with a fake runtime and a real API server. The fake runtime lets a test choose when
 * containers end and when the runtime is lost; the same contract is tested for the process runtime in its own
 * folder.
 */

test('the agent runs a Pod to its end with at most two writes, and removes its sandbox', async (t) => {
	// Each status write costs a commit and an event to every watch: one for the start, one for the end.
	let writes = 0;
	const through = (transport: ApiTransport): ApiTransport => ({
		watch: (request, sink) => transport.watch(request, sink),
		stream: (request) => transport.stream(request),
		duplex: (request) => transport.duplex(request),
		request: (request) => {
			if (request.method !== 'GET' && request.path.includes('/pods/quick')) writes += 1;
			return transport.request(request);
		},
	});
	const { plane, runtime } = await startNode(t, { through });
	await plane.client.resource(pods, 'default').create(pod('quick', ['true']));
	const done = await plane.until(pods, 'quick', inPhase('Succeeded'));
	assert.equal(done?.status.containerStatuses?.[0]?.state?.terminated?.exitCode, 0);
	assert.ok(writes <= 2, `${writes} writes`);
	while ((await runtime.listSandboxes()).length > 0) await new Promise(setImmediate);
});

test('the agent stops and removes a deleted Pod; one with a finalizer stays with the phase Failed', async (t) => {
	const { plane, runtime } = await startNode(t);
	const target = plane.client.resource(pods, 'default');
	await target.create(pod('plain', ['sleep', '1000']));
	await target.create(pod('held', ['sleep', '1000'], { finalizers: ['example.com/hold'] }));
	for (const name of ['plain', 'held']) await plane.until(pods, name, inPhase('Running'));
	for (const name of ['plain', 'held']) await target.delete(name);
	await plane.until(pods, 'plain', (object) => object === undefined);
	const held = await plane.until(pods, 'held', inPhase('Failed'));
	assert.deepEqual(held?.metadata.finalizers, ['example.com/hold']);
	assert.equal((await runtime.listContainers()).filter(({ state }) => state === 'running').length, 0);
	await target.patch('held', 'merge', { metadata: { finalizers: null } });
	await plane.until(pods, 'held', (object) => object === undefined);
});

test('a restarted agent keeps running containers and removes those of deleted Pods', async (t) => {
	const { plane, runtime, stopAgent, startAgent } = await startNode(t);
	const target = plane.client.resource(pods, 'default');
	for (const name of ['kept', 'gone']) {
		await target.create(pod(name, ['sleep', '1000']));
		await plane.until(pods, name, inPhase('Running'));
	}
	await stopAgent();
	await target.delete('gone', { gracePeriodSeconds: 0 });
	await plane.until(pods, 'gone', (object) => object === undefined);
	await startAgent();
	while ((await runtime.listSandboxes()).length > 1) await new Promise(setImmediate);
	const [remaining] = await runtime.listContainers();
	assert.equal(remaining?.state, 'running');
	const kept = await target.get('kept');
	assert.equal(remaining?.podUid, kept.metadata.uid);
	assert.equal(kept.status.containerStatuses?.[0]?.restartCount, 0);
});

test('a restarted agent reports a container that ended before the first list of Pods arrived, and does not remove it as orphaned', async (t) => {
	const held = Promise.withResolvers<void>();
	let hold: Promise<void> | undefined;
	const asked = Promise.withResolvers<void>();
	const { plane, runtime, stopAgent, startAgent } = await startNode(t, {
		through: (transport) => ({
			watch: (request, sink) => transport.watch(request, sink),
			stream: (request) => transport.stream(request),
			duplex: (request) => transport.duplex(request),
			request: async (request) => {
				if (hold && request.method === 'GET' && request.path === '/api/v1/pods') {
					asked.resolve();
					await hold;
				}
				return transport.request(request);
			},
		}),
	});
	await plane.client.resource(pods, 'default').create(pod('ending', ['sleep', '1000']));
	await plane.until(pods, 'ending', inPhase('Running'));
	await stopAgent();
	hold = held.promise;
	await startAgent();
	await asked.promise;
	const [container] = await runtime.listContainers();
	await runtime.stopContainer(container?.id ?? '', 0);
	await new Promise(setImmediate);
	const [remaining] = await runtime.listContainers();
	held.resolve();
	assert.equal(remaining?.state, 'exited', 'the container is still there');
	const done = await plane.until(pods, 'ending', inPhase('Failed'));
	assert.equal(done?.status.containerStatuses?.[0]?.state?.terminated?.exitCode, 137);
	assert.equal(done?.status.containerStatuses?.[0]?.restartCount, 0);
});

test('the agent retries a status write after a conflict, and keeps the changes of the other client', async (t) => {
	let conflicts = 0;
	const { plane, runtime } = await startNode(t, {
		through: (transport) => ({
			watch: (request, sink) => transport.watch(request, sink),
			stream: (request) => transport.stream(request),
			duplex: (request) => transport.duplex(request),
			request: async (request) => {
				if (request.method === 'PUT' && request.path.endsWith('/pods/raced/status') && conflicts < 3) {
					conflicts += 1;
					const labels = { conflict: String(conflicts) };
					await plane.client.resource(pods, 'default').patch('raced', 'merge', { metadata: { labels } });
				}
				return transport.request(request);
			},
		}),
	});
	await plane.client.resource(pods, 'default').create(pod('raced', ['true']));
	const done = await plane.until(pods, 'raced', inPhase('Succeeded'));
	assert.equal(conflicts, 3);
	assert.equal(done?.metadata.labels?.conflict, '3');
	assert.equal(done?.status.containerStatuses?.[0]?.restartCount, 0);
	while ((await runtime.listSandboxes()).length > 0) await new Promise(setImmediate);
});

test('after a conflict the agent waits until its cache has the newer Pod', async (t) => {
	let writes = 0;
	let late: (() => void)[] | undefined;
	const clock = new VirtualClock();
	const { plane } = await startNode(t, {
		clock,
		through: (transport) => ({
			stream: (request) => transport.stream(request),
			duplex: (request) => transport.duplex(request),
			request: (request) => {
				if (late && request.path.endsWith('/pods/ahead/status')) writes += 1;
				return transport.request(request);
			},
			watch: (request, { events, ended }) =>
				transport.watch(request, {
					ended,
					events: (batch) => {
						if (late) late.push(() => events(batch));
						else events(batch);
					},
				}),
		}),
	});
	const target = plane.client.resource(pods, 'default');
	await target.create(pod('ahead', ['sleep', '0.1']));
	await passTime(clock, 50);
	assert.equal((await target.get('ahead')).status.phase, 'Running');
	late = [];
	await target.patch('ahead', 'merge', { metadata: { labels: { newer: 'yes' } } });
	// The container ends after 100 ms. A retry without waiting for the cache would come 100 ms after the conflict.
	await passTime(clock, 100);
	assert.equal(writes, 1);
	const held = late;
	late = undefined;
	for (const send of held) send();
	await passTime(clock, 1000);
	assert.equal((await target.get('ahead')).status.phase, 'Succeeded');
});

test('a Pod with an init container and a sidecar ends, and the sidecar is stopped last', async (t) => {
	const { plane } = await startNode(t);
	const object = pod('several', ['true']);
	const initContainers = [
		{ name: 'side', image: 'busybox', restartPolicy: 'Always', command: ['sleep', '1000'] },
		{ name: 'init', image: 'busybox', command: ['true'] },
	];
	const spec = { ...object.spec, initContainers } as Pod['spec'];
	await plane.client.resource(pods, 'default').create({ ...object, spec });
	const done = await plane.until(pods, 'several', inPhase('Succeeded'));
	const [side, init] = done?.status.initContainerStatuses ?? [];
	assert.equal(side?.state?.terminated?.exitCode, 143);
	assert.equal(init?.state?.terminated?.reason, 'Completed');
});

/** A Pod with the containers `main` and `watchdog`; an exit of `watchdog` with 42 restarts both. */
function watched(name: string, seconds: string): Pod {
	const object = pod(name, ['sleep', 'infinity']);
	const exitCodes = { operator: 'In', values: [42] };
	const watchdog = {
		...{ name: 'watchdog', image: 'busybox', command: ['watch', seconds], restartPolicy: 'Never' },
		restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes }],
	};
	const containers = [...object.spec.containers, watchdog];
	return { ...object, spec: { ...object.spec, containers } as Pod['spec'] };
}

const restartsOf = (object: Pod | undefined): readonly number[] =>
	object?.status.containerStatuses?.map(({ restartCount }) => restartCount) ?? [];

test('the action RestartAllContainers restarts all containers in the same sandbox', async (t) => {
	const { plane, runtime } = await startNode(t);
	await plane.client.resource(pods, 'default').create(watched('in-place', '0.05'));
	await plane.until(pods, 'in-place', inPhase('Running'));
	const [sandbox] = await runtime.listSandboxes();
	const again = await plane.until(
		pods,
		'in-place',
		(object) => restartsOf(object).every((count) => count >= 1) && inPhase('Running')(object),
	);
	assert.equal(
		again?.status.containerStatuses?.[0]?.lastState?.terminated?.reason,
		'RestartingAllContainers',
	);
	assert.equal((await runtime.listSandboxes())[0]?.id, sandbox?.id);
});

test('a restarted agent finishes a restart of all containers that its predecessor started', async (t) => {
	const cutOff = Promise.withResolvers<void>();
	const stopped = Promise.withResolvers<void>();
	let isCutOff = false;
	const { plane, runtime, stopAgent, startAgent } = await startNode(t, {
		through: (transport) => ({
			watch: (request, sink) => transport.watch(request, sink),
			stream: (request) => transport.stream(request),
			duplex: (request) => transport.duplex(request),
			request: async (request) => {
				const answer = await transport.request(request);
				const body = JSON.stringify(request.body ?? '');
				// The status with this reason is the agent's first write about the restart.
				if (!isCutOff && body.includes('RestartAllContainersStarted')) {
					isCutOff = true;
					cutOff.resolve();
					await stopped.promise;
					throw new Error('the agent is dead');
				}
				return answer;
			},
		}),
	});
	await plane.client.resource(pods, 'default').create(watched('cut-off', '0.05'));
	await cutOff.promise;
	const stopping = stopAgent();
	stopped.resolve();
	await stopping;
	const before = await runtime.listContainers();
	assert.deepEqual(
		before.map(({ state }) => state).sort(),
		['exited', 'running'],
		'no container is restarted yet',
	);
	await startAgent();
	const again = await plane.until(
		pods,
		'cut-off',
		(object) => restartsOf(object).every((count) => count >= 1) && inPhase('Running')(object),
	);
	const old = new Set(before.map(({ id }) => id));
	assert.ok((await runtime.listContainers()).every(({ id }) => !old.has(id)));
	assert.equal(findCondition(again?.status.conditions, 'AllContainersRestarting')?.status, 'False');
});

test('a Pod whose image cannot be pulled waits with upstream’s message, and can be deleted', async (t) => {
	const imageError = () => new ImageError('ErrImagePull', 'no such image');
	const { plane } = await startNode(t, { imageError });
	const target = plane.client.resource(pods, 'default');
	await target.create(pod('imageless', ['true']));
	const waitingOf = (object: Pod | undefined) => object?.status.containerStatuses?.[0]?.state?.waiting;
	const waits = await plane.until(
		pods,
		'imageless',
		(object) => waitingOf(object)?.reason === 'ImagePullBackOff',
	);
	assert.equal(waits?.status.phase, 'Pending');
	assert.equal(waitingOf(waits)?.message, 'Back-off pulling image "busybox": ErrImagePull: no such image');
	await target.delete('imageless');
	await plane.until(pods, 'imageless', (object) => object === undefined);
});

test('a container of a crashed runtime is reported with ContainerStatusUnknown', async (t) => {
	const { plane, runtime } = await startNode(t);
	await plane.client.resource(pods, 'default').create(pod('lost', ['sleep', '1000']));
	await plane.until(pods, 'lost', inPhase('Running'));
	runtime.crash();
	runtime.recover();
	const failed = await plane.until(pods, 'lost', inPhase('Failed'));
	const end = failed?.status.containerStatuses?.[0]?.state?.terminated;
	assert.deepEqual([end?.exitCode, end?.reason], [137, 'ContainerStatusUnknown']);
});

test('the agent keeps the latest attempts of a crash-looping container and their logs, and removes older ones', async (t) => {
	const clock = new VirtualClock(Date.UTC(2026, 0, 1));
	const { plane, runtime, logFolder } = await startNode(t, { clock });
	const target = plane.client.resource(pods, 'default');
	const failing = pod('failing', ['complain']);
	await target.create({ ...failing, spec: { ...failing.spec, restartPolicy: 'Always' } });
	const restarts = async (): Promise<number> =>
		(await target.get('failing')).status.containerStatuses?.[0]?.restartCount ?? 0;
	for (let minute = 0; minute < 120 && (await restarts()) < 12; minute++) await passTime(clock, 60_000);
	assert.ok((await restarts()) >= 12);
	const kept = (await runtime.listContainers()).map(({ attempt }) => attempt).sort((a, b) => a - b);
	assert.equal(kept.length, ATTEMPTS_TO_KEEP);
	const [folder = ''] = readdirSync(logFolder);
	const logs = readdirSync(join(logFolder, folder, 'main'));
	assert.deepEqual(logs.sort(), kept.map((attempt) => `${attempt}.log`).sort());
});

test('the agent removes the logs of a deleted Pod, and at its start those of unknown Pods', async (t) => {
	const { plane, logFolder } = await startNode(t);
	const target = plane.client.resource(pods, 'default');
	const changed = watchFolder(t, logFolder);
	const untilCount = async (count: number): Promise<void> => {
		while (readdirSync(logFolder).length !== count) await changed();
	};
	await untilCount(0);
	await target.create(pod('talks', ['complain']));
	await plane.until(pods, 'talks', inPhase('Failed'));
	await untilCount(1);
	await target.delete('talks', { gracePeriodSeconds: 0 });
	await untilCount(0);
});

/** Watches a folder; each call of the returned function resolves at the next change. */
function watchFolder(t: TestContext, folder: string): () => Promise<void> {
	let change = Promise.withResolvers<void>();
	const watcher = watch(folder, () => change.resolve());
	t.after(() => watcher.close());
	return async () => {
		await change.promise;
		change = Promise.withResolvers<void>();
	};
}

test('the Node lists the images of a runtime that manages them', async (t) => {
	const image = {
		...{ id: 'i', tags: ['docker.io/library/a:1'], digests: ['docker.io/library/a@sha256:1'] },
		...{ sizeBytes: 5, addedAt: 0, lastUsedAt: 0, isInUse: false },
	};
	const disk = { capacityBytes: 100, availableBytes: 50 };
	const images = { list: async () => [image], remove: async () => {}, disk: async () => disk };
	const { plane } = await startNode(t, { images });
	const { status } = await plane.client.resource(nodes).get('here');
	assert.deepEqual(status.images, [{ names: [...image.digests, ...image.tags], sizeBytes: 5 }]);
});
