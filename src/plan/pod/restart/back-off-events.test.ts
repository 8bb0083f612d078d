import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerStatus, PodStatus } from '../../../api/core/pod/schema.ts';
import { PodWorld } from '../testing/pod-world.ts';
import { backOffEvents, rephrased } from './back-off-events.ts';

function waiting(reason: string): ContainerStatus {
	const state = { waiting: { reason, message: 'why' } };
	return { name: 'c', image: 'busybox', imageID: '', ready: false, restartCount: 0, state };
}

test('a container that starts to wait gets one BackOff event', () => {
	const { pod } = new PodWorld({
		containers: [{ name: 'c' }],
		initContainers: [{ name: 'i' }],
		ephemeralContainers: [{ name: 'e' }],
	});
	const pulls: PodStatus = { containerStatuses: [waiting('ImagePullBackOff')] };
	const fieldPath = 'spec.containers{c}';
	assert.deepEqual(backOffEvents(pod, pulls), [
		{ type: 'Normal', reason: 'BackOff', fieldPath, message: 'Back-off pulling image "busybox"' },
	]);
	assert.deepEqual(backOffEvents({ ...pod, status: pulls }, pulls), []);
	const message = 'Back-off restarting failed container i in pod p_ns(u)';
	const crashes = { initContainerStatuses: [{ ...waiting('CrashLoopBackOff'), name: 'i' }] };
	assert.deepEqual(backOffEvents(pod, crashes), [
		{ type: 'Warning', reason: 'BackOff', fieldPath: 'spec.initContainers{i}', message },
	]);
	const debugging = { ephemeralContainerStatuses: [{ ...waiting('ImagePullBackOff'), name: 'e' }] };
	assert.deepEqual(
		backOffEvents(pod, debugging).map((event) => event.fieldPath),
		['spec.ephemeralContainers{e}'],
	);
	assert.deepEqual(backOffEvents(pod, { containerStatuses: [waiting('ContainerCreating')] }), []);
});

test('ErrImagePull becomes ImagePullBackOff once it has been reported', () => {
	const { pod } = new PodWorld({
		containers: [{ name: 'c', image: 'nginx' }],
		ephemeralContainers: [{ name: 'debugger', image: 'busybox' }],
	});
	assert.deepEqual(rephrased(pod, 'c', { reason: 'ErrImagePull', message: 'no such image' }), {
		reason: 'ImagePullBackOff',
		message: 'Back-off pulling image "nginx": ErrImagePull: no such image',
	});
	assert.equal(
		rephrased(pod, 'debugger', { reason: 'ErrImagePull', message: 'none' })?.message,
		'Back-off pulling image "busybox": ErrImagePull: none',
	);
	// The image of a volume, which the event then names too.
	const ofVolume = rephrased(pod, 'c', { reason: 'ErrImagePull', message: 'none', image: 'data:1' });
	assert.equal(ofVolume?.message, 'Back-off pulling image "data:1": ErrImagePull: none');
	const state = { waiting: ofVolume };
	const [event] = backOffEvents(pod, {
		containerStatuses: [{ ...waiting('ImagePullBackOff'), ...(ofVolume && { state }) }],
	});
	assert.equal(event?.message, 'Back-off pulling image "data:1"');
	assert.equal(rephrased(pod, 'c', { reason: 'InvalidImageName', message: 'bad' }), undefined);
});
