import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { services } from '../../src/api/core/service/definition.ts';
import type { Service } from '../../src/api/core/service/schema.ts';
import { ipAddresses } from '../../src/api/networking/ipaddress/definition.ts';
import { serviceCidrs } from '../../src/api/networking/servicecidr/definition.ts';
import type { ServiceCidr } from '../../src/api/networking/servicecidr/schema.ts';
import { nextTurn } from '../../src/base/turn.ts';
import { Client } from '../../src/client/client.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { test, transportFor } from '../support/transports.ts';

const API_SERVER = { clusterIp: '127.96.0.1', listener: { ip: '127.0.0.1', port: 6443 } };

function start(t: TestContext): Promise<ControlPlane> {
	return startControlPlane(t, undefined, { apiServer: API_SERVER });
}

/** The status of the condition Ready, and its reason. */
function readyOf(cidr: ServiceCidr | undefined): string {
	const [condition] = cidr?.status.conditions ?? [];
	return condition ? `${condition.status} ${condition.reason}`.trim() : '';
}

function create({ client }: Pick<ControlPlane, 'client'>, name: string, cidr: string): Promise<ServiceCidr> {
	const apiVersion = 'networking.k8s.io/v1';
	const spec = { cidrs: [cidr] };
	return client
		.resource(serviceCidrs)
		.create({ apiVersion, kind: 'ServiceCIDR', metadata: { name }, spec, status: {} });
}

function createService(
	{ client }: Pick<ControlPlane, 'client'>,
	name: string,
	spec: object = {},
): Promise<Service> {
	const object = {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name },
		spec: { ports: [{ port: 80 }], ...spec },
	};
	return client.resource(services, 'default').create(object as unknown as Service);
}

test('the ServiceCIDR kubernetes is created with the range of the server, and again once it was deleted', async (t) => {
	const plane = await start(t);
	const made = await plane.until(serviceCidrs, 'kubernetes', (cidr) => readyOf(cidr) === 'True');
	assert.deepEqual(made?.spec, { cidrs: ['127.96.0.0/16'] });
	assert.deepEqual(made?.metadata.finalizers, ['networking.k8s.io/service-cidr-finalizer']);
	await plane.until(services, 'kubernetes', (service) => service !== undefined);
	await plane.until(ipAddresses, '127.96.0.1', (address) => address?.spec.parentRef?.name === 'kubernetes');
	await plane.client.resource(serviceCidrs).delete('kubernetes');
	await plane.until(serviceCidrs, 'kubernetes', (cidr) => readyOf(cidr) === 'False Terminating');
	await plane.client.resource(serviceCidrs).patch('kubernetes', 'merge', { metadata: { finalizers: null } });
	const next = await plane.until(
		serviceCidrs,
		'kubernetes',
		(cidr) => cidr?.metadata.uid !== made?.metadata.uid && readyOf(cidr) === 'True',
	);
	assert.equal(next?.metadata.deletionTimestamp, undefined);
});

test('a ServiceCIDR that the server can serve extends its range; another one says why it does not', async (t) => {
	const plane = await start(t);
	await create(plane, 'more', '127.80.0.0/24');
	await plane.until(serviceCidrs, 'more', (cidr) => readyOf(cidr) === 'True');
	assert.equal((await createService(plane, 'web', { clusterIP: '127.80.0.9' })).spec.clusterIP, '127.80.0.9');
	await create(plane, 'far', '203.0.113.0/24');
	await plane.until(serviceCidrs, 'far', (cidr) => readyOf(cidr) === 'False AddressesNotServed');
	await assert.rejects(
		createService(plane, 'far', { clusterIP: '203.0.113.9' }),
		/does not match the current range/,
	);
	await plane.client.resource(serviceCidrs).delete('more');
	await plane.until(serviceCidrs, 'more', (cidr) => readyOf(cidr) === 'False Terminating');
	await assert.rejects(
		createService(plane, 'late', { clusterIP: '127.80.0.10' }),
		/does not match the current range/,
	);
});

