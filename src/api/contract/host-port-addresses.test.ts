import assert from 'node:assert/strict';
import test from 'node:test';
import { hostPortAddresses } from './host-port-addresses.ts';

const NODE = '10.96.255.255';

test('a hostPort is open only where no other machine reaches it', () => {
	const rows: readonly (readonly [hostIP: string, expected: readonly string[]])[] = [
		['', ['127.0.0.1', NODE]],
		['0.0.0.0', ['127.0.0.1', NODE]],
		['::', ['127.0.0.1', NODE]],
		['127.0.0.9', ['127.0.0.9']],
		['::1', ['::1']],
		[NODE, [NODE]],
		['192.0.2.1', []],
		['127.evil', []],
	];
	for (const [hostIP, expected] of rows)
		for (const protocol of ['TCP', 'UDP'] as const)
			assert.deepEqual(hostPortAddresses({ hostIP, protocol }, NODE), expected, hostIP);
	assert.deepEqual(hostPortAddresses({ hostIP: '', protocol: 'TCP' }, undefined), ['127.0.0.1']);
	assert.deepEqual(hostPortAddresses({ hostIP: NODE, protocol: 'TCP' }, undefined), []);
	assert.deepEqual(hostPortAddresses({ hostIP: '', protocol: 'SCTP' }, NODE), []);
});
