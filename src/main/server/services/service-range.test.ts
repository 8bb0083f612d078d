import assert from 'node:assert/strict';
import test from 'node:test';
import { parseNetwork } from '../../../runtime/process/network/pod-range.ts';
import { freeServiceRange } from './service-range.ts';

const networks = (...texts: readonly string[]) => texts.flatMap((text) => parseNetwork(text) ?? []);

test('Services of Pods with their own networks get the first range that this machine does not use', () => {
	assert.equal(freeServiceRange('', []), '10.96.0.0/16');
	assert.equal(freeServiceRange('', networks('192.168.0.0/16', '10.96.3.4/32')), '10.97.0.0/16');
	assert.equal(freeServiceRange('', networks('10.96.0.0/12')), undefined);
});

test('the range of the last start stays, unless this machine uses it now', () => {
	assert.equal(freeServiceRange('10.99.0.0/16', []), '10.99.0.0/16');
	assert.equal(freeServiceRange('10.99.0.0/16', networks('10.99.7.0/24')), '10.96.0.0/16');
	assert.equal(freeServiceRange('0.0.0.0/0', []), '10.96.0.0/16', 'a file that was damaged');
});
