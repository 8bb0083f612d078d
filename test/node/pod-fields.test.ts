import assert from 'node:assert/strict';
import type { RuntimeTraits } from '../../src/api/contract/runtime-traits.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { ImageError } from '../../src/runtime/contract.ts';
import { test } from '../support/transports.ts';
import { eventAbout, inPhase, pod, startNode } from './test-node.ts';

/**
 * What the agent does with Pod fields that its runtime may not support: it refuses to start, or starts with
 * an event. A security field is never dropped silently. Reasons and messages of upstream's kubelet are kept
 * to the letter.
 */

/** The traits of a runtime that supports none of the optional Pod fields. */
const BARE: RuntimeTraits = {
	honours: new Set(),
	user: { uid: 0, gid: 0, groups: [] },
	os: 'linux',
	runsHostPrograms: true,
	canExec: false,
	canResize: false,
};

function withSpec(object: Pod, spec: object, container: object = {}): Pod {
	const containers = object.spec.containers.map((each) => ({ ...each, ...container }));
	return { ...object, spec: { ...object.spec, containers, ...spec } };
}

const waitingOf = (object: Pod | undefined) => object?.status.containerStatuses?.[0]?.state?.waiting;

test('the agent does not start a container whose security field the runtime cannot honour, with upstream’s message', async (t) => {
	const node = await startNode(t, { traits: BARE });
	const { plane, runtime } = node;
	const securityContext = { runAsNonRoot: true };
	await plane.client.resource(pods, 'default').create(withSpec(pod('safe', ['true']), { securityContext }));
	const held = await plane.until(pods, 'safe', (object) => waitingOf(object)?.message !== undefined);
	const { uid } = held?.metadata ?? {};
	const message = `container has runAsNonRoot and image will run as root (pod: "safe_default(${uid})", container: main)`;
	assert.deepEqual(waitingOf(held), { reason: 'CreateContainerConfigError', message });
	const { message: reported = '' } = await eventAbout(node, 'safe', 'Failed');
	const remedy = 'set runAsUser where containers are isolated, or run stint as another user';
	assert.equal(reported, `Error: ${message}: ${remedy}`);
	assert.deepEqual(await runtime.listContainers(), []);
	await plane.client.resource(pods, 'default').delete('safe', { gracePeriodSeconds: 0 });
	await plane.until(pods, 'safe', (object) => object === undefined);
});

test('a Pod with an unsupported volume gets no sandbox but the event FailedMount, and can be deleted', async (t) => {
	const node = await startNode(t, { traits: BARE });
	const { plane, runtime } = node;
	const volumes = [{ name: 'data', configMap: { name: 'settings' } }];
	const volumeMounts = [{ name: 'data', mountPath: '/data' }];
	await plane.client
		.resource(pods, 'default')
		.create(withSpec(pod('full', ['true']), { volumes }, { volumeMounts }));
	const event = await eventAbout(node, 'full', 'FailedMount');
	assert.match(
		event.message ?? '',
		/^MountVolume\.SetUp failed for volume "data" : spec\.volumes\[0\]: this runtime cannot mount volumes: use/,
	);
	const waits = await plane.until(pods, 'full', (object) => waitingOf(object)?.message !== undefined);
	assert.deepEqual([waits?.status.phase, waitingOf(waits)?.reason], ['Pending', 'ContainerCreating']);
	assert.deepEqual(await runtime.listSandboxes(), []);
	await plane.client.resource(pods, 'default').delete('full');
	await plane.until(pods, 'full', (object) => object === undefined);
});

test('the agent rejects a Pod for another operating system with a reason', async (t) => {
	const node = await startNode(t);
	await node.plane.client
		.resource(pods, 'default')
		.create(withSpec(pod('panes', ['true']), { os: { name: 'windows' } }));
	const failed = await node.plane.until(pods, 'panes', inPhase('Failed'));
	assert.equal(failed?.status.reason, 'PodOSNotSupported');
	assert.equal((await eventAbout(node, 'panes', 'PodOSNotSupported')).type, 'Warning');
});

test('a Pod that runs without its resource limits gets an event', async (t) => {
	const node = await startNode(t, { traits: BARE });
	const resources = { limits: { memory: '1Gi' } };
	await node.plane.client
		.resource(pods, 'default')
		.create(withSpec(pod('loose', ['true']), {}, { resources }));
	await node.plane.until(pods, 'loose', inPhase('Succeeded'));
	const { message = '' } = await eventAbout(node, 'loose', 'NotHonoured');
	assert.match(message, /^spec\.containers\[0\]\.resources\.limits is not honoured: /);
});

test('with FallbackToLogsOnError the log of a failed container becomes its termination message', async (t) => {
	const { plane } = await startNode(t);
	const terminationMessagePolicy = 'FallbackToLogsOnError';
	await plane.client
		.resource(pods, 'default')
		.create(withSpec(pod('loud', ['complain']), {}, { terminationMessagePolicy }));
	await plane.client.resource(pods, 'default').create(pod('quiet', ['complain']));
	const messageOf = (object: Pod | undefined) =>
		object?.status.containerStatuses?.[0]?.state?.terminated?.message;
	assert.equal(messageOf(await plane.until(pods, 'loud', inPhase('Failed'))), 'before\nwhy\n');
	assert.equal(messageOf(await plane.until(pods, 'quiet', inPhase('Failed'))), undefined);
});

