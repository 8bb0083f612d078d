import assert from 'node:assert/strict';
import test from 'node:test';
import { podNetworkOf } from './pod-network-flags.ts';

const RANGE = '10.244.0.0/16';

test('the flags name a mode that the runtime has, and a range of addresses', () => {
	const both = (podNetwork: string, podCidr = RANGE): unknown =>
		podNetworkOf({ podNetwork, podCidr }, 'process');
	assert.deepEqual(both('pod'), { podNetwork: 'pod', podRange: RANGE });
	assert.deepEqual(both('auto', '10.1.0.0/20'), { podNetwork: 'auto', podRange: '10.1.0.0/20' });
	assert.deepEqual(both('none'), {
		problem: '--pod-network: there is no mode "none"; use auto, host, pod',
	});
	for (const range of ['', '10.244.0.0', '10.244.0.1/16', 'fd00::/64'])
		assert.match(JSON.stringify(both('pod', range)), /"problem":"--pod-cidr: must be a range/);
});

test('a runtime that gives Pods no networks of their own refuses the wish for one, and auto means that of the machine', () => {
	const flags = { podCidr: RANGE };
	assert.deepEqual(podNetworkOf({ ...flags, podNetwork: 'pod' }, 'docker'), {
		problem: '--pod-network: the runtime docker gives Pods no networks of their own',
	});
	assert.deepEqual(podNetworkOf({ ...flags, podNetwork: 'auto' }, 'docker'), {
		podNetwork: 'host',
		podRange: RANGE,
	});
});
