import assert from 'node:assert/strict';
import test from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { HOST_SOCKETS, type PodSockets } from '../../../runtime/pod-sockets.ts';
import { ServicePorts } from '../../../runtime/process/network/ports/service-ports.ts';
import { serviceSockets } from './service-sockets.ts';

test('as root, Services of this machine share ports with its programs; those of another network need not', async () => {
	const options = {
		direct: [],
		clock: new SystemClock(),
		onError: (error: unknown) => assert.fail(String(error)),
	};
	const own: PodSockets = Object.create(HOST_SOCKETS);
	assert.equal((await serviceSockets({ ...options, own })).sockets, own);
	const { sockets, stop } = await serviceSockets({ ...options, own: HOST_SOCKETS });
	const isRoot = process.geteuid?.() === 0 && process.platform === 'linux';
	assert.equal(sockets instanceof ServicePorts, isRoot);
	stop();
});
