import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '../../api/core/pod/definition.ts';
import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { decodeAs } from '../../api/schema/decode.ts';
import { requestedContainer, whyNoLog } from './container-log.ts';

function podWith(spec: object, status: object = {}): Pod {
	const json = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' }, spec, status };
	return decodeAs<Pod>(pods.schema, json).value;
}

test('the container is the only one of the Pod, or the one that the query names', () => {
	const a = { name: 'a', image: 'x' };
	const b = { name: 'b', image: 'x' };
	const init = { name: 'i', image: 'x' };
	assert.equal(requestedContainer(podWith({ containers: [a] }), ''), 'a');
	assert.equal(requestedContainer(podWith({ containers: [a, b], initContainers: [init] }), 'i'), 'i');
	assert.throws(() => requestedContainer(podWith({ containers: [a, b] }), ''), {
		message: 'a container name must be specified for pod p, choose one of: [a b]',
	});
	assert.throws(() => requestedContainer(podWith({ containers: [a, b], initContainers: [init] }), ''), {
		message:
			'a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]',
	});
	assert.throws(() => requestedContainer(podWith({ containers: [a] }), 'x'), {
		message: 'container x is not valid for pod p',
	});
});

test('a container that runs or has run has a log', () => {
	const why = (state?: ContainerState, lastState?: ContainerState, previous = false): string | undefined => {
		const status = { name: 'a', image: 'x', imageID: '', ready: false, restartCount: 0, state, lastState };
		const pod = podWith({ containers: [{ name: 'a', image: 'x' }] }, { containerStatuses: [status] });
		return whyNoLog(pod, 'a', previous);
	};
	const ran = { terminated: { exitCode: 1, containerID: 'process://1' } };
	const neverRan = { terminated: { exitCode: 128, reason: 'StartError' } };
	assert.equal(why({ running: {} }), undefined);
	assert.equal(why(ran), undefined);
	assert.equal(why({ waiting: { reason: 'CrashLoopBackOff' } }, ran), undefined);
	assert.equal(why(neverRan), 'container "a" in pod "p" is terminated');
	const waiting = 'container "a" in pod "p" is waiting to start';
	assert.equal(why({ waiting: { reason: 'ContainerCreating' } }), `${waiting}: ContainerCreating`);
	assert.equal(why({ waiting: { reason: 'ErrImagePull' } }), `${waiting}: image can't be pulled`);
	assert.equal(
		why({ waiting: { reason: 'ImagePullBackOff' } }),
		`${waiting}: trying and failing to pull image`,
	);
	assert.equal(why({}), `${waiting} - no logs yet`);
	assert.equal(why({ running: {} }, ran, true), undefined);
	assert.equal(
		why({ running: {} }, undefined, true),
		'previous terminated container "a" in pod "p" not found',
	);
});

test('without container statuses the container is being created', () => {
	const pod = podWith({ containers: [{ name: 'a', image: 'x' }] });
	assert.equal(whyNoLog(pod, 'a', false), 'container "a" in pod "p" is waiting to start: ContainerCreating');
});