test('the events of a container start are upstream’s', async (t) => {
	const node = await startNode(t);
	const target = node.plane.client.resource(pods, 'default');
	await target.create(withSpec(pod('fetched', ['true']), {}, { imagePullPolicy: 'Always' }));
	await target.create(withSpec(pod('there', ['true']), {}, { imagePullPolicy: 'IfNotPresent' }));
	assert.equal((await eventAbout(node, 'fetched', 'Pulling')).message, 'Pulling image "busybox"');
	assert.match(
		(await eventAbout(node, 'fetched', 'Pulled')).message ?? '',
		/^Successfully pulled image "busybox" in (\d+m?s) \(\1 including waiting\)\. Image size: 0 bytes\.$/,
	);
	assert.equal(
		(await eventAbout(node, 'there', 'Pulled')).message,
		'Container image "busybox" already present on machine and can be accessed by the pod',
	);
	assert.equal((await eventAbout(node, 'there', 'Created')).message, 'Container created');
	assert.equal((await eventAbout(node, 'there', 'Started')).message, 'Container started');
});

test('a missing image with pull policy Never and an invalid image name have upstream’s events', async (t) => {
	const imageError = (image: string) =>
		image === 'UPPER'
			? new ImageError('InvalidImageName', 'Failed to apply default image tag "UPPER": no')
			: new ImageError('ErrImagePull', 'no such image');
	const node = await startNode(t, { imageError });
	const target = node.plane.client.resource(pods, 'default');
	await target.create(withSpec(pod('never', ['true']), {}, { imagePullPolicy: 'Never' }));
	await target.create(withSpec(pod('odd', ['true']), {}, { image: 'UPPER' }));
	assert.equal(
		(await eventAbout(node, 'never', 'ErrImageNeverPull')).message,
		'Container image "busybox" is not present with pull policy of Never',
	);
	assert.equal((await eventAbout(node, 'never', 'Failed')).message, 'Error: ErrImageNeverPull');
	assert.match(
		(await eventAbout(node, 'odd', 'InspectFailed')).message ?? '',
		/^Failed to apply default image tag/,
	);
	assert.equal((await eventAbout(node, 'odd', 'Failed')).message, 'Error: InvalidImageName');
});

test('the host name of a Pod with a long name is truncated', async (t) => {
	const { plane, runtime } = await startNode(t);
	const name = `${'a'.repeat(62)}-${'b'.repeat(18)}`;
	await plane.client.resource(pods, 'default').create(pod(name, ['sleep', '1000']));
	await plane.until(pods, name, inPhase('Running'));
	assert.equal((await runtime.listSandboxes())[0]?.config.hostname, 'a'.repeat(62));
});

test('every write of the agent to an existing object has its UID', async (t) => {
	const withoutUid: string[] = [];
	const { plane } = await startNode(t, {
		through: (transport) => ({
			watch: (request, sink) => transport.watch(request, sink),
			stream: (request) => transport.stream(request),
			duplex: (request) => transport.duplex(request),
			request: (request) => {
				const { method, path } = request;
				const isOfExisting = method !== 'GET' && method !== 'POST' && !path.includes('/events/');
				if (isOfExisting && !/"uid":"[^"]+"/.test(JSON.stringify(request.body))) {
					withoutUid.push(`${method} ${path}`);
				}
				return transport.request(request);
			},
		}),
	});
	const target = plane.client.resource(pods, 'default');
	await target.create(pod('short', ['true']));
	await plane.until(pods, 'short', inPhase('Succeeded'));
	await target.create(pod('long', ['sleep', '1000']));
	await plane.until(pods, 'long', inPhase('Running'));
	await target.delete('long');
	await plane.until(pods, 'long', (object) => object === undefined);
	assert.deepEqual(withoutUid, []);
});

test('on a runtime of host programs, a container with a command runs without an image, and another waits for one', async (t) => {
	const imageError = (image: string) =>
		image === 'UPPER' ? new ImageError('InvalidImageName', 'no') : new ImageError('ErrImagePull', 'unknown');
	const node = await startNode(t, { imageError, traits: BARE });
	const { client } = node.plane;
	const target = client.resource(pods, 'default');
	await target.create(withSpec(pod('named', ['true']), {}, { imagePullPolicy: 'Always' }));
	await target.create(withSpec(pod('nameless', []), {}, { imagePullPolicy: 'IfNotPresent' }));
	await target.create(withSpec(pod('odd', ['true']), {}, { image: 'UPPER' }));
	await node.plane.until(pods, 'named', inPhase('Succeeded'));
	assert.match((await eventAbout(node, 'named', 'Pulled')).message ?? '', /^Successfully pulled image/);
	assert.equal(
		(await eventAbout(node, 'nameless', 'Failed')).message,
		'Failed to pull image "busybox": unknown',
	);
	assert.equal((await eventAbout(node, 'odd', 'Failed')).message, 'Error: InvalidImageName');
});
