import assert from 'node:assert/strict';
import test from 'node:test';
import { PodWorld, type TestContainer } from './testing/pod-world.ts';

const sidecar = { name: 'proxy', restartPolicy: 'Always' };
const probe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };

/** A Pod with these containers whose first containers have been started. */
function started(spec: {
	containers?: readonly TestContainer[];
	initContainers?: readonly TestContainer[];
	restartPolicy?: 'Always' | 'OnFailure' | 'Never';
}): PodWorld {
	const world = new PodWorld({ containers: [{ name: 'main' }], ...spec });
	world.settle();
	return world;
}

test('a sidecar with a startup probe delays the next container until the probe succeeds', () => {
	const world = started({ initContainers: [{ ...sidecar, startupProbe: probe }, { name: 'init' }] });
	assert.deepEqual(world.started, ['proxy#0']);
	assert.equal(world.pod.status.phase, 'Pending');
	assert.equal(world.status('proxy')?.started, false);
	world.probe('proxy', { startup: 'unknown' });
	world.settle();
	assert.deepEqual(world.started, ['proxy#0']);
	assert.equal(world.condition('Initialized'), 'False ContainersNotInitialized');
	world.probe('proxy', { startup: 'success' });
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'init#0']);
	world.exit('init', 0);
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'init#0', 'main#0']);
	assert.equal(world.pod.status.phase, 'Running');
	assert.equal(world.condition('Initialized'), 'True');
});

test('a sidecar that fails its startup probe is restarted, and the Pod stays Pending', () => {
	const world = started({ initContainers: [{ ...sidecar, startupProbe: probe }], restartPolicy: 'Never' });
	world.probe('proxy', { startup: 'failure' });
	world.settle();
	assert.deepEqual(world.killed, ['Init container proxy failed startup probe']);
	world.exit('proxy', 137);
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'proxy#1']);
	assert.equal(world.pod.status.phase, 'Pending');
});

test('a sidecar that ends is restarted while the Pod lives, and holds back neither the Pod nor its end', () => {
	const world = started({ initContainers: [sidecar], restartPolicy: 'Never' });
	world.exit('proxy', 0);
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'main#0', 'proxy#1']);
	assert.equal(world.pod.status.phase, 'Running');
	world.exit('main', 0);
	world.settle();
	assert.equal(world.pod.status.phase, 'Running', 'the sidecar still runs');
	assert.deepEqual(world.stopped, ['proxy']);
	world.exit('proxy', 137);
	assert.equal(world.settle().end, 'over');
	assert.equal(world.pod.status.phase, 'Succeeded');
});

test('a running Pod whose sidecar starts again stays Running and initialized, but is not ready', () => {
	const world = started({ initContainers: [{ ...sidecar, startupProbe: probe }] });
	world.probe('proxy', { startup: 'success' });
	world.settle();
	world.exit('proxy', 1);
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'main#0', 'proxy#1']);
	assert.equal(world.pod.status.phase, 'Running');
	assert.equal(world.condition('Initialized'), 'True');
	assert.equal(world.condition('Ready'), 'False ContainersNotReady');
});

test('an init container that the runtime has forgotten does not run again once a container has run', () => {
	const world = started({ initContainers: [{ name: 'init' }] });
	world.exit('init', 0);
	world.settle();
	world.attempts.delete('init');
	const { initContainerStatuses: _, ...status } = world.pod.status;
	world.pod = { ...world.pod, status };
	world.settle();
	assert.deepEqual(world.started, ['init#0', 'main#0']);
});

test('a container is started and ready as its probes say', () => {
	const world = started({
		containers: [{ name: 'main', startupProbe: probe, readinessProbe: { ...probe } }],
	});
	const flags = (): readonly unknown[] => [world.status('main')?.started, world.status('main')?.ready];
	assert.deepEqual(flags(), [false, false]);
	world.probe('main', { startup: 'success', readiness: 'failure' });
	world.settle();
	assert.deepEqual(flags(), [true, false]);
	assert.equal(world.condition('ContainersReady'), 'False ContainersNotReady');
	world.probe('main', { readiness: 'success' });
	world.settle();
	assert.deepEqual(flags(), [true, true]);
	assert.equal(world.condition('Ready'), 'True');
	// The agent was restarted: the status stands in for the results until the probes have run.
	world.probes.clear();
	world.settle();
	assert.deepEqual(flags(), [true, true]);
	world.exit('main', 1);
	world.settle();
	assert.deepEqual(flags(), [false, false], 'the next attempt starts from nothing');
});

