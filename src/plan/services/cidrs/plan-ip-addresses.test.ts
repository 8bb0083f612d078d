import assert from 'node:assert/strict';
import test from 'node:test';
import type { Service } from '../../../api/core/service/schema.ts';
import { serviceWith } from '../../../api/core/service/testing/service-with.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { IpAddressObject } from '../../../api/networking/ipaddress/schema.ts';
import { ipAddressOf } from '../allocation/ip-address-of.ts';
import { addressRangeOf } from '../allocation/ranges.ts';
import { type AddressRepair, planIpAddress, planServiceAddresses } from './plan-ip-addresses.ts';

const IP = '127.96.0.7';
const OWN = addressRangeOf('127.96.0.0/16') ?? assert.fail();
const OTHER = addressRangeOf('10.96.0.0/16') ?? assert.fail();
const NOW = Date.UTC(2026, 0, 31);

function service(name: string, address: string | undefined, spec: object = {}, ageSeconds = 3600): Service {
	const addresses = address === undefined ? {} : { clusterIP: address, clusterIPs: [address] };
	return serviceWith({ ...addresses, ...spec }, {}, { name, creationTimestamp: secondsAgo(ageSeconds) });
}

function secondsAgo(seconds: number): string {
	return formatTime(NOW - seconds * 1000);
}

/** The IPAddress of a Service. */
function addressOf(of: Service, ageSeconds = 3600, labels?: Record<string, string>): IpAddressObject {
	const made = ipAddressOf(IP, of);
	const creationTimestamp = secondsAgo(ageSeconds);
	return { ...made, metadata: { ...made.metadata, creationTimestamp, ...(labels && { labels }) } };
}

const web = service('web', IP);

/** The repair of the Service `web`, whose address has this IPAddress. */
function repair(
	found: IpAddressObject | undefined,
	others: readonly Service[] = [],
): AddressRepair | undefined {
	const [first, ...more] = planServiceAddresses({
		service: web,
		addressAt: (name) => (name === IP ? found : undefined),
		serviceAt: (_namespace, name) => others.find(({ metadata }) => metadata.name === name),
		cidrs: [],
		own: OWN,
	});
	assert.equal(more.length, 0);
	return first;
}

test('an address of a Service gets an IPAddress that refers to the Service', () => {
	assert.equal(repair(addressOf(web)), undefined);
	const missing = repair(undefined);
	assert.deepEqual([missing?.create, missing?.replaced], [true, undefined]);
	assert.equal(missing?.event?.message, 'Cluster IP [IPv4]: 127.96.0.7 is not allocated; repairing');
	const gone = addressOf(service('gone', undefined));
	assert.deepEqual([repair(gone)?.create, repair(gone)?.replaced], [true, gone]);
	assert.equal(
		repair(gone)?.event?.message,
		'the ClusterIP [IPv4]: 127.96.0.7 for Service default/web has a wrong reference; repairing',
	);
	assert.equal(repair(gone, [service('gone', '127.96.0.8')])?.create, true);
	const bare = addressOf(web, 3600, {});
	assert.deepEqual(repair(bare), { address: IP, replaced: bare, create: true });
});

test('an address that another Service has, or that no ServiceCIDR has, is reported', () => {
	const other = service('other', IP);
	const twice = repair(addressOf(other), [other]);
	assert.deepEqual([twice?.create, twice?.event?.reason], [false, 'ClusterIPAlreadyAllocated']);
	assert.equal(
		twice?.event?.message,
		'Cluster IP [IPv4]:127.96.0.7 was assigned to multiple services; please recreate service',
	);
	const nothing = { addressAt: () => undefined, serviceAt: () => undefined, cidrs: [], own: OTHER };
	const [outside] = planServiceAddresses({ service: web, ...nothing });
	assert.deepEqual([outside?.create, outside?.event?.reason], [false, 'ClusterIPOutOfRange']);
	const cidr = {
		...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'a' } },
		...{ spec: { cidrs: ['127.96.0.0/24'] }, status: {} },
	};
	const [inside] = planServiceAddresses({ service: web, ...nothing, cidrs: [cidr] });
	assert.equal(inside?.event?.reason, 'ClusterIPNotAllocated');
	const headless = service('headless', 'None');
	assert.deepEqual(planServiceAddresses({ service: headless, ...nothing }), []);
});

/** The text of the Event of a deletion, the seconds to wait, or `kept`. */
function outcome(address: IpAddressObject, of: Service | undefined): string | number {
	const plan = planIpAddress(address, of, NOW);
	if (!plan) return 'kept';
	return plan.kind === 'wait' ? Math.ceil((plan.until - NOW) / 1000) : plan.event.message;
}

test('an IPAddress without its Service is deleted once no write of one can be in progress', () => {
	const leaked = 'IPAddress: 127.96.0.7 for Service default/web appears to have leaked: cleaning up';
	assert.equal(outcome(addressOf(web), web), 'kept');
	assert.equal(outcome(addressOf(web, 20), undefined), 41);
	assert.equal(outcome(addressOf(web, 61), undefined), leaked);
	assert.equal(outcome(addressOf(web, 61, {}), undefined), 'kept', 'it is not managed by the API server');
});

test('an IPAddress that its Service does not have, or of another object, is deleted', () => {
	const wrong = 'IPAddress: 127.96.0.7 for Service default/web has a wrong reference; cleaning up';
	const elsewhere = service('web', '127.96.0.8');
	assert.equal(outcome(addressOf(web), elsewhere), wrong);
	assert.equal(outcome(addressOf(web, 2), elsewhere), 3, 'a create that is refused undoes it');
	assert.equal(outcome(addressOf(web, 6), elsewhere), wrong);
	const alias = service('web', undefined, { type: 'ExternalName', externalName: 'example.com' });
	assert.equal(outcome(addressOf(web, 20), alias), 40, 'it may be about to become a ClusterIP');
	assert.equal(outcome(addressOf(web, 61), alias), wrong);
	const modified = { ...addressOf(web), spec: { parentRef: { resource: 'pods', name: 'p' } } };
	assert.equal(
		outcome(modified, undefined),
		'IPAddress 127.96.0.7 appears to have been modified, not referencing a Service &ParentReference{Group:,Resource:pods,Namespace:,Name:p,}: cleaning up',
	);
});
