import assert from 'node:assert/strict';
import test from 'node:test';
import { formatTime } from '../../../api/meta/time.ts';
import type { ServiceCidr } from '../../../api/networking/servicecidr/schema.ts';
import { addressRangeOf } from '../allocation/ranges.ts';
import { type CidrPlan, type CidrSnapshot, planDefaultCidr, planServiceCidr } from './plan-service-cidr.ts';

const NOW = Date.UTC(2026, 0, 31);
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const OWN = addressRangeOf('127.96.0.0/16') ?? assert.fail();

function cidr(name: string, cidrs: readonly string[], metadata: object = {}): ServiceCidr {
	return {
		apiVersion: 'networking.k8s.io/v1',
		kind: 'ServiceCIDR',
		metadata: { name, finalizers: [FINALIZER], ...metadata },
		spec: { cidrs },
		status: {},
	};
}

/** A ServiceCIDR that was deleted this long ago. */
function deleted(name: string, cidrs: readonly string[], secondsAgo = 60): ServiceCidr {
	return cidr(name, cidrs, { deletionTimestamp: formatTime(NOW - secondsAgo * 1000) });
}

function plan(of: ServiceCidr, more: Partial<CidrSnapshot> = {}): CidrPlan {
	return planServiceCidr({ cidr: of, others: [], addresses: [], own: OWN, now: NOW, ...more });
}

test('a new ServiceCIDR gets the finalizer and then the condition Ready', () => {
	const bare = cidr('a', ['127.80.0.0/16'], { finalizers: ['example.com/f'] });
	assert.deepEqual(plan(bare).finalizers, ['example.com/f', FINALIZER]);
	const { condition } = plan(cidr('a', ['127.80.0.0/16']));
	assert.deepEqual(condition, {
		type: 'Ready',
		status: 'True',
		reason: '',
		message: 'Kubernetes Service CIDR is ready',
		lastTransitionTime: formatTime(NOW),
	});
	const ready = {
		...cidr('a', ['127.80.0.0/16']),
		...(condition && { status: { conditions: [condition] } }),
	};
	assert.deepEqual(plan(ready), { because: 'its condition is as it must be' });
});

test('a ServiceCIDR whose addresses do not lead to the server is not ready, and says why', () => {
	const { condition } = plan(cidr('a', ['127.80.0.0/16', '2001:db8::/64']));
	assert.deepEqual([condition?.status, condition?.reason], ['False', 'AddressesNotServed']);
	assert.match(
		condition?.message ?? '',
		/2001:db8::\/64 do not lead to this server, which serves 127\.96\.0\.0\/16 and/,
	);
	const own = addressRangeOf('10.96.0.0/16') ?? assert.fail();
	const loopback = plan(cidr('a', ['127.80.0.0/16']), { own });
	assert.match(loopback.condition?.message ?? '', /which serves 10\.96\.0\.0\/16, with prefixes/);
});

test('a deleted ServiceCIDR stays while a Service needs it, and at least ten seconds', () => {
	const [a, addresses] = [['127.80.0.0/16'], ['127.80.1.1']];
	const kept = plan(deleted('a', a), { addresses });
	assert.deepEqual([kept.condition?.status, kept.condition?.reason], ['False', 'Terminating']);
	assert.equal(
		kept.condition?.message,
		'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
	);
	assert.equal(kept.finalizers, undefined);
	assert.deepEqual(plan(deleted('a', a)).finalizers, []);
	assert.deepEqual(plan(deleted('a', a), { addresses: ['127.81.1.1', '127.80.255.255'] }).finalizers, []);
	assert.deepEqual(plan(deleted('a', a, 4)), {
		recheckAt: NOW + 6000,
		because: 'it was deleted a moment ago',
	});
	assert.equal(
		plan(cidr('a', a, { ...deleted('a', a).metadata, finalizers: ['x/y'] })).finalizers,
		undefined,
	);
});

test('another ServiceCIDR with the range or with the addresses lets a deleted one go, unless it is deleted too', () => {
	const a = deleted('a', ['127.80.0.0/16']);
	const addresses = ['127.80.1.1'];
	const goes = (...others: readonly ServiceCidr[]): boolean =>
		plan(a, { others, addresses }).finalizers !== undefined;
	assert.ok(goes(cidr('b', ['127.80.0.0/16'])));
	assert.ok(goes(cidr('b', ['127.0.0.0/8'])));
	assert.ok(goes(cidr('b', ['127.80.1.0/24'])), 'it has all addresses in use');
	assert.ok(!goes(cidr('b', ['127.80.2.0/24'])));
	assert.ok(!goes(deleted('b', ['127.80.0.0/16'])));
});

test('the default ServiceCIDR is created, and reported if it has another range', () => {
	const made = planDefaultCidr(undefined, OWN);
	assert.equal(made?.kind, 'create');
	assert.deepEqual(made?.kind === 'create' && made.object.spec, { cidrs: ['127.96.0.0/16'] });
	assert.equal(planDefaultCidr(cidr('kubernetes', ['127.96.0.0/16']), OWN), undefined);
	const other = planDefaultCidr(cidr('kubernetes', ['10.0.0.0/16', '2001:db8::/64']), OWN);
	assert.equal(
		other?.kind === 'mismatch' && other.event.message,
		'The default ServiceCIDR [10.0.0.0/16 2001:db8::/64] does not match the controller flag configurations [127.96.0.0/16]',
	);
	assert.equal(planDefaultCidr(deleted('kubernetes', ['10.0.0.0/16']), OWN), undefined);
});