test('a container that fails its liveness probe is stopped and restarted, even if it ends with 0', () => {
	for (const kind of ['liveness', 'startup'] as const) {
		const world = started({
			containers: [{ name: 'main', [`${kind}Probe`]: { ...probe, terminationGracePeriodSeconds: 7 } }],
			restartPolicy: 'OnFailure',
		});
		world.probe('main', { [kind]: 'failure' });
		const plan = world.settle();
		assert.deepEqual(world.killed, [`Container main failed ${kind} probe, will be restarted`]);
		assert.equal(plan.stops[0]?.graceSeconds, 7);
		assert.equal(plan.terminating, false);
		world.exit('main', 0);
		world.settle();
		assert.deepEqual(world.started, ['main#0', 'main#1']);
		assert.equal(world.status('main')?.restartCount, 1);
	}
});

test('with restartPolicy Never the failure of the last healthy container ends the Pod', () => {
	const containers = [{ name: 'main', livenessProbe: probe }, { name: 'other' }];
	const world = started({ containers, restartPolicy: 'Never', initContainers: [sidecar] });
	world.probe('main', { liveness: 'failure' });
	world.settle();
	assert.deepEqual(world.killed, ['Container main failed liveness probe']);
	world.exit('other', 0);
	world.settle();
	assert.ok(world.settle().terminating);
	world.exit('main', 143);
	world.settle();
	world.exit('proxy', 143);
	world.settle();
	assert.equal(world.pod.status.phase, 'Failed');
	assert.deepEqual(world.started, ['proxy#0', 'main#0', 'other#0']);
});

test('a postStart hook delays the containers behind it, and the report of its own', () => {
	const hooked = { name: 'main', lifecycle: { postStart: { exec: { command: ['true'] } } } };
	const world = started({ containers: [hooked, { name: 'other' }] });
	assert.deepEqual(world.started, ['main#0']);
	assert.deepEqual(world.waiting('main'), { reason: 'ContainerCreating' });
	world.postStarts.clear();
	world.settle();
	assert.deepEqual(world.started, ['main#0', 'other#0']);
	assert.ok(world.status('main')?.ready);
});

test('a container whose postStart hook fails is stopped, and restarted by its policy', () => {
	const hooked = { name: 'main', lifecycle: { postStart: { exec: { command: ['false'] } } } };
	for (const restartPolicy of ['Always', 'Never'] as const) {
		const world = started({ containers: [hooked], restartPolicy });
		world.postStarts.set(world.idOf('main'), 'failed');
		world.settle();
		assert.deepEqual(world.killed, ['FailedPostStartHook']);
		world.exit('main', 143);
		world.settle();
		const isRestarted = restartPolicy === 'Always';
		assert.deepEqual(world.started, isRestarted ? ['main#0', 'main#1'] : ['main#0']);
		assert.equal(world.pod.status.phase, isRestarted ? 'Running' : 'Failed');
	}
});

test('a sidecar whose postStart hook has failed has not started', () => {
	const hooked = { ...sidecar, lifecycle: { postStart: { exec: { command: ['false'] } } } };
	const world = started({ initContainers: [hooked] });
	world.postStarts.set(world.idOf('proxy'), 'failed');
	world.settle();
	assert.deepEqual([world.started, world.status('proxy')?.started], [['proxy#0'], false]);
	world.exit('proxy', 143);
	world.postStarts.clear();
	world.settle();
	world.postStarts.clear();
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'proxy#1', 'main#0']);
});

test('ephemeral containers are started once, also while the Pod is initialized', () => {
	const world = started({ initContainers: [{ name: 'init' }] });
	const ephemeralContainers = [{ name: 'debug', image: 'busybox' }];
	world.pod = { ...world.pod, spec: { ...world.pod.spec, ephemeralContainers } };
	world.settle();
	assert.deepEqual(world.started, ['init#0', 'debug#0']);
	assert.ok(world.pod.status.ephemeralContainerStatuses?.[0]?.state?.running);
	world.exit('debug', 1);
	world.exit('init', 0);
	world.settle();
	assert.deepEqual(world.started, ['init#0', 'debug#0', 'main#0']);
	assert.equal(world.pod.status.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, 1);
	assert.equal(world.condition('Ready'), 'True');
});

test('a running container whose image is changed is restarted, also with restartPolicy Never', () => {
	const world = started({ initContainers: [{ ...sidecar, image: 'a' }], restartPolicy: 'Never' });
	const change = (list: 'containers' | 'initContainers'): void => {
		const spec = {
			...world.pod.spec,
			[list]: world.pod.spec[list]?.map((each) => ({ ...each, image: 'b' })),
		};
		world.pod = { ...world.pod, spec };
		world.settle();
	};
	change('containers');
	change('initContainers');
	assert.deepEqual(world.killed, [
		'Container main definition changed, will be restarted',
		'Init container proxy definition changed',
	]);
	world.exit('main', 0);
	world.exit('proxy', 0);
	world.settle();
	assert.deepEqual(world.started, ['proxy#0', 'main#0', 'proxy#1', 'main#1']);
});
