import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { podWith } from '../../plan/pod/testing/pod-with.ts';
import { ImageError, type ImagePullSecret, type PullOptions, type Runtime } from '../../runtime/contract.ts';
import { ImagePuller, VolumeImageError } from './image-puller.ts';

const SECRET: ImagePullSecret = {
	uid: 'u',
	namespace: 'default',
	name: 'key',
	text: '{"auths":{}}',
	isLegacy: false,
};

/** Pulls an image for a Pod; returns the events and what the runtime was given. */
async function ensure(how: {
	readonly pod?: Partial<Pod['spec']>;
	readonly container?: Partial<Container>;
	readonly missing?: readonly string[];
	readonly isPresent?: boolean;
	readonly error?: Error;
	/** Pulls the images of volumes. */
	readonly ofVolumes?: boolean;
}): Promise<{ events: string[]; given: PullOptions[]; thrown: unknown }> {
	const events: string[] = [];
	const given: PullOptions[] = [];
	const runtime = {
		traits: {
			honours: 'everything',
			user: undefined,
			os: 'linux',
			runsHostPrograms: false,
			canExec: true,
			canResize: false,
		},
		imageStatus: async (_image: string, options: PullOptions) => {
			given.push(options);
			return how.isPresent ? { imageRef: 'r' } : undefined;
		},
		pullImage: async (_image: string, options: PullOptions) => {
			given.push(options);
			if (how.error) throw how.error;
			return { imageRef: 'r', sizeBytes: 12 };
		},
	} satisfies Pick<Runtime, 'traits' | 'imageStatus' | 'pullImage'>;
	const puller = new ImagePuller({
		clock: new VirtualClock(),
		runtime,
		inputs: { pullSecretsOf: async () => ({ secrets: [SECRET], missing: how.missing ?? [] }) },
		record: (_pod, container, { type, reason, message }) =>
			void events.push(`${container?.name ?? 'pod'} ${type} ${reason}: ${message}`),
	});
	const container = { name: 'c', image: 'example.com/a:1', ...how.container };
	const pod = podWith({ ...how.pod, containers: [container] });
	const pulling = how.ofVolumes ? puller.ensureVolumes(pod, container) : puller.ensure(pod, container);
	const thrown = await pulling.then(
		() => undefined,
		(error: unknown) => error,
	);
	return { events, given, thrown };
}

test('the Secrets of the Pod are given to the runtime', async () => {
	const { events, given } = await ensure({ pod: { imagePullSecrets: [{ name: 'key' }] } });
	assert.deepEqual(given, [{ pullSecrets: [SECRET] }, { pullSecrets: [SECRET] }]);
	assert.deepEqual(events, [
		'c Normal Pulling: Pulling image "example.com/a:1"',
		'c Normal Pulled: Successfully pulled image "example.com/a:1" in 0s (0s including waiting). Image size: 12 bytes.',
	]);
	assert.deepEqual((await ensure({})).given, [{ pullSecrets: [] }, { pullSecrets: [] }]);
});

test('a Secret that cannot be read is an event, and the image is pulled without it', async () => {
	const pod = { imagePullSecrets: [{ name: 'key' }, { name: 'a' }, { name: 'b' }] };
	const { events, thrown } = await ensure({ pod, missing: ['a', 'b'], isPresent: true });
	assert.equal(thrown, undefined);
	assert.deepEqual(events, [
		'pod Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (a, b); attempting to pull the image may not succeed.',
		'c Normal Pulled: Container image "example.com/a:1" already present on machine and can be accessed by the pod',
	]);
});

test('the event of a failed pull has its cause', async () => {
	const error = new ImageError('ErrImagePull', 'no such host');
	const { events, thrown } = await ensure({ error });
	assert.equal(thrown, error);
	assert.deepEqual(events.slice(1), [
		'c Warning Failed: Failed to pull image "example.com/a:1": no such host',
	]);
});

test('the images of mounted volumes are pulled; the events are about the Pod, and a failure names the image', async () => {
	const volumes = [
		{ name: 'v', image: { reference: 'example.com/data:1', pullPolicy: 'IfNotPresent' as const } },
		{ name: 'unmounted', image: { reference: 'example.com/other:1' } },
		{ name: 'scratch', emptyDir: {} },
	];
	const volumeMounts = ['v', 'scratch'].map((name) => ({ name, mountPath: `/${name}` }));
	const how = { ofVolumes: true, pod: { volumes }, container: { volumeMounts } };
	const { events, thrown } = await ensure(how);
	assert.equal(thrown, undefined);
	assert.deepEqual(events, [
		'pod Normal Pulling: Pulling image "example.com/data:1"',
		'pod Normal Pulled: Successfully pulled image "example.com/data:1" in 0s (0s including waiting). Image size: 12 bytes.',
	]);
	const failed = await ensure({ ...how, error: new ImageError('ErrImagePull', 'not found') });
	assert.ok(failed.thrown instanceof VolumeImageError);
	assert.deepEqual(
		[failed.thrown.image, failed.thrown.reason, failed.thrown.message],
		['example.com/data:1', 'ErrImagePull', 'not found'],
	);
	assert.equal(failed.events[1], 'pod Warning Failed: Failed to pull image "example.com/data:1": not found');
});