test('an IPAddress of a Service that is deleted or has lost its labels is made again', async (t) => {
	const plane = await start(t);
	const { spec } = await createService(plane, 'web');
	const target = plane.client.resource(ipAddresses);
	const made = await target.get(spec.clusterIP ?? '');
	const name = made.metadata.name ?? '';
	await target.delete(name);
	const again = await plane.until(
		ipAddresses,
		name,
		(found) => Boolean(found) && found?.metadata.uid !== made.metadata.uid,
	);
	await target.patch(name, 'merge', { metadata: { labels: null } });
	const last = await plane.until(
		ipAddresses,
		name,
		(found) => Boolean(found) && found?.metadata.uid !== again?.metadata.uid,
	);
	assert.deepEqual([last?.metadata.labels, last?.spec], [made.metadata.labels, made.spec]);
});

/** The transport with another way of requests. */
function requesting(transport: ApiTransport, request: ApiTransport['request']): ApiTransport {
	return {
		request,
		watch: (watched, sink) => transport.watch(watched, sink),
		stream: (streamed) => transport.stream(streamed),
		duplex: (opened) => transport.duplex(opened),
	};
}

test('an IPAddress of another object in the place of that of a Service is replaced, though a finalizer keeps it', async (t) => {
	const address = '127.96.7.7';
	const refused = Promise.withResolvers<void>();
	const plane = await startControlPlane(t, undefined, {
		reach: async (api) => {
			const client = new Client(api);
			await createService({ client }, 'web', { clusterIP: address });
			const target = client.resource(ipAddresses);
			const { apiVersion, kind } = await target.get(address);
			await target.delete(address);
			const metadata = { name: address, finalizers: ['example.com/f'] };
			const parentRef = { group: 'example.com', resource: 'gateways', name: 'g' };
			await target.create({ apiVersion, kind, metadata, spec: { parentRef } });
			const transport = transportFor(t, api);
			return requesting(transport, async (request) => {
				const response = transport.request(request);
				if (request.method === 'POST' && request.path.endsWith('/ipaddresses'))
					response.catch(() => refused.resolve());
				return response;
			});
		},
	});
	await refused.promise;
	await plane.client.resource(ipAddresses).patch(address, 'merge', { metadata: { finalizers: null } });
	await plane.until(ipAddresses, address, (found) => found?.spec.parentRef?.name === 'web');
});

test('an address is in range though the ServiceCIDRs are listed after the Services', async (t) => {
	const address = '127.80.0.9';
	const plane = await startControlPlane(t, undefined, {
		reach: async (api) => {
			const client = new Client(api);
			const made = await create({ client }, 'more', '127.80.0.0/24');
			const condition = {
				type: 'Ready',
				status: 'True' as const,
				reason: '',
				message: '',
				lastTransitionTime: null,
			};
			const status = { conditions: [condition] };
			await client.resource(serviceCidrs).update({ ...made, status }, 'status');
			await createService({ client }, 'web', { clusterIP: address });
			await client.resource(ipAddresses).delete(address);
			const transport = transportFor(t, api);
			const listed = new Map(
				['services', 'ipaddresses'].map((name) => [name, Promise.withResolvers<void>()]),
			);
			return requesting(transport, async (request) => {
				const resource = request.path.split('/').at(-1) ?? '';
				if (request.method === 'GET' && resource === 'servicecidrs') {
					for (const { promise } of listed.values()) await promise;
					// A controller that does not wait for the ServiceCIDRs plans in these turns.
					for (let turns = 0; turns < 20; turns++) await nextTurn();
				}
				const response = await transport.request(request);
				listed.get(resource)?.resolve();
				return response;
			});
		},
	});
	await plane.until(ipAddresses, address, (found) => found?.spec.parentRef?.name === 'web');
});
