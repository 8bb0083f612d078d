import assert from 'node:assert/strict';
import test from 'node:test';
import { serviceCidrs } from '../../../api/networking/servicecidr/definition.ts';
import type { ServiceCidr } from '../../../api/networking/servicecidr/schema.ts';
import { type AddressRange, addressRangeOf } from './ranges.ts';
import { allocatableRanges, servedRange } from './service-ranges.ts';

function rangeOf(text: string): AddressRange {
	const range = addressRangeOf(text);
	assert(range, text);
	return range;
}

function cidr(text: string, ready: 'True' | 'False' | undefined, metadata: object = {}): ServiceCidr {
	const condition = { type: 'Ready', lastTransitionTime: null, reason: '', message: '' };
	return serviceCidrs.defaults({
		apiVersion: 'networking.k8s.io/v1',
		kind: 'ServiceCIDR',
		metadata: { name: text, ...metadata },
		spec: { cidrs: text.split(',') },
		status: ready ? { conditions: [{ ...condition, status: ready }] } : {},
	});
}

test('a server serves parts of its own range, and any loopback addresses if its own are', () => {
	const rows: readonly (readonly [string, string, boolean])[] = [
		['10.96.0.0/16', '10.96.0.0/16', true],
		['10.96.255.0/24', '10.96.0.0/16', true],
		['10.97.0.0/24', '10.96.0.0/16', false],
		['10.96.0.0/15', '10.96.0.0/16', false],
		['127.80.0.0/16', '10.96.0.0/16', false],
		['127.80.0.0/16', '127.96.0.0/16', true],
		['127.0.0.0/8', '127.96.0.0/16', true],
		['203.0.113.0/24', '127.96.0.0/16', false],
		['127.80.0.0/31', '127.96.0.0/16', false],
		['2001:db8::/64', '127.96.0.0/16', false],
	];
	for (const [text, own, isServed] of rows) {
		assert.equal(servedRange(text, rangeOf(own))?.text, isServed ? text : undefined, `${text} ${own}`);
	}
});

const OWN = rangeOf('127.96.0.0/16');

function texts(...cidrs: readonly ServiceCidr[]): readonly string[] {
	return allocatableRanges(cidrs, OWN).map(({ text }) => text);
}

test('addresses are allocated from the own range and from ServiceCIDRs that are ready', () => {
	assert.deepEqual(texts(), [OWN.text]);
	assert.deepEqual(texts(cidr('127.80.0.0/16', 'True')), [OWN.text, '127.80.0.0/16']);
	assert.deepEqual(texts(cidr('127.80.0.0/16', undefined), cidr('203.0.113.0/24', 'True')), [OWN.text]);
	assert.deepEqual(texts(cidr('127.80.0.0/16,2001:db8::/64', 'True')), [OWN.text, '127.80.0.0/16']);
});

test('the own range is not used while all its ServiceCIDRs are being deleted or are not ready', () => {
	const deleted = cidr(OWN.text, 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' });
	assert.deepEqual(texts(cidr(OWN.text, undefined)), [OWN.text], 'not observed yet');
	assert.deepEqual(texts(cidr(OWN.text, 'False')), []);
	assert.deepEqual(texts(deleted), []);
	assert.deepEqual(texts(deleted, cidr(OWN.text, 'True')), [OWN.text]);
});
